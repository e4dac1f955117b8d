import * as z from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldSystem, State, Verdict } from "../ports.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

/** What a person watches NEW by, asked as he would ask. */
export interface Monitoring {
  /** Of `GET /health`. @throws when nothing answers */
  health(): Promise<{ readonly status: string; readonly parts: number }>;
  /** Of `GET /metrics`: OpenMetrics. @throws as `health` */
  metrics(): Promise<string>;
}

export interface FinalDeps {
  readonly old: Pick<OldSystem, "describe">;
  readonly events: Pick<EventStore, "check">;
  readonly monitoring: Monitoring;
}

const STATES: ReadonlySet<State> = new Set(["final_validation"]);
/** What a check said longer ago is no evidence any more (chosen by us: twelve steps). */
export const FRESH_US: Microseconds = 3_600_000_000;

/** Results of other checks, by the part of the suite that rests on them; of those that end in a dot all, and at least one. */
const RESTS_ON = {
  performance: ["performance.", "errors"],
  integrity: ["consistency", "loss", "api-compare"],
  health: ["health.old", "health.new"],
  "end-to-end": ["canary", "dual-write"],
  devices: ["devices"],
} as const;

const takenSchema = z.object({
  verdict: z.enum(["pass", "fail", "inconclusive"]),
  sampleSize: z.number(),
  explanation: z.string(),
  atUs: z.number(),
});
const memorySchema = z.object({ version: z.literal(1), taken: z.record(z.string(), takenSchema) });
type Taken = z.infer<typeof memorySchema>["taken"];

/**
 * The final validation (row C10): `final.performance`, `final.integrity`, `final.health`, `final.end-to-end`, `final.monitoring`, `final.devices`. Each rests on what other checks have said within the
 * hour, whose results are taken from the row step by step, and on what is tried here: that both sides answer, that health and metrics can be read. What is missing or too old is inconclusive, never a pass.
 */
export const createFinal = (deps: FinalDeps): Check => ({
  name: "final",
  states: STATES,
  run: (context) => run(deps, context),
});

async function run(deps: FinalDeps, { migration, memory, nowUs }: CheckContext): Promise<CheckOutcome> {
  const taken: Taken = { ...(memorySchema.safeParse(memory).data?.taken ?? {}) };
  const { checks, lastStepUs = 0 } = migration;
  for (const { name, verdict, sampleSize, explanation } of checks)
    if (!name.startsWith("final."))
      taken[name] = { verdict, sampleSize, explanation: explanation.slice(0, 300), atUs: lastStepUs };
  const parts = Object.entries(RESTS_ON).map(([part, names]) => resting(part, names, { taken, nowUs }));
  const tried = await Promise.all([tryHealth(deps), tryMonitoring(deps.monitoring)]);
  const results = [...parts.map((part) => (part.name === "final.health" ? both(part, tried[0]) : part)), tried[1]];
  return { results, memory: { version: 1, taken: freshOf(taken, nowUs) } };
}

const freshOf = (taken: Taken, nowUs: Microseconds): Taken =>
  Object.fromEntries(Object.entries(taken).filter(([, { atUs }]) => nowUs - atUs <= FRESH_US));

function resting(
  part: string,
  names: readonly string[],
  { taken, nowUs }: { readonly taken: Taken; readonly nowUs: Microseconds },
): CheckResult {
  const name = `final.${part}`;
  const fresh = Object.entries(freshOf(taken, nowUs));
  const missing: string[] = [];
  const own = names.flatMap((wanted) => {
    const found = fresh.filter(([one]) =>
      wanted.endsWith(".") ? one.startsWith(wanted) : one === wanted || one.startsWith(`${wanted}.`),
    );
    if (found.length === 0) missing.push(wanted.replace(/\.$/, ""));
    return found;
  });
  const by = (verdict: Verdict) => own.filter(([, one]) => one.verdict === verdict);
  const sampleSize = own.reduce((sum, [, one]) => sum + one.sampleSize, 0);
  const said = (all: typeof own) =>
    someOf(
      all.map(([one, { explanation }]) => `${one}: ${explanation}`),
      3,
    );
  if (by("fail").length > 0) return failed(name, said(by("fail")), { sampleSize });
  if (missing.length > 0)
    return undecided(name, `There is no result within the last hour of ${missing.join(", ")}.`, { sampleSize });
  if (by("inconclusive").length > 0) return undecided(name, said(by("inconclusive")), { sampleSize });
  return passed(name, `${own.map(([one]) => one).join(", ")} passed within the last hour.`, { sampleSize });
}

/** Both sides are asked now: what was well an hour ago may not be. */
async function tryHealth({ old, events }: FinalDeps): Promise<CheckResult> {
  const name = "final.health";
  const problems = await Promise.all([
    problemOf("OLD", () => old.describe()),
    problemOf("NEW's store", () => events.check()),
  ]);
  const there = problems.flatMap((problem) => problem ?? []);
  // `health.*` look again before they say that a part is down; this holds until they have.
  if (there.length > 0) return undecided(name, there.join(" "));
  return passed(name, "OLD and NEW's store answer now.", { sampleSize: 2 });
}

async function problemOf(what: string, ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (thrown) {
    return `${what} does not answer: ${messageOf(thrown)}`;
  }
}

/** A sample of OpenMetrics: a name, perhaps labels, a number. */
const SAMPLE = /^hearthline_[a-z0-9_]+(?:\{[^}]*\})? \S+/;

async function tryMonitoring(monitoring: Monitoring): Promise<CheckResult> {
  const name = "final.monitoring";
  try {
    const [health, metrics] = await Promise.all([monitoring.health(), monitoring.metrics()]);
    const samples = metrics.split("\n").filter((line) => SAMPLE.test(line)).length;
    const isWhole = metrics.trimEnd().endsWith("# EOF");
    const what = `Health says "${health.status}" of ${health.parts} parts; ${samples} metrics can be read`;
    if (health.status === "down") return failed(name, `${what}.`, { sampleSize: samples });
    if (health.parts === 0 || samples === 0 || !isWhole)
      return failed(name, `${what}${isWhole ? "" : ", and their end is missing"}: nobody can watch that.`, {
        sampleSize: samples,
      });
    return passed(name, `${what}.`, { sampleSize: samples });
  } catch (thrown) {
    return undecided(name, `Health and metrics cannot be read: ${messageOf(thrown)}`);
  }
}

/** Of two results of one name the one that says less well; with both explanations when both are well. */
function both(a: CheckResult, b: CheckResult): CheckResult {
  const order: readonly Verdict[] = ["fail", "inconclusive", "pass"];
  const [worse, other] = order.indexOf(a.verdict) <= order.indexOf(b.verdict) ? [a, b] : [b, a];
  if (worse.verdict !== "pass") return worse;
  return {
    ...worse,
    sampleSize: worse.sampleSize + other.sampleSize,
    explanation: `${a.explanation} ${b.explanation}`,
  };
}
