import * as z from "zod";
import { formatIsoUs } from "../base/time.ts";
import { localTimeOf } from "../base/zone.ts";
import type { EntityAggregates } from "../store/index.ts";
import { WINDOWS } from "./window-edges.ts";

/** What `GET /api/v1/events/aggregate` answers. */

export const FUNCTIONS = ["mean", "time_mean", "min", "max", "count", "first", "last", "seconds_on"] as const;
type FunctionName = (typeof FUNCTIONS)[number];
type Window = EntityAggregates["windows"][number];

const time = z.string().meta({ format: "date-time", example: "2026-11-22T06:00:00.000000+01:00" });
const sampleShape = z.object({
  state: z.string(),
  value: z.union([z.number(), z.boolean()]).optional(),
  last_updated: time,
});
const windowShape = z.object({
  start: time.meta({ description: "Included; with the home's offset." }),
  end: time.meta({ description: "Not included." }),
  count: z.int().nonnegative().optional().meta({ description: "Events, but for removals." }),
  mean: z.number().optional().meta({ description: "Of the numbers among the events, each counted once." }),
  time_mean: z
    .number()
    .optional()
    .meta({ description: "Of the number as it held, each weighted by its time, over `held_seconds`." }),
  held_seconds: z
    .number()
    .nonnegative()
    .optional()
    .meta({ description: "For how long there was a number. Comes with `time_mean`." }),
  min: z.number().optional(),
  max: z.number().optional(),
  first: sampleShape.optional(),
  last: sampleShape.optional(),
  seconds_on: z.number().nonnegative().optional().meta({ description: "For how long the value was true." }),
});

export const aggregateShape = z
  .object({
    window: z.enum(WINDOWS),
    time_zone: z.string().meta({ example: "Europe/Amsterdam" }),
    entities: z.array(z.object({ entity_id: z.string(), windows: z.array(windowShape) })),
  })
  .meta({
    id: "EventAggregates",
    description:
      "Every window of the span, also those without events. What has no value (no numbers, no time) is left out.",
  });

/** One entity as the API shows it, with the functions that were asked for. */
export function aggregatesView(
  { entityId, windows }: EntityAggregates,
  functions: ReadonlySet<FunctionName>,
  zone: string,
) {
  const wanted = FUNCTIONS.filter((name) => functions.has(name));
  return {
    entity_id: entityId,
    windows: windows.map((window) => ({
      start: localTimeOf(window.fromUs, zone).text,
      end: localTimeOf(window.toUs, zone).text,
      ...Object.assign({}, ...wanted.map((name) => MEMBERS[name](window))),
    })),
  };
}

const MEMBERS: Record<FunctionName, (window: Window) => Partial<z.output<typeof windowShape>>> = {
  mean: ({ mean }) => (mean === undefined ? {} : { mean }),
  time_mean: ({ timeMean, heldSeconds }) => ({
    ...(timeMean !== undefined && { time_mean: timeMean }),
    held_seconds: heldSeconds,
  }),
  min: ({ min }) => (min === undefined ? {} : { min }),
  max: ({ max }) => (max === undefined ? {} : { max }),
  count: ({ count }) => ({ count }),
  first: ({ first }) => (first ? { first: sampleView(first) } : {}),
  last: ({ last }) => (last ? { last: sampleView(last) } : {}),
  seconds_on: ({ secondsOn }) => ({ seconds_on: secondsOn }),
};

const sampleView = ({ atUs, state, value }: NonNullable<Window["first"]>) => ({
  state,
  ...(value !== undefined && { value }),
  last_updated: formatIsoUs(atUs),
});
