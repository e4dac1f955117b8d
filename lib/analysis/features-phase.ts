import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { addDays, homeDayOf } from "../base/zone.ts";
import type { AbilityStore, DeviceIndex } from "../devices/index.ts";
import type { EventStore } from "../store/ports.ts";
import type { Night } from "./entities/progress.ts";
import { createUses, type DayUses, FEATURES, FEATURES_VERSION, packUses, unpackUses } from "./features/uses.ts";
import { utilisationOf, windowFrom } from "./features/utilisation.ts";
import { DAY, unpackDays } from "./patterns/learned.ts";
import { createEntityNames } from "./patterns/renames.ts";
import { datesBetween, type Period, periodOf } from "./periods.ts";
import type { Phase, PhaseTime } from "./phases.ts";
import type { AggregateStore, DeviceUtilisation, UtilisationStore } from "./ports.ts";
import { endedDate, expiresMs, type Retention } from "./retention-rules.ts";

export interface FeaturesPhaseOptions {
  readonly store: Pick<EventStore, "scan" | "retention">;
  readonly aggregates: AggregateStore;
  readonly index: Pick<DeviceIndex, "list" | "history">;
  readonly abilities: Pick<AbilityStore, "get">;
  readonly utilisation: UtilisationStore;
  readonly retention: Retention;
  readonly analysisTime: string;
  readonly clock: Pick<Clock, "nowMs">;
  readonly budgetMs?: number;
}

const FAR_FUTURE = "9999-12-31";
/** For judging and writing. */
const RESERVE_MS = 20_000;
/** Then others get the thread. */
const EVENTS_A_TURN = 1_000;

/**
 * What is used of what the devices can do. Each day is read once, into an aggregate of the kind `features`, along with the detectors where they do (`featuresReader`); the last
 * 30 of them say what was used. Days that are missing all the same, or have got events since, are read here while their raw events exist.
 */
export function featuresPhase(options: FeaturesPhaseOptions): Phase {
  const { budgetMs, analysisTime, clock } = options;
  return {
    name: "features",
    ...(budgetMs !== undefined && { budgetMs }),
    isUnfinished: ({ days_left = 0 }) => days_left > 0,
    async run({ homeId, date }, timeZone, time) {
      const lastEnded = addDays(homeDayOf(clock.nowMs() * 1000, analysisTime, timeZone), -1);
      const night: Night = { homeId, date: endedDate(date, lastEnded), calendar: { timeZone, analysisTime } };
      const { counts, kept } = await readDays(night, options, time);
      return { ...counts, ...(await judge(night, kept, options)) };
    },
  };
}

/** Rows of the kind, by date, of the window that ends with the date. */
async function keptDays(
  { homeId, date }: Pick<Night, "homeId" | "date">,
  aggregates: AggregateStore,
): Promise<Map<string, DayUses>> {
  const query = {
    homeId,
    layer: "daily" as const,
    kind: FEATURES,
    fromDate: windowFrom(date),
    toDate: addDays(date, 1),
  };
  const days = new Map<string, DayUses>();
  for await (const found of aggregates.range(query)) days.set(found.date, unpackUses(found));
  return days;
}

type Learned = Pick<Period, "fromUs" | "toUs"> & { readonly events: number };

/** What each day was when it was learned from: who has fewer events has not seen the late ones. */
async function learnedDays({ homeId, date }: Night, aggregates: AggregateStore): Promise<Map<string, Learned>> {
  const query = { homeId, layer: "daily" as const, kind: DAY, fromDate: windowFrom(date), toDate: addDays(date, 1) };
  const days = new Map<string, Learned>();
  for await (const found of aggregates.range(query)) {
    const { fromUs, toUs } = found;
    days.set(found.date, { fromUs, toUs, events: unpackDays(found).events });
  }
  return days;
}

async function readDays(night: Night, options: FeaturesPhaseOptions, time: PhaseTime) {
  const { store, aggregates, analysisTime, retention, clock, budgetMs = Number.POSITIVE_INFINITY } = options;
  const { homeId, date, calendar } = night;
  const reserveMs = Math.min(RESERVE_MS, budgetMs / 2);
  const [kept, learned, { oldestUs }] = await Promise.all([
    keptDays(night, aggregates),
    learnedDays(night, aggregates),
    store.retention(homeId),
  ]);
  const oldest = oldestUs === undefined ? FAR_FUTURE : homeDayOf(oldestUs, analysisTime, calendar.timeZone);
  const counts = { events: 0, days: 0, days_left: 0, rows: 0 };
  // The newest first: it is what the job is for.
  for (const day of datesBetween(windowFrom(date), addDays(date, 1)).reverse()) {
    const own = kept.get(day);
    // Of its own day the job must know that the detectors have just read it.
    const isRead = day === date ? learned.has(day) : true;
    const isDone = isRead && own?.version === FEATURES_VERSION && own.events >= (learned.get(day)?.events ?? 0);
    if (day < oldest || isDone) continue;
    if (time.remainingMs() <= reserveMs && counts.days > 0) {
      counts.days_left++;
      continue;
    }
    const span = learned.get(day) ?? periodOf("daily", day, calendar);
    const read = await readDay(homeId, span, { store, signal: time.signal });
    counts.events += read.events;
    // Fewer than it had: its raw events are being pruned.
    if (read.events === 0 || (own?.version === FEATURES_VERSION && read.events < own.events)) continue;
    counts.days++;
    counts.rows += read.rows.length;
    const rows = packUses(read);
    const ends = expiresMs("daily", span.toUs, { retention, nowMs: clock.nowMs() });
    const { fromUs, toUs } = span;
    await aggregates.put({ homeId, layer: "daily", kind: FEATURES, date: day, fromUs, toUs, rows }, ends);
    kept.set(day, read);
  }
  return { counts, kept };
}

async function readDay(
  homeId: string,
  { fromUs, toUs }: Pick<Period, "fromUs" | "toUs">,
  { store, signal }: Pick<FeaturesPhaseOptions, "store"> & { readonly signal: AbortSignal },
): Promise<DayUses> {
  const builder = createUses();
  let events = 0;
  for await (const piece of store.scan({ homeId, fromUs, toUs })) {
    signal.throwIfAborted();
    for (const event of piece) {
      builder.add(event);
      if (++events % EVENTS_A_TURN === 0) await nextTurn();
    }
  }
  return builder.finish();
}

/** Judges by the newest day that is there: a job of an older day leaves what the newest has found. */
async function judge({ homeId, date }: Night, ofNight: ReadonlyMap<string, DayUses>, options: FeaturesPhaseOptions) {
  const { aggregates, index, abilities, utilisation } = options;
  const query = { homeId, layer: "daily" as const, kind: FEATURES, fromDate: date, toDate: FAR_FUTURE };
  const newest = (await aggregates.dates(query)).at(-1) ?? date;
  const [kept, before, known, history, devices, entities, areas, capabilities] = await Promise.all([
    newest === date ? ofNight : keptDays({ homeId, date: newest }, aggregates),
    utilisation.get(homeId),
    abilities.get(homeId),
    index.history(homeId, ["entities"]),
    index.list(homeId, "devices"),
    index.list(homeId, "entities"),
    index.list(homeId, "areas"),
    index.list(homeId, "capabilities"),
  ]);
  const names = createEntityNames(history, new Set(entities.map(({ entityId }) => entityId)));
  const readable = [...kept].filter(([, { version }]) => version === FEATURES_VERSION);
  const days = new Map(
    readable.map(([day, uses]) => [
      day,
      { ...uses, rows: names.asNow(uses.rows, Date.parse(`${day}T00:00:00Z`) * 1000) },
    ]),
  );
  const found = utilisationOf({
    ...{ devices, entities, areas, capabilities, days, date: newest },
    abilities: known?.entities ?? [],
    before: before?.devices ?? [],
  });
  await utilisation.put(homeId, { date: newest, devices: found });
  return {
    days_watched: days.size,
    days_left_out: kept.size - days.size,
    devices: found.length,
    features: total(found, ({ features }) => features),
    used: total(found, ({ used }) => used),
    unused: total(found, ({ unused }) => unused.length),
  };
}

const total = (found: readonly DeviceUtilisation[], of: (one: DeviceUtilisation) => number): number =>
  found.reduce((sum, one) => sum + of(one), 0);
