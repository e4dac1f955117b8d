import type { Token } from "../../patterns/types.ts";
import { byText } from "../order.ts";
import type { LinesDay } from "./days.ts";
import { createTokenSums } from "./token-sums.ts";

/** Two tokens of which one may follow the other, by the daily counts. */
export interface Candidate {
  readonly trigger: Token;
  readonly target: Token;
  /** How often within the near and the far window, and how often an automation made the target then. */
  readonly near: number;
  readonly far: number;
  readonly automated: number;
}

export interface Support {
  readonly candidates: readonly Candidate[];
  /** How many pairs could have been reported: every trigger with every target. */
  readonly family: number;
}

export interface SupportOptions {
  readonly leastCount: number;
  readonly leastDays: number;
  /** Of the target's changes, or of the trigger's firings: one of the two. */
  readonly leastShare: number;
  /** The strongest (by count over the geometric mean of both tokens' counts) are looked at. */
  readonly mostCandidates: number;
}

export const parseToken = (text: string): Token => {
  const at = text.indexOf("=");
  return { entityId: text.slice(0, at), state: text.slice(at + 1) };
};

/** Pairs with enough behind them to be looked at. Complexity: O(rows). */
export function supported(days: readonly LinesDay[], options: SupportOptions): Support {
  const sums = createTokenSums();
  for (const { tokens } of days) for (const row of tokens) sums.add(row);
  const { counts } = sums;
  const often = sums.pairs(({ far, days }) => far >= options.leastCount && days >= options.leastDays);
  const found = often.flatMap((pair) => {
    const { trigger, target, far } = pair;
    const [ofTarget, ofTrigger] = [counts.get(target) ?? far, counts.get(trigger) ?? far];
    if (far < options.leastShare * Math.min(ofTarget, ofTrigger)) return [];
    return [{ ...pair, strength: far / Math.sqrt(ofTarget * ofTrigger) }];
  });
  const nameOf = (pair: { readonly trigger: string; readonly target: string }) => `${pair.trigger} ${pair.target}`;
  found.sort((a, b) => b.strength - a.strength || byText(nameOf(a), nameOf(b)));
  const candidates = found.slice(0, options.mostCandidates).map(({ trigger, target, near, far, automated }) => ({
    trigger: parseToken(trigger),
    target: parseToken(target),
    near,
    far,
    automated,
  }));
  return { candidates, family: counts.size * sums.targets() };
}
