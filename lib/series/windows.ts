import type { Microseconds } from "../base/time.ts";
import type { HomeEvent } from "../event/index.ts";
import { quotientOf } from "./exact-sum.ts";
import { createGathered, type Gathered, gather, gatherPart, holdFor } from "./gathered.ts";
import { type Hold, holdOf, NOTHING_HELD, type Sample } from "./meaning.ts";
import type { Rollup } from "./rollup.ts";

/**
 * One entity in one window.
 *
 * - `count`: its events but for removals, whatever their kind: a snapshot, a restore and a change of attributes alone say what the state was, too.
 * - `mean`, `min`, `max`: over the numbers among them, each counted once. A number is a finite `value` of quality `ok`.
 * - `first`, `last`: of the events counted.
 * - `timeMean`: of the number as it held, each weighted by its time, over the time for which there was a number (`heldSeconds`).
 * - `secondsOn`: for how long the value was true.
 *
 * A state holds until the entity's next event, from before the window on and over its edges; an hour of long-term statistics for an hour at most, because it says
 * nothing of the time behind. After an event that is `unknown`, `unavailable`, a text or a removal no number is held, and nothing is on. A removal comes
 * after a state of the same moment. What has no value (no numbers, no time) is absent. Means are those of the exact sums, rounded once: no order of additions
 * and no splitting changes a bit; an exact zero is 0, never -0.
 */
export interface WindowAggregate {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly count: number;
  readonly mean?: number;
  readonly timeMean?: number;
  readonly heldSeconds: number;
  readonly min?: number;
  readonly max?: number;
  readonly first?: Sample;
  readonly last?: Sample;
  readonly secondsOn: number;
}

export interface Windows {
  /**
   * The entity's next event: ascending as by `compareEvents`, each natural key once. One from before the first edge only says what holds at it, one from the last
   * edge on changes nothing.
   */
  add(event: HomeEvent): void;
  /**
   * A part of the entity's events instead of the events themselves; the same bits come of it. All its events lie within one window, or all before the first edge or behind
   * the last.
   * @throws RangeError when they do not
   */
  addRollup(rollup: Rollup): void;
  /** A window for each pair of edges; to be called once. `before`: the entity's last event before the first one that was added, if that is not known yet. */
  finish(before?: HomeEvent): WindowAggregate[];
}

/** `edges`: ascending, at least two; window i is half-open from edge i to edge i + 1. The caller's clock says where the last one is: a state holds up to it. */
export function createWindows(edges: readonly Microseconds[]): Windows {
  const first = edges[0] ?? 0;
  const end = edges.at(-1) ?? first;
  const gathered: (Gathered | undefined)[] = [];
  /** The window of the newest event. */
  let index = 0;
  let hold: Hold = NOTHING_HELD;
  let heldFromUs: number | undefined;
  let firstUs: number | undefined;

  const edge = (at: number): number => edges[at] ?? end;
  const windowAt = (at: number): Gathered => {
    const there = gathered[at] ?? createGathered();
    gathered[at] = there;
    return there;
  };

  /** What is held between two moments, over all windows that lie between; `from`: the window of the first moment, or one before it. */
  function spread(held: Hold, fromUs: number, options: { toUs: number; from: number }): void {
    if (held.number === undefined && !held.isOn) return;
    const toUs = Math.min(options.toUs, held.untilUs, end);
    let startUs = Math.max(fromUs, first);
    for (let at = options.from; startUs < toUs; at++) {
      const stopUs = Math.min(toUs, edge(at + 1));
      if (stopUs <= startUs) continue;
      holdFor(windowAt(at), held, stopUs - startUs);
      startUs = stopUs;
    }
  }

  /** Up to the moment what was held is held on; then something else is. */
  function advance(atUs: number): void {
    firstUs ??= atUs;
    if (heldFromUs !== undefined) spread(hold, heldFromUs, { toUs: atUs, from: index });
    while (index < edges.length - 2 && edge(index + 1) <= atUs) index++;
  }

  return {
    add: (event) => {
      advance(event.atUs);
      hold = holdOf(event);
      heldFromUs = event.atUs;
      if (event.atUs >= first && event.atUs < end) gather(windowAt(index), event);
    },
    addRollup: (rollup) => {
      advance(rollup.firstUs);
      hold = rollup.hold;
      heldFromUs = rollup.lastUs;
      if (rollup.lastUs < first || rollup.firstUs >= end) return;
      if (rollup.firstUs < edge(index) || rollup.lastUs >= edge(index + 1)) {
        throw new RangeError(`a part from ${rollup.firstUs} to ${rollup.lastUs} lies in no one window`);
      }
      gatherPart(windowAt(index), rollup);
    },
    finish: (before) => {
      if (heldFromUs !== undefined) spread(hold, heldFromUs, { toUs: end, from: index });
      if (before) spread(holdOf(before), before.atUs, { toUs: firstUs ?? end, from: 0 });
      return edges.slice(0, -1).map((fromUs, at) => windowOf({ fromUs, toUs: edge(at + 1) }, gathered[at]));
    },
  };
}

function windowOf(span: Pick<WindowAggregate, "fromUs" | "toUs">, gathered: Gathered | undefined): WindowAggregate {
  if (!gathered) return { ...span, count: 0, heldSeconds: 0, secondsOn: 0 };
  const { count, numbers, sum, min, max, first, last, heldUs, integral, onUs } = gathered;
  return {
    ...span,
    count,
    ...(numbers > 0 && { mean: quotientOf(sum, numbers), min, max }),
    ...(heldUs > 0 && { timeMean: quotientOf(integral, heldUs) }),
    ...(first && { first }),
    ...(last && { last }),
    heldSeconds: heldUs / 1e6,
    secondsOn: onUs / 1e6,
  };
}
