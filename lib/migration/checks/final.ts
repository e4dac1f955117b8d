import * as z from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, Migration, OldSystem, State, Verdict } from "../ports.ts";
import { type AlertMemory, type Monitoring, readAlertMemory, tryMonitoring } from "./final-monitoring.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

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
  coldSinceUs: z.number().exactOptional(),
});
const memorySchema = z.object({ version: z.literal(1), taken: z.record(z.string(), takenSchema), alert: z.unknown() });
type Taken = z.infer<typeof memorySchema>["taken"];

/**
 * The final validation (row C10): `final.performance`, `final.integrity`, `final.health`, `final.end-to-end`, `final.monitoring`, `final.devices`. Each rests on what other checks have said within the
 * hour, whose results are taken from the row step by step, and on what is tried here: that both sides answer, that figures can be read and are fresh, that an alert goes out. What is missing or too old is
 * inconclusive, never a pass; nor is a comparison that was not begun from nothing in this very validation.
 */
export const createFinal = (deps: FinalDeps): Check => ({
  name: "final",
  states: STATES,
  run: (context) => run(deps, context),
});

async function run(deps: FinalDeps, { migration, memory, nowUs }: CheckContext): Promise<CheckOutcome> {
  const known = memorySchema.safeParse(memory).data;
  const taken: Taken = { ...known?.taken };
  const { checks, lastStepUs = 0 } = migration;
  for (const { name, verdict, sampleSize, explanation, coldSinceUs } of checks)
    if (!name.startsWith("final."))
      taken[name] = {
        ...{ verdict, sampleSize, explanation: explanation.slice(0, 300), atUs: lastStepUs },
        ...(coldSinceUs !== undefined && { coldSinceUs }),
      };
  const parts = Object.entries(RESTS_ON).map(([part, names]) => resting(part, names, { taken, nowUs }));
  const [health, watched] = await Promise.all([
    tryHealth(deps),
    tryMonitoring(deps.monitoring, migration, { nowUs, before: readAlertMemory(known?.alert) }),
  ]);
  const own: Readonly<Record<string, (part: CheckResult) => CheckResult>> = {
    "final.health": (part) => both(part, health),
    "final.integrity": (part) => both(part, coldRun(taken, migration)),
  };
  const results = [...parts.map((part) => own[part.name]?.(part) ?? part), watched.result];
  return { results, memory: { version: 1, taken: freshOf(taken, nowUs), alert: watched.memory satisfies AlertMemory } };
}

/** What was compared step by step may rest on sums of weeks ago: here everything was read anew, since this validation began. */
function coldRun({ consistency }: Taken, { sinceUs }: Migration): CheckResult {
  const name = "final.integrity";
  const cold = consistency?.coldSinceUs;
  if (cold === sinceUs) return passed(name, "Everything was compared from nothing, in this validation.");
  const what = cold === undefined ? "one that goes on from earlier ones" : "of an earlier final validation";
  return undecided(name, `The comparison was ${what}; wanted is one from nothing, begun in this validation.`);
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
