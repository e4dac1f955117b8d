import type { ReadPair } from "../ports.ts";
import type { Measured } from "./ports.ts";

const DAY_SECONDS = 86_400;

/** How far back people read, by their own reads that were asked of both sides: the control plane's own say nothing of people. undefined: there is none. */
export function readsBack(pairs: readonly ReadPair[]): Measured["reads"] {
  const days = pairs
    .filter(({ by }) => by === "shadow")
    .flatMap(({ backSeconds }) => (backSeconds === undefined ? [] : [backSeconds / DAY_SECONDS]));
  if (days.length < 2) return undefined;
  const half = Math.floor(days.length / 2);
  const most = (some: readonly number[]) => some.reduce((max, one) => Math.max(max, one), 0);
  return { count: days.length, earlierDays: most(days.slice(0, half)), laterDays: most(days.slice(half)) };
}
