import { DAY_MINUTES, wrapped } from "../circle.ts";
import type { Series } from "./series.ts";
import { STEP_MINUTES } from "./windows.ts";

const STEPS = DAY_MINUTES / STEP_MINUTES;
/** On each side: half an hour. */
const SMOOTH_STEPS = 3;
/** So much of what is expected is spread evenly over the day, or as much as so many occurrences: little is known of a small home. */
const EVEN_SHARE = 0.25;
const EVEN_COUNT = 250;

/** How the activity of a home lies over its day. */
export interface Profile {
  /** Share of each ten minutes, without what the series itself did. Sum 1. `shift`: see ScanView. */
  without(series: Series, shift: number): Float64Array;
}

export function profileOf(all: readonly Series[]): Profile {
  const sums = { person: new Float64Array(STEPS), automation: new Float64Array(STEPS) };
  for (const series of all) addTo(sums[series.who], series, 1);
  return {
    without(series, shift) {
      // Automations keep to no hours that people keep.
      const rest = series.who === "person" ? Float64Array.from(sums.person) : new Float64Array(STEPS);
      if (series.who === "person") addTo(rest, series, -1);
      const total = rest.reduce((sum, each) => sum + each, 0);
      const shares = new Float64Array(STEPS);
      const even = total > 0 ? Math.min(EVEN_SHARE, EVEN_COUNT / total) : 1;
      for (let step = 0; step < STEPS; step++) {
        let near = 0;
        for (let by = -SMOOTH_STEPS; by <= SMOOTH_STEPS; by++) near += rest[(step + by + STEPS) % STEPS] ?? 0;
        const share = total > 0 ? near / (2 * SMOOTH_STEPS + 1) / total : 0;
        const at = Math.floor(wrapped(step * STEP_MINUTES - shift) / STEP_MINUTES) % STEPS;
        shares[at] = (shares[at] ?? 0) + even / STEPS + (1 - even) * share;
      }
      return shares;
    },
  };
}

function addTo(sums: Float64Array, { times }: Series, sign: 1 | -1): void {
  for (const minutes of times) {
    for (const minute of minutes) {
      const step = Math.floor(minute / STEP_MINUTES) % STEPS;
      sums[step] = (sums[step] ?? 0) + sign;
    }
  }
}
