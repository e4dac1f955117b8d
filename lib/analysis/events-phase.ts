import { createEntityLayers, type EntityLayersOptions } from "./entities/layers.ts";
import type { Phase } from "./phases.ts";
import type { JobKind } from "./ports.ts";

/**
 * What happened: each entity's day as a daily aggregate (layer 2), of late days and of days that are about to be pruned too; a week's and a month's as sums of
 * their days (layer 3).
 */
export function eventsPhase(kind: JobKind, options: EntityLayersOptions): Phase {
  const layers = createEntityLayers(options);
  return {
    name: "events",
    run: async (job, timeZone) => ({
      ...(kind === "daily" ? await layers.daily(job, timeZone) : await layers.longer(job, timeZone)),
    }),
  };
}
