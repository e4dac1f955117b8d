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
  /** Share of each ten minutes, without what the series itself did. Sum 1. `shift`: see ScanView. The same array for the same shift. */
  without(series: Series): (shift: number) => Float64Array;
}

export function profileOf(all: readonly Series[]): Profile {
  const persons = new Float64Array(STEPS);
  for (const series of all) if (series.who === "person") addTo(persons, series, 1);
  // Automations keep to no hours that people keep.
  const ofAutomations = byShift(() => sharesOf(new Float64Array(STEPS)));
  return {
    without(series) {
      if (series.who === "automation") return ofAutomations;
      return byShift(() => {
        const rest = Float64Array.from(persons);
        addTo(rest, series, -1);
        return sharesOf(rest);
      });
    },
  };
}

function sharesOf(rest: Float64Array): Float64Array {
  let total = 0;
  for (let step = 0; step < STEPS; step++) total += rest[step] ?? 0;
  const shares = new Float64Array(STEPS);
  const even = total > 0 ? Math.min(EVEN_SHARE, EVEN_COUNT / total) : 1;
  for (let step = 0; step < STEPS; step++) {
    let near = 0;
    for (let by = -SMOOTH_STEPS; by <= SMOOTH_STEPS; by++) near += rest[(step + by + STEPS) % STEPS] ?? 0;
    const share = total > 0 ? near / (2 * SMOOTH_STEPS + 1) / total : 0;
    shares[step] = even / STEPS + (1 - even) * share;
  }
  return shares;
}

/** Turned by each shift that is asked for, once. */
function byShift(clockShares: () => Float64Array): (shift: number) => Float64Array {
  let ofClock: Float64Array | undefined;
  const known = new Map<number, Float64Array>();
  return (shift) => {
    const there = known.get(shift);
    if (there) return there;
    ofClock ??= clockShares();
    const shares = new Float64Array(STEPS);
    for (let step = 0; step < STEPS; step++) {
      const at = Math.floor(wrapped(step * STEP_MINUTES - shift) / STEP_MINUTES) % STEPS;
      shares[at] = (shares[at] ?? 0) + (ofClock[step] ?? 0);
    }
    known.set(shift, shares);
    return shares;
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
