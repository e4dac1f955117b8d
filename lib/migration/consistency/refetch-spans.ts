import type { Microseconds } from "../../base/time.ts";
import type { Difference } from "../types.ts";

/** What is asked of a recorder at once: all rows of some entities in a span, half-open. */
export interface RefetchSpan {
  readonly entityIds: readonly string[];
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** What is lost together lies together: rows that are further apart are asked for by themselves. */
const APART_US = 600_000_000;
/** A question stays small. */
const SPAN_MAX_US = 86_400_000_000;
const ENTITIES_MAX = 50;
/** More than these are not asked for by one repair: each waits for the relay's next look. */
export const SPANS_MAX = 100;
const MARGIN_US = 1_000_000;

/** Pure: the fewest questions that hold all rows that NEW lacks, ascending. What is beyond SPANS_MAX is left out. */
export function refetchSpans(differences: readonly Difference[]): readonly RefetchSpan[] {
  const lacking = differences.filter((one) => one.class === "missing-in-new").toSorted((a, b) => a.atUs - b.atUs);
  const groups: Difference[][] = [];
  for (const one of lacking) {
    const group = groups.at(-1);
    const [first, last] = [group?.[0], group?.at(-1)];
    const isNear = first && last && one.atUs - last.atUs <= APART_US && one.atUs - first.atUs < SPAN_MAX_US;
    if (group && isNear) group.push(one);
    else groups.push([one]);
  }
  return groups.flatMap(spansOf).slice(0, SPANS_MAX);
}

function spansOf(group: readonly Difference[]): RefetchSpan[] {
  const entityIds = [...new Set(group.map(({ entityId }) => entityId))];
  const fromUs = (group[0]?.atUs ?? 0) - MARGIN_US;
  const toUs = (group.at(-1)?.atUs ?? 0) + MARGIN_US;
  return Array.from({ length: Math.ceil(entityIds.length / ENTITIES_MAX) }, (_, at) => ({
    entityIds: entityIds.slice(at * ENTITIES_MAX, (at + 1) * ENTITIES_MAX),
    ...{ fromUs, toUs },
  }));
}
