import type { Token } from "../../patterns/types.ts";
import { byText } from "../order.ts";
import type { LinesDay } from "./days.ts";

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

interface Sum {
  near: number;
  far: number;
  automated: number;
  days: number;
}

/** Pairs with enough behind them to be looked at. Complexity: O(rows). */
export function supported(days: readonly LinesDay[], options: SupportOptions): Support {
  const counts = new Map<string, number>();
  const pairs = new Map<string, Map<string, Sum>>();
  for (const { tokens } of days)
    for (const { token, n, triggers, counts: parts } of tokens) {
      counts.set(token, (counts.get(token) ?? 0) + n);
      if (triggers.length === 0) continue;
      let sums = pairs.get(token);
      if (!sums) {
        sums = new Map();
        pairs.set(token, sums);
      }
      for (let index = 0; index < triggers.length; index++) {
        const name = triggers[index] ?? "";
        let sum = sums.get(name);
        if (!sum) {
          sum = { near: 0, far: 0, automated: 0, days: 0 };
          sums.set(name, sum);
        }
        sum.near += parts[3 * index] ?? 0;
        sum.far += parts[3 * index + 1] ?? 0;
        sum.automated += parts[3 * index + 2] ?? 0;
        sum.days++;
      }
    }
  const found: { readonly strength: number; readonly trigger: string; readonly target: string; readonly sum: Sum }[] =
    [];
  for (const [target, sums] of pairs)
    for (const [trigger, sum] of sums) {
      const { far } = sum;
      if (far < options.leastCount || sum.days < options.leastDays) continue;
      const [ofTarget, ofTrigger] = [counts.get(target) ?? far, counts.get(trigger) ?? far];
      if (far < options.leastShare * Math.min(ofTarget, ofTrigger)) continue;
      found.push({ strength: far / Math.sqrt(ofTarget * ofTrigger), trigger, target, sum });
    }
  const nameOf = (pair: { readonly trigger: string; readonly target: string }) => `${pair.trigger} ${pair.target}`;
  found.sort((a, b) => b.strength - a.strength || byText(nameOf(a), nameOf(b)));
  const candidates = found.slice(0, options.mostCandidates).map(({ trigger, target, sum }) => ({
    trigger: parseToken(trigger),
    target: parseToken(target),
    near: sum.near,
    far: sum.far,
    automated: sum.automated,
  }));
  return { candidates, family: counts.size * pairs.size };
}
