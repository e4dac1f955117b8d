import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Check, CheckResult, Migration } from "../ports.ts";

export interface UntilOptions {
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  readonly signal: AbortSignal;
  /** Between two looks. */
  readonly everyMs: number;
  /** What has not passed by then has not passed. */
  readonly withinMs: number;
  /** What it waits for, whenever that has changed. */
  readonly onWords?: (words: string) => void;
}

/** Runs a check of the control plane again and again, as steps would, until it passes or fails. Gives what it said last; never throws for what the check does. */
export async function untilSettled(check: Check, migration: Migration, options: UntilOptions): Promise<CheckResult> {
  const { clock, signal, everyMs, withinMs, onWords } = options;
  const endMs = clock.nowMs() + withinMs;
  let memory: unknown;
  let last: CheckResult = {
    name: check.name,
    verdict: "inconclusive",
    sampleSize: 0,
    explanation: "It was not looked at.",
  };
  let said = "";
  for (;;) {
    try {
      const outcome = await check.run({ migration, nowUs: clock.nowMs() * 1000, memory, signal });
      memory = outcome.memory ?? memory;
      last = worstOf(outcome.results) ?? last;
    } catch (thrown) {
      last = { ...last, verdict: "inconclusive", explanation: messageOf(thrown) };
    }
    if (last.verdict !== "inconclusive" || signal.aborted || clock.nowMs() >= endMs) return last;
    if (last.explanation !== said) onWords?.(last.explanation);
    said = last.explanation;
    await clock.sleep(everyMs, signal);
  }
}

const RANK = { fail: 0, inconclusive: 1, pass: 2 } as const;
const worstOf = (results: readonly CheckResult[]): CheckResult | undefined =>
  results.toSorted((a, b) => RANK[a.verdict] - RANK[b.verdict])[0];
