import type { Pattern } from "../ports.ts";
import type { PatternFacts } from "./types.ts";

/**
 * What is known of such patterns before: they come true on 74 of 100 occasions, and that is worth ten occasions of one's own. Learned by the likelihood of the month after,
 * of 1,188 times of day of simulated homes (`npm run quality -- --train`).
 */
const USUAL_SHARE = 0.74;
const USUAL_WEIGHT = 10;

/** A pattern that is kept, or one that has just been found: that has no status yet. */
type Expected = Pick<PatternFacts, "kind" | "hits" | "opportunities" | "automated"> & Partial<Pick<Pattern, "status">>;

/**
 * On how many of the coming occasions it is to be expected: the posterior mean of hits over opportunities, which draws them towards what is usual, most of all where there
 * were few. What is told was chosen because it happened so often, so the coming month mostly falls short of hits/opportunities: 4 of 4 Tuesdays make 81 %. (`reliability` is
 * the bound that it hardly falls below.) Undefined of all of which no month after was ever held against it: other kinds, and what automations do; and of what fades or has
 * ended, for its hits are of days when it went on. 0 to 1.
 */
export function expectedShareOf({
  kind,
  hits,
  opportunities,
  automated,
  status = "active",
}: Expected): number | undefined {
  if ((kind !== "time-of-day" && kind !== "co-occurrence") || automated || status !== "active") return undefined;
  if (opportunities <= 0) return undefined;
  return (hits + USUAL_SHARE * USUAL_WEIGHT) / (opportunities + USUAL_WEIGHT);
}
