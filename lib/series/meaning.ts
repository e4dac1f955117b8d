import type { Microseconds } from "../base/time.ts";
import { type HomeEvent, STATISTICS_ORIGIN } from "../event/index.ts";

/** What one event means to windows and rollups: the one place that says so. */

/** A state at its moment. */
export interface Sample {
  readonly atUs: Microseconds;
  readonly state: string;
  readonly value?: number | boolean;
}

/** What an event leaves behind until the entity's next one. */
export interface Hold {
  /** The number that is held, if any. */
  readonly number?: number;
  readonly isOn: boolean;
  /** Not included; an infinity: until the next event, whenever that is. */
  readonly untilUs: Microseconds;
}

export const NOTHING_HELD: Hold = { isOn: false, untilUs: Number.POSITIVE_INFINITY };
/** An hour of long-term statistics speaks of that hour alone. */
const STATISTICS_US = 3_600_000_000;

/** A removal is an event, but no sample. */
export const isSample = (event: Pick<HomeEvent, "kind">): boolean => event.kind !== "removed";

/** The number that an event counts as; what is not finite, or of a state that is `unknown` or `unavailable`, is none. -0 is 0. */
export function numberOf({ kind, quality, value }: HomeEvent): number | undefined {
  if (kind === "removed" || quality !== "ok" || typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return value + 0;
}

export const sampleOf = ({ atUs, state, value }: HomeEvent): Sample => ({
  atUs,
  state,
  ...(value !== undefined && { value }),
});

export function holdOf(event: HomeEvent): Hold {
  const { atUs, kind, origin, quality, value } = event;
  const number = numberOf(event);
  const isOn = value === true && quality === "ok" && kind !== "removed";
  if (number === undefined && !isOn) return NOTHING_HELD;
  const isHour = kind === "snapshot" && origin === STATISTICS_ORIGIN;
  const untilUs = isHour ? atUs + STATISTICS_US : Number.POSITIVE_INFINITY;
  return { isOn, untilUs, ...(number !== undefined && { number }) };
}
