import { type Random, seededRandom } from "../../../lib/base/random.ts";
import { judgeKind } from "../../../lib/migration/statistics/judge-performance.ts";
import {
  type KindSummary,
  type MeasuredPair,
  NO_KIND,
  withMeasured,
  withNewStage,
} from "../../../lib/migration/statistics/performance.ts";

/** What a simulated pair of systems is like. Logarithms of times are normal, sigma .5, of a pair correlated by .5, unless said otherwise. */
export interface World {
  /** NEW's usual time over OLD's. */
  readonly ratio?: number;
  /** Of the median, milliseconds. */
  readonly oldMs?: number;
  /** Of what is shared by neighbours of one side: each time remembers so much of the one before it. */
  readonly memory?: number;
  /** Sigma of a luck that NEW's times of one step share. */
  readonly stepSigma?: number;
  /** NEW's first so many pairs take so many times as long. */
  readonly bump?: { readonly pairs: number; readonly times: number };
  /** Of each step's first pair of NEW: a cold start, times as long. */
  readonly coldTimes?: number;
  /** From this stage on the ratio holds; before it, the systems are equal. */
  readonly fromStage?: number;
  /** One pair of NEW in so many takes so many times as long: a slow end under an equal middle. */
  readonly outliers?: { readonly share: number; readonly times: number };
}

export interface Course {
  readonly ended: "passed" | "rolled back" | "held";
  readonly isAlerted: boolean;
  /** Of the rarest kind. */
  readonly pairs: number;
  readonly steps: number;
  readonly stage: number;
}

export interface Way {
  /** SHADOW, the six of RAMP, STABILISE, FINAL_VALIDATION. */
  readonly stages?: number;
  /** Of each kind, or of one after the other. */
  readonly pairsPerStep?: number | readonly number[];
  readonly kinds?: number;
  /** Then a person would look. */
  readonly stepsMax?: number;
  readonly stepsMin?: number;
}

const LIMITS = { alertPercent: 10, rollbackPercent: 20, alpha: 0.05 };
const STEP_US = 300_000_000;

/** Two independent normal numbers (Box and Muller). */
function normals(random: Random): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  const angle = 2 * Math.PI * random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The pairs of one system, without end. */
function source(world: World, random: Random) {
  const { ratio = 1, oldMs = 60, memory = 0, stepSigma = 0, bump, coldTimes = 1, fromStage = 0, outliers } = world;
  const fresh = Math.sqrt(1 - memory * memory);
  let [a, b] = normals(random);
  let made = 0;
  return (atUs: number, count: number, stage: number): MeasuredPair[] => {
    const shared = stepSigma === 0 ? 0 : stepSigma * normals(random)[0];
    return Array.from({ length: count }, (_, i) => {
      const [x, y] = normals(random);
      a = memory * a + fresh * x;
      b = memory * b + fresh * y;
      let times = stage >= fromStage ? ratio : 1;
      if (bump && made < bump.pairs) times *= bump.times;
      if (i === 0) times *= coldTimes;
      if (outliers && random() < outliers.share) times *= outliers.times;
      made++;
      const own = 0.5 * a + Math.sqrt(0.75) * b;
      return {
        atUs: atUs + i * 100_000,
        oldMs: oldMs * Math.exp(0.5 * a),
        newMs: oldMs * times * Math.exp(0.5 * own + shared),
      };
    });
  };
}

/** One migration, looked at in every step: on when every kind passes, back when one says so. */
export function migrate(seed: number, world: World, way: Way = {}): Course {
  const { stages = 9, pairsPerStep = 17, kinds = 1, stepsMax = 1_500, stepsMin = 2 } = way;
  const random = seededRandom(seed);
  const sources = Array.from({ length: kinds }, () => source(world, random));
  let summaries: KindSummary[] = sources.map(() => NO_KIND);
  const pairsOf = (kind: number) => (typeof pairsPerStep === "number" ? pairsPerStep : (pairsPerStep[kind] ?? 0));
  const rarest = Math.min(...sources.map((_, kind) => pairsOf(kind)));
  let [stage, sinceUs, stepsHere, pairs] = [0, 0, 0, 0];
  let isAlerted = false;
  for (let step = 1; step <= stepsMax; step++) {
    const atUs = step * STEP_US;
    pairs += rarest;
    stepsHere++;
    summaries = summaries.map((summary, i) =>
      withMeasured(summary, sources[i]?.(atUs, pairsOf(i), stage) ?? [], { sinceUs, floorMs: 5 }),
    );
    const judged = summaries.flatMap((summary) => Object.values(judgeKind(summary, { ...LIMITS, kinds })));
    if (judged.some((one) => one.isAlert)) isAlerted = true;
    const course = { isAlerted, pairs, steps: step, stage };
    if (judged.some((one) => one.verdict === "fail" && one.isRollback)) return { ...course, ended: "rolled back" };
    if (stepsHere >= stepsMin && judged.every((one) => one.verdict === "pass")) {
      stage++;
      if (stage === stages) return { ...course, ended: "passed" };
      summaries = summaries.map(withNewStage);
      sinceUs = atUs + STEP_US / 2;
      stepsHere = 0;
    }
  }
  return { ended: "held", isAlerted, pairs, steps: stepsMax, stage };
}

export interface Rates {
  readonly runs: number;
  readonly passed: number;
  readonly rolledBack: number;
  readonly held: number;
  readonly alerted: number;
  /** Of those that ended: median and the 95th percentile of pairs a kind. */
  readonly pairs: readonly [number, number];
}

export function ratesOf(courses: readonly Course[]): Rates {
  const of = (ended: Course["ended"]) => courses.filter((course) => course.ended === ended).length;
  const pairs = courses.map((course) => course.pairs).sort((a, b) => a - b);
  const at = (share: number) => pairs[Math.floor(share * (pairs.length - 1))] ?? 0;
  return {
    runs: courses.length,
    passed: of("passed"),
    rolledBack: of("rolled back"),
    held: of("held"),
    alerted: courses.filter((course) => course.isAlerted).length,
    pairs: [at(0.5), at(0.95)],
  };
}

export const simulate = (runs: number, world: World, way: Way = {}, seed = 1): Rates =>
  ratesOf(Array.from({ length: runs }, (_, i) => migrate(seed * 100_000 + i, world, way)));
