import { seededRandom } from "../../base/random.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, MigrationStore, State } from "../ports.ts";
import { arrivalsSince, type MarkedRead } from "../statistics/arrivals.ts";
import { type Judgement, judgeKind } from "../statistics/judge-performance.ts";
import { besideText, judgementText } from "../statistics/latency-words.ts";
import { isKindSummary, type KindSummary, NO_KIND, withMeasured, withNewStage } from "../statistics/performance.ts";
import { markOf, NO_SAMPLE, type PairSample, withPairs } from "../statistics/sample.ts";
import { begunIn, type PairMemory, type PairMemoryShape } from "./pair-memory.ts";
import { failed, passed, undecided } from "./results.ts";

const NAME = "performance";
/** Where both are asked the same. */
const STATES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
/** Kinds of queries beyond these share one place; within a pair like is still compared with like. */
const KINDS_MAX = 6;
const OTHERS = "others";

interface Kind extends KindSummary {
  readonly sample: PairSample;
}

interface Memory extends PairMemory {
  readonly kinds: Readonly<Record<string, Kind>>;
}

const SHAPE: PairMemoryShape<Memory> = {
  version: 1,
  nothing: { kinds: {} },
  isCounted: ({ kinds = {} }) => Object.values(kinds).every(isKindSummary),
  withNewStage: ({ kinds }) => ({
    kinds: Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { ...kind, ...withNewStage(kind) }])),
  }),
};

/**
 * `performance.QUERY` (the usual pair) and `performance.QUERY.p95` of each kind of query, from the probes' pairs: they are asked in random order. A user's read asks the authority first, and the other finds warm caches: those
 * pairs tell of errors and equality, not of time.
 */
export const createPerformanceCheck = ({ store }: { readonly store: Pick<MigrationStore, "pairs"> }): Check => ({
  name: NAME,
  states: STATES,
  async run(context: CheckContext): Promise<CheckOutcome> {
    const { migration } = context;
    const known = begunIn(context, SHAPE);
    const { fresh, cursor } = await arrivalsSince(store, migration, known.cursor);
    const kinds = withFresh(known.kinds, fresh, context);
    const memory: Memory = { ...known, cursor, kinds };
    const names = Object.keys(kinds);
    const results = names.flatMap((name) => resultsOf(name, kinds, context));
    const nothing = undecided(NAME, "No read has been answered by both sides yet.", {
      sampleSize: 0,
      samplesWanted: 600,
    });
    return { results: names.length > 0 ? results : [nothing], memory };
  },
});

function withFresh(known: Memory["kinds"], fresh: readonly MarkedRead[], { migration }: CheckContext): Memory["kinds"] {
  const byKind = new Map<string, { atUs: number; oldMs: number; newMs: number; mark: number }[]>();
  for (const { pair, mark } of fresh) {
    const { atUs, by, query, oldMs, newMs } = pair;
    if (by !== "probe" || oldMs === undefined || newMs === undefined) continue;
    if (pair.oldError !== undefined || pair.newError !== undefined) continue;
    const taken = new Set([...Object.keys(known), ...byKind.keys()]);
    const name = taken.has(query) || taken.size < KINDS_MAX ? query : OTHERS;
    const own = byKind.get(name) ?? [];
    own.push({ atUs, oldMs, newMs, mark });
    byKind.set(name, own);
  }
  const { sinceUs, plan } = migration;
  const kinds: Record<string, Kind> = { ...known };
  for (const [name, pairs] of byKind) {
    const { sample = NO_SAMPLE, ...summary } = known[name] ?? (NO_KIND as Partial<Kind> & KindSummary);
    const measured = withMeasured(summary, pairs, { sinceUs, floorMs: plan.thresholds.floorMs });
    kinds[name] = { ...measured, sample: withPairs(sample, pairs) };
  }
  return kinds;
}

function resultsOf(name: string, kinds: Memory["kinds"], { migration }: CheckContext): readonly CheckResult[] {
  const kind = kinds[name];
  if (!kind) return [];
  const { alertPercent, rollbackPercent, alpha, floorMs } = migration.plan.thresholds;
  const judged = judgeKind(kind, { alertPercent, rollbackPercent, alpha, kinds: Object.keys(kinds).length });
  const random = seededRandom(markOf(`${migration.id} ${kind.old.count}`));
  const floor = floorMs > 0 ? ` Times below ${floorMs} ms count as ${floorMs} ms.` : "";
  const beside = `${besideText(kind, kind.sample, random)}${floor}`;
  return [
    resultOf(`${NAME}.${name}`, judged.centre, `${judgementText("The usual pair", judged.centre)} ${beside}`),
    resultOf(`${NAME}.${name}.p95`, judged.tail, judgementText("p95", judged.tail)),
  ];
}

function resultOf(name: string, judged: Judgement, explanation: string): CheckResult {
  const { verdict, isRollback, isAlert, interval, limit, pairs, pairsWanted } = judged;
  const make = { pass: passed, fail: failed, inconclusive: undecided }[verdict];
  return make(name, explanation, {
    ...{ observed: interval.estimate, low: interval.low, high: interval.high, limit },
    ...{ sampleSize: pairs, samplesWanted: pairsWanted },
    ...(isRollback && { trigger: "performance" }),
    ...(isAlert && { isAlert }),
  });
}
