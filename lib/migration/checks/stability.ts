import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldDescription, OldSystem, State } from "../ports.ts";
import { stageKeyOf } from "../statistics/arrivals.ts";
import { proportionBounds } from "../statistics/proportion.ts";
import { NO_LOOKS, type Side, type SideReading, withLook } from "../statistics/side.ts";
import { nextLookAt } from "../statistics/trend.ts";
import { failed, passed, undecided } from "./results.ts";
import { throughputResult, throughputTold } from "./throughput.ts";

/** What NEW says of itself. */
export interface Counters {
  /**
   * What it holds of memory now, and how many events of a span it has (by their own time, whole seconds); absent: it does not say. What is counted is what it can give back, so what only came to its door is none.
   * @throws whatever when it does not answer: it counts as not available
   */
  readonly new: (asked: {
    readonly homeId: string;
    readonly fromUs: Microseconds;
    readonly toUs: Microseconds;
  }) => Promise<{ readonly memoryBytes?: number; readonly eventsTaken?: number }>;
}

const NAME = "stability";
const JUDGED: State = "stabilise";
/** Both sides take events, so row B4 wants their throughput beside each other; only in `stabilise` is anything judged by it. */
const STATES: ReadonlySet<State> = new Set([
  ...(["dual_write", "backfill", "shadow", "ramp"] as const),
  ...([JUDGED, "final_validation", "rampdown"] as const),
]);
const VERSION = 1;
/** What grew by less than this in all the time that was watched has not grown. */
const GROWTH_MIN = 0.05;
/** Looks of which all must have been answered before anything is said of availability. */
const LOOKS_MIN = 3;

interface Memory {
  readonly version: typeof VERSION;
  readonly stage: string;
  readonly fromUs: number;
  readonly lastUs: number;
  /** Up to when NEW's events are counted. */
  readonly countedUs?: number;
  readonly old: Side;
  readonly new: Side;
}

/**
 * `stability.memory`, `stability.availability`, `stability.throughput`: one look at both sides in each step. Memory is judged by the slope of its lower edge; OLD's is told beside it. Outside of
 * `stabilise` only the throughput is told, and nothing judged.
 */
export const createStabilityCheck = (deps: {
  readonly old: Pick<OldSystem, "describe">;
  readonly counters: Counters;
}): Check => ({
  name: NAME,
  states: STATES,
  async run(context: CheckContext): Promise<CheckOutcome> {
    const { migration, nowUs } = context;
    const known = begun(context);
    const span = countedSpan(known, migration.plan.settleSeconds, nowUs);
    const [seenNew, seenOld] = await Promise.all([
      readingOf(async () => {
        const { memoryBytes, eventsTaken } = await deps.counters.new({ homeId: migration.homeId, ...span });
        return {
          ...(memoryBytes !== undefined && { memoryBytes }),
          ...(eventsTaken !== undefined && { taken: (known.new.taken.last ?? 0) + eventsTaken }),
        };
      }),
      readingOf(async () => readingOfOld(await deps.old.describe())),
    ]);
    const { thresholds, stabiliseSeconds } = migration.plan;
    const atSeconds = (nowUs - known.fromUs) / 1e6;
    const look = { atSeconds, stageSeconds: stabiliseSeconds, alpha: thresholds.alpha };
    // A step that is run again, or twice at once, is one look.
    const isAgain = nowUs <= known.lastUs;
    const memory: Memory = isAgain
      ? known
      : {
          ...known,
          lastUs: nowUs,
          ...(!("error" in seenNew) && { countedUs: span.toUs }),
          new: withLook(known.new, seenNew, look),
          old: withLook(known.old, seenOld, look),
        };
    if (migration.state !== JUDGED) return { memory, results: [throughputTold(memory)] };
    const { leakPercentPerHour, errorPercent, alpha } = thresholds;
    const missing = "error" in seenNew ? seenNew.error : undefined;
    return {
      memory,
      results: [
        memoryResult(memory, leakPercentPerHour),
        availabilityResult(memory, { limit: errorPercent / 100, alpha, missing }),
        throughputResult(memory),
      ],
    };
  },
});

/** Whole units, for that is how stores count. */
export const COUNT_UNIT_US = 1_000_000;
/** After a pause a step does not read days at once: the next ones go on. */
const COUNTED_MAX_US: Microseconds = 6 * 3_600 * COUNT_UNIT_US;
/** Younger than this, events may still be on their way. The first look begins there, and counts nothing. */
function countedSpan({ countedUs }: Memory, settleSeconds: number, nowUs: Microseconds) {
  const toUs = Math.floor(nowUs / COUNT_UNIT_US - settleSeconds) * COUNT_UNIT_US;
  const fromUs = countedUs ?? toUs;
  return { fromUs, toUs: Math.min(Math.max(fromUs, toUs), fromUs + COUNTED_MAX_US) };
}

const readingOfOld = ({ memoryBytes, rowsTaken }: OldDescription): SideReading => ({
  ...(memoryBytes !== undefined && { memoryBytes }),
  ...(rowsTaken !== undefined && { taken: rowsTaken }),
});

async function readingOf(ask: () => Promise<SideReading>): Promise<SideReading | { readonly error: string }> {
  try {
    return await ask();
  } catch (thrown) {
    return { error: messageOf(thrown) };
  }
}

function begun({ migration, memory, nowUs }: CheckContext): Memory {
  const stage = stageKeyOf(migration);
  const known = memory as Partial<Memory> | undefined;
  if (known?.version === VERSION && known.stage === stage) return known as Memory;
  return { version: VERSION, stage, fromUs: nowUs, lastUs: 0, old: NO_LOOKS, new: NO_LOOKS };
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e5) / 10} MB`;

/** Percent of its level an hour. */
function growthOf({ memory: { slope } }: Side): { readonly text: string; readonly perHour: number } | undefined {
  if (!slope || slope.level <= 0) return undefined;
  const perHour = tenth((100 * slope.perHour) / slope.level);
  return { perHour, text: `${perHour} percent an hour of ${megabytes(slope.level)}` };
}

function memoryResult({ old, new: own }: Memory, leakPercentPerHour: number): CheckResult {
  const name = `${NAME}.memory`;
  const { memory } = own;
  const ofOld = growthOf(old);
  const beside = ofOld ? ` OLD: ${ofOld.text}.` : "";
  if (!own.hasMemory && own.looks - own.missed >= LOOKS_MIN)
    return passed(
      name,
      `NEW does not say what memory it holds (functions hold none between calls): not judged.${beside}`,
      { sampleSize: 0 },
    );
  const growth = growthOf(own);
  const { slope } = memory;
  const wanted = Math.max(1, nextLookAt(memory) - memory.count);
  if (!growth || !slope)
    return undecided(name, `${memory.count} readings of NEW's memory; the first look is at ${nextLookAt(memory)}.`, {
      sampleSize: memory.count,
      samplesWanted: wanted,
    });
  const limit = tenth(Math.max(leakPercentPerHour, (100 * GROWTH_MIN) / slope.hours));
  const [low, high] = [slope.low, slope.high].map((bound) =>
    bound !== undefined ? tenth((100 * bound) / slope.level) : undefined,
  );
  const said = { observed: growth.perHour, low, high, limit, sampleSize: memory.count };
  const text = `NEW's memory grows by ${growth.text} (${low === undefined ? "no bounds yet" : `between ${low} and ${high}`}), over ${tenth(slope.hours)} hours; the limit is ${limit}.${beside}`;
  if (low !== undefined && low > limit) return failed(name, text, { ...said, isAlert: true });
  if (high !== undefined && high < limit) return passed(name, text, said);
  return undecided(name, text, { ...said, samplesWanted: wanted });
}

interface AvailabilityOptions {
  readonly limit: number;
  readonly alpha: number;
  /** What NEW said instead of an answer, just now. */
  readonly missing: string | undefined;
}

function availabilityResult({ old, new: own }: Memory, { limit, alpha, missing }: AvailabilityOptions): CheckResult {
  const name = `${NAME}.availability`;
  const may = Math.min(0.5, Math.max(0.001, limit));
  const { low, high } = proportionBounds({ hits: own.missed, count: own.looks }, { limit: may, alpha });
  const share = (missed: number, looks: number) => Math.round((1 - missed / Math.max(1, looks)) * 1e5) / 1e3;
  const said = {
    ...{ observed: share(own.missed, own.looks), low: share(high, 1), high: share(low, 1), limit: share(may, 1) },
    sampleSize: own.looks,
  };
  const text = `NEW answered ${own.looks - own.missed} of ${own.looks} looks (${said.observed} percent, at least ${said.low}), OLD ${old.looks - old.missed} of ${old.looks}.${missing ? ` Just now: ${missing}.` : ""}`;
  if (own.looks < LOOKS_MIN) return undecided(name, text, { ...said, samplesWanted: LOOKS_MIN - own.looks });
  if (low > may) return failed(name, text, { ...said, trigger: "part-down", isAlert: true });
  if (own.missed / own.looks <= may) return passed(name, text, said);
  // As many looks as make the misses few enough again.
  return undecided(name, text, { ...said, isAlert: true, samplesWanted: Math.ceil(own.missed / may) - own.looks });
}
