/**
 * What is planted into the simulated home: the truth that pattern work is compared with, and at the same time the numbers by which the generator
 * plants it. Names follow the pattern shape of the API (`kind`, `target`, `trigger`, `steps`, `at`, `anchor`, `days`).
 */
import { BY_CLOCK } from "./planted/by-clock.ts";
import { BY_TRIGGER } from "./planted/by-trigger.ts";
import type { PlantedRoutine } from "./planted/routine.ts";

export type { PlantedRoutine } from "./planted/routine.ts";
export { WEEKDAYS } from "./planted/routine.ts";

/** Every planted routine. The same for every seed: a seed changes when things happen, not what is planted. */
export const ROUTINES: readonly PlantedRoutine[] = [...BY_CLOCK, ...BY_TRIGGER];

const BY_ID = new Map(ROUTINES.map((routine) => [routine.id, routine]));

/** The routine of this id. */
export function routineOf(id: string): PlantedRoutine {
  const routine = BY_ID.get(id);
  if (!routine) throw new Error(`Looked for the planted routine "${id}": there is none of this id.`);
  return routine;
}

/** What is out of the ordinary, planted as well, about one day in twelve. */
export const ANOMALIES = [
  "back-door-open-at-night",
  "study-lamp-all-night",
  "night-in-the-kitchen",
  "no-coffee",
] as const;
export type AnomalyKind = (typeof ANOMALIES)[number];
