import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { isHearthlineError, messageOf } from "../../base/errors.ts";
import { addDays } from "../../base/zone.ts";
import type { EventStore } from "../../store/ports.ts";
import { createDayFacts } from "../detectors/facts.ts";
import { homeDayOf } from "../detectors/home-day.ts";
import type { DayFacts, Detector } from "../detectors/types.ts";
import type { Night } from "../entities/progress.ts";
import { type Period, periodOf } from "../periods.ts";
import type { AggregateStore } from "../ports.ts";
import { expiresMs, type Retention } from "../retention-rules.ts";
import { beginReaders, type DayReader } from "./day-readers.ts";
import { DAY, type LearnedDays, packDays, packLearned, unpackDays, versionsOf } from "./learned.ts";

export interface LearnDayOptions {
  readonly store: Pick<EventStore, "scan">;
  readonly aggregates: AggregateStore;
  readonly detectors: readonly Detector[];
  readonly readers?: readonly DayReader[];
  readonly retention: Retention;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What came of a day. */
export interface DayLearned {
  readonly events: number;
  /** False: it has no events, or fewer than it was learned from before, so nothing was written. */
  readonly isKept: boolean;
  readonly rowsByKind: Readonly<Record<string, number>>;
  /** By kind: why a detector could not learn from it. */
  readonly errors: Readonly<Record<string, string>>;
}

/** Then others get the thread. */
const EVENTS_A_TURN = 1_000;

/** What is kept of a day; undefined: nobody has learned from it. */
export async function learnedDay(
  aggregates: AggregateStore,
  homeId: string,
  date: string,
): Promise<(LearnedDays & Pick<Period, "fromUs" | "toUs">) | undefined> {
  const query = { homeId, layer: "daily" as const, kind: DAY, fromDate: date, toDate: addDays(date, 1) };
  for await (const found of aggregates.range(query))
    return { ...unpackDays(found), fromUs: found.fromUs, toUs: found.toUs };
  return undefined;
}

/**
 * Reads one day's raw events once, has every detector learn from it, and keeps their rows; what says that it is done comes last. Again leaves the same.
 * A day that has fewer events than it had is being pruned: then it stays as it was learned.
 */
export async function learnDay(night: Night, date: string, options: LearnDayOptions): Promise<DayLearned> {
  const { aggregates, detectors, retention, clock } = options;
  const { homeId } = night;
  const [before, own, after] = await Promise.all(
    [-1, 0, 1].map((days) => learnedDay(aggregates, homeId, addDays(date, days))),
  );
  const period = spanOf(periodOf("daily", date, night.calendar), { before, own, after });
  const isWorkday = before?.day?.isWorkdayNext;
  // Where the home has moved since, the day's clock was another one.
  const timeZone = own?.timeZone ?? night.calendar.timeZone;
  const day = { ...period, timeZone, ...(isWorkday !== undefined && { isWorkday }) };
  const { facts, events, beside } = await readDay(homeId, day, options);
  if (events === 0 || events < (own?.events ?? 0)) return { events, isKept: false, rowsByKind: {}, errors: {} };
  const ends = expiresMs("daily", period.toUs, { retention, nowMs: clock.nowMs() });
  const at = { homeId, layer: "daily" as const, date, fromUs: period.fromUs, toUs: period.toUs };
  const rowsByKind: Record<string, number> = {};
  const errors: Record<string, string> = {};
  for (const detector of detectors) {
    const { kind, version } = detector;
    try {
      const rows = detector.aggregate(facts);
      await aggregates.put({ ...at, kind, rows: packLearned({ version, dates: [date], rows }) }, ends);
      rowsByKind[kind] = rows.length;
    } catch (thrown) {
      errors[kind] = errorOf(thrown);
    }
    await nextTurn();
  }
  for (const [kind, rows] of beside) await aggregates.put({ ...at, kind, rows }, ends);
  const versions = versionsOf(detectors.filter(({ kind }) => errors[kind] === undefined));
  const rows = packDays({ versions, dates: [date], events, day: homeDayOf(facts), timeZone });
  await aggregates.put({ ...at, kind: DAY, rows }, ends);
  return { events, isKept: true, rowsByKind, errors };
}

/** Why a detector failed. That a store was away is nobody's failure: it is thrown on, so that the whole is tried again. */
export function errorOf(thrown: unknown): string {
  if (isHearthlineError(thrown) && thrown.fate === "retry") throw thrown;
  return messageOf(thrown);
}

type Span = Pick<Period, "fromUs" | "toUs"> | undefined;

/** A day once learned keeps its span; another begins where the one before it ends: a home may have moved to another time zone. */
function spanOf(
  period: Period,
  { before, own, after }: { readonly before: Span; readonly own: Span; readonly after: Span },
): Period {
  if (own) return { ...period, fromUs: own.fromUs, toUs: own.toUs };
  const fromUs = before?.toUs ?? period.fromUs;
  return { ...period, fromUs, toUs: Math.max(fromUs, after?.fromUs ?? period.toUs) };
}

async function readDay(
  homeId: string,
  { date, fromUs, toUs, timeZone, isWorkday }: Period & { readonly timeZone: string; readonly isWorkday?: boolean },
  { store, readers = [] }: LearnDayOptions,
): Promise<{
  readonly facts: DayFacts;
  readonly events: number;
  readonly beside: ReturnType<ReturnType<typeof beginReaders>["finish"]>;
}> {
  const info = { homeId, date, fromUs, toUs, timeZone };
  const builder = createDayFacts({ ...info, ...(isWorkday !== undefined && { isWorkday }) });
  const beside = beginReaders(readers);
  let events = 0;
  for await (const piece of store.scan({ homeId, fromUs, toUs })) {
    for (const event of piece) {
      builder.add(event);
      beside.add(event);
      if (++events % EVENTS_A_TURN === 0) await nextTurn();
    }
  }
  return { facts: builder.finish(), events, beside: beside.finish() };
}
