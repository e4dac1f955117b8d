import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import { addSum, createSum, type ExactSum } from "./exact-sum.ts";
import { createGathered, type Gathered, gather, gatherPart, holdFor } from "./gathered.ts";
import { type Hold, holdOf, NOTHING_HELD } from "./meaning.ts";

/**
 * A rollup is what windows need of some consecutive events of one entity (those of an hour, say) instead of the events themselves. It knows nothing of the hour's
 * bounds, only of its events: what was held between the first and the last of them is in it, and what the last one leaves behind goes on (`hold`) until the
 * next part. So parts are added to windows (`Windows.addRollup`) or to each other (`mergeRollups`) in the order of time, and give the same bits as the events
 * would, whatever the splitting; sums are exact (exact-sum.ts). A part cannot be cut: where a window's edge lies within it, its events are needed.
 * As bytes: rollup-bytes.ts (`encodeRollup`, `decodeRollup`).
 */
export interface Rollup extends Readonly<Gathered> {
  /** Of all its events, removals included. */
  readonly firstUs: Microseconds;
  readonly lastUs: Microseconds;
  /** What the last event leaves behind. */
  readonly hold: Hold;
}

export interface RollupBuilder {
  /** The entity's next event: ascending as by `compareEvents`, each natural key once. */
  add(event: HomeEvent): void;
  /** A part whose events all come after those that were added. */
  addRollup(part: Rollup): void;
  /** undefined: nothing was added. */
  finish(): Rollup | undefined;
}

export function createRollup(): RollupBuilder {
  const own = createGathered();
  let firstUs: number | undefined;
  let lastUs = 0;
  let hold: Hold = NOTHING_HELD;

  function advance(atUs: number): void {
    if (firstUs === undefined) firstUs = atUs;
    else {
      const forUs = Math.min(atUs, hold.untilUs) - lastUs;
      if (forUs > 0) holdFor(own, hold, forUs);
    }
  }

  return {
    add: (event) => {
      advance(event.atUs);
      lastUs = event.atUs;
      hold = holdOf(event);
      gather(own, event);
    },
    addRollup: (part) => {
      advance(part.firstUs);
      lastUs = part.lastUs;
      hold = part.hold;
      gatherPart(own, part);
    },
    finish: () => {
      if (firstUs === undefined) return undefined;
      return { ...own, sum: copyOf(own.sum), integral: copyOf(own.integral), firstUs, lastUs, hold };
    },
  };
}

/** One part of two, `earlier` all before `later`. */
export function mergeRollups(earlier: Rollup, later: Rollup): Rollup {
  const both = createRollup();
  both.addRollup(earlier);
  both.addRollup(later);
  return both.finish() ?? earlier;
}

/** Only what the part leaves behind, from its last event on. */
export const heldBy = ({ lastUs, hold }: Rollup): Rollup => ({ ...createGathered(), firstUs: lastUs, lastUs, hold });

function copyOf(sum: ExactSum): ExactSum {
  const copy = createSum();
  addSum(copy, sum);
  return copy;
}
