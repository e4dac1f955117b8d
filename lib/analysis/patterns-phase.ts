import { createRegistryView, type RegistryView } from "../devices/index.ts";
import type { DeviceIndex } from "../devices/ports.ts";
import type { Detector, HomeDay } from "./detectors/types.ts";
import type { Night } from "./entities/progress.ts";
import { readHistory, readHomeDays } from "./patterns/history.ts";
import { errorOf } from "./patterns/learn-day.ts";
import { DAY } from "./patterns/learned.ts";
import { createLearning, type LearningOptions, type LearningResult } from "./patterns/learning.ts";
import { type LifeCounts, liveOn } from "./patterns/life.ts";
import { type Looked, look } from "./patterns/look.ts";
import { createEntityNames, type EntityNames } from "./patterns/renames.ts";
import { type PatternNames, titleOf } from "./patterns/title.ts";
import type { PatternKind } from "./patterns/types.ts";
import type { Phase, PhaseCounts, PhaseTime } from "./phases.ts";
import type { JobKind, PatternStore } from "./ports.ts";

export interface PatternsPhaseOptions extends LearningOptions {
  readonly patterns: PatternStore;
  readonly index: Pick<DeviceIndex, "list" | "history">;
  readonly detectors: readonly Detector[];
  readonly budgetMs?: number;
}

/** For looking at the history, and for writing what came of it. */
const RESERVE_MS = 90_000;
const FAR_FUTURE = "9999-12-31";

/**
 * What is learned: from each day, once, every detector's rows (layer 2), their sums (layer 3), and of a day's job the patterns that the last 90 days show (layer 4).
 * A detector that fails takes no other with it; the phase then says which, at its end.
 */
export function patternsPhase(kind: JobKind, options: PatternsPhaseOptions): Phase {
  const { budgetMs } = options;
  const learning = createLearning(options);
  return {
    name: "patterns",
    ...(budgetMs !== undefined && { budgetMs }),
    isUnfinished: ({ days_left = 0 }) => days_left > 0,
    async run(job, timeZone, time) {
      const night = learning.nightOf(job, timeZone);
      const hasTime = () => time.remainingMs() > Math.min(RESERVE_MS, (budgetMs ?? 0) / 2) && !time.signal.aborted;
      if (kind !== "daily") return countsOf(await learning.longer(night, job, hasTime), undefined);
      const learned = await learning.daily(night, hasTime);
      // While days are missing the history would be another one than on the next call.
      if (learned.daysLeft > 0) return countsOf(learned, undefined);
      const seen = await lookAt(night, options, time);
      const errors = { ...learned.errors, ...seen.errors };
      const failed = Object.entries(errors).map(([name, error]) => `${name} (${error})`);
      if (failed.length > 0)
        throw new Error(`These detectors failed, all others are done: ${failed.join("; ")}.`.slice(0, 1_000));
      return countsOf(learned, seen);
    },
  };
}

interface Seen extends LifeCounts {
  readonly found: number;
  readonly leftOut: number;
  readonly errors: Readonly<Record<string, string>>;
}

function countsOf({ events, days, daysLeft, rowsByKind }: LearningResult, seen: Seen | undefined): PhaseCounts {
  return {
    events,
    days,
    days_left: daysLeft,
    ...(seen && { found: seen.found, told: seen.told, ended: seen.ended, rows_left_out: seen.leftOut }),
    ...Object.fromEntries(
      Object.entries(rowsByKind).map(([kind, rows]) => [`rows_${kind.replaceAll("-", "_")}`, rows]),
    ),
  };
}

/** Looks at the history up to the newest day: a job of an older day must not make patterns older than they are. */
async function lookAt(night: Night, options: PatternsPhaseOptions, { signal }: PhaseTime): Promise<Seen> {
  const { aggregates, patterns, index, detectors } = options;
  const { homeId } = night;
  const [history, entities, devices, areas] = await Promise.all([
    index.history(homeId, ["entities"]),
    index.list(homeId, "entities"),
    index.list(homeId, "devices"),
    index.list(homeId, "areas"),
  ]);
  const names = createEntityNames(history, new Set(entities.map(({ entityId }) => entityId)));
  const newest = { homeId, layer: "daily" as const, kind: DAY, fromDate: night.date, toDate: FAR_FUTURE };
  const date = (await aggregates.dates(newest)).at(-1) ?? night.date;
  const at = { aggregates, homeId, date, names };
  const days = await readHomeDays(at);
  const looked = new Map<PatternKind, Looked>();
  const errors: Record<string, string> = {};
  let leftOut = 0;
  for (const detector of detectors) {
    signal.throwIfAborted();
    try {
      const read = await readHistory(detector, days, at);
      leftOut += read.leftOut;
      looked.set(detector.kind, look(detector, read.history));
    } catch (thrown) {
      errors[detector.kind] = errorOf(thrown);
    }
  }
  const view = createRegistryView({ entities, devices, areas });
  const found = [...looked.values()].reduce((sum, one) => sum + one.found.length, 0);
  const counts = await live({ night: { ...night, date }, days, looked, names, view }, patterns);
  return { ...counts, found, leftOut, errors };
}

interface Tonight {
  readonly night: Night;
  readonly days: readonly HomeDay[];
  readonly looked: ReadonlyMap<PatternKind, Looked>;
  readonly names: EntityNames;
  readonly view: RegistryView;
}

async function live({ night, days, looked, names, view }: Tonight, patterns: PatternStore): Promise<LifeCounts> {
  const { homeId, date } = night;
  const called = patternNamesOf(view);
  let counts: LifeCounts = { told: 0, ended: 0 };
  await patterns.change(homeId, (there) => {
    const lived = liveOn(there, {
      homeId,
      date,
      looked,
      contextDates: new Set(days.filter(({ hasContexts }) => hasContexts).map((day) => day.date)),
      livedInDates: days.filter(({ isEligible }) => isEligible).map((day) => day.date),
      isGone: names.isGone,
      asNow: (pattern) => names.asNow(pattern, Date.parse(`${pattern.confirmedOn}T00:00:00Z`) * 1000),
      titleOf: (facts) => titleOf(facts, called),
      areaOf: (entityId) => view.entity(entityId)?.areaId,
    });
    counts = lived.counts;
    return lived.patterns;
  });
  return counts;
}

/** As the registry calls them; what is in none has the name that its id gives. */
export const patternNamesOf = (view: RegistryView): PatternNames => ({
  entity: (entityId) => view.entity(entityId)?.name ?? worded(entityId.slice(entityId.indexOf(".") + 1)),
  area: (areaId) => view.area(areaId)?.name ?? worded(areaId),
  deviceClass: (entityId) => view.entity(entityId)?.deviceClass,
});

const worded = (id: string): string => id.replaceAll("_", " ");
