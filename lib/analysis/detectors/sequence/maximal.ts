import { tokenOf } from "../lines/rows.ts";
import { byText } from "../order.ts";
import type { Chain } from "./chains.ts";
import { sameToken } from "./timeline.ts";

/** Two chains that share so many of the shorter one's steps, in order, are the same routine told twice. */
const SAME_SHARE = 0.6;
/** Of two that are told, the longer one, unless it is this much less reliable. */
const LONGER_WORTH = 0.65;

/** How many steps two chains have in common, in the same order. */
function commonSteps(a: Chain, b: Chain): number {
  let row = new Array<number>(b.steps.length + 1).fill(0);
  for (const step of a.steps) {
    const before = row;
    row = [0];
    for (const [index, other] of b.steps.entries())
      row.push(sameToken(step, other) ? (before[index] ?? 0) + 1 : Math.max(before[index + 1] ?? 0, row[index] ?? 0));
  }
  return row.at(-1) ?? 0;
}

const worthOf = ({ reliability, steps }: Chain) => reliability * (1 / LONGER_WORTH) ** steps.length;

const nameOf = (chain: Chain) => JSON.stringify(chain.steps);

/** What stays the same when the routine is told with a step more or less at its end: how it begins. */
export const keyOf = ({ steps }: Chain): string =>
  steps
    .slice(0, 2)
    .map(({ entityId, state }) => tokenOf(entityId, state))
    .join(" > ");

/** The best telling of each routine: no part of a chain beside the whole. */
export function maximal(chains: readonly Chain[]): Chain[] {
  const kept: Chain[] = [];
  const order = [...chains].sort((a, b) => worthOf(b) - worthOf(a) || byText(nameOf(a), nameOf(b)));
  for (const chain of order) {
    const isTold = kept.some(
      (other) =>
        keyOf(other) === keyOf(chain) ||
        commonSteps(chain, other) >= SAME_SHARE * Math.min(chain.steps.length, other.steps.length),
    );
    if (!isTold) kept.push(chain);
  }
  return kept;
}
