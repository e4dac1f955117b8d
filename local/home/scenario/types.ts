import type { PlantedRoutine } from "../planted/routine.ts";

/** What happens in a home without meaning anything: nothing may be found of it. */
export const DISTURBANCES = [
  /** Actuators at any time of day and night, without memory. */
  "poisson",
  /** Actuators now and then while somebody is in their room: the noise that every lived-in home has. */
  "daily-life",
  /** A sensor of the street: a hundred changes an hour, in bursts. */
  "bursts",
  /** Every full hour a clock strikes; a sensor polled every ten minutes; a compressor every 47. */
  "chime",
  /** Home Assistant restarts, every third day at 04:40: everything is told again, and some of it as changes right after. */
  "restarts",
  /** Five lamps as one group, at any time. */
  "fan-out",
  /** The home's own automations, with true contexts. */
  "automations",
  /** Lamps and sensors that are lost and come back, some at the same time each night. */
  "flapping",
  /** The relay hears nothing: for hours, and for two whole days. */
  "silence",
] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

/** A home over some days: who lives there is the simulated family; what they do with their devices is planted. */
export interface Scenario {
  readonly name: string;
  readonly seed: number;
  /** Days counted from 1970-01-01. */
  readonly firstDay: number;
  readonly days: number;
  readonly plants: readonly PlantedRoutine[];
  readonly disturbances: readonly Disturbance[];
  /** First and last day of the family's vacation; without it they stay at home. */
  readonly vacation?: readonly [number, number];
  /** Nobody lives there: no motion, no doors. */
  readonly isEmpty?: boolean;
}

/** The state that is not this one, by domain: what has to be before, or comes after. */
const OPPOSITES: Readonly<Record<string, string>> = {
  on: "off",
  off: "on",
  open: "closed",
  closed: "open",
  playing: "off",
  locked: "unlocked",
  unlocked: "locked",
};
export function oppositeOf(entityId: string, state: string): string {
  if (state === "off" && entityId.startsWith("media_player.")) return "playing";
  const opposite = OPPOSITES[state];
  if (opposite === undefined) throw new Error(`Looked for the opposite of "${state}" of ${entityId}: there is none.`);
  return opposite;
}
