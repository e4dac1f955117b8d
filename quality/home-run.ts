import { createDayFacts } from "../lib/analysis/detectors/facts.ts";
import { eligible, homeDayOf } from "../lib/analysis/detectors/home-day.ts";
import type {
  DayFacts,
  Detector,
  DetectorDay,
  DetectorHistory,
  DetectorPeriod,
  Finding,
  HomeDay,
} from "../lib/analysis/detectors/types.ts";
import { lookBack } from "../lib/analysis/patterns/look.ts";
import type { Scenario } from "../local/home/scenario/types.ts";
import { type EventDay, eventDays } from "./events.ts";

/** What one night found. */
export interface Night {
  /** Days learned from, this one included. */
  readonly days: number;
  readonly date: string;
  readonly dayNumber: number;
  readonly findings: readonly Finding[];
  /** All detectors were asked. */
  readonly isWhole: boolean;
}

export interface HomeRun {
  readonly scenario: Scenario;
  readonly nights: readonly Night[];
  readonly truths: readonly EventDay["truth"][];
  /** Of the days after the last night: what really happened then (the held-out month). */
  readonly heldOut: readonly DayFacts[];
  /** Milliseconds. */
  readonly spent: {
    readonly facts: number;
    readonly aggregate: number;
    readonly find: number;
    readonly nights: number;
  };
  readonly rowBytes: number;
  /** Of each detector: its rows merged in two different ways are the same. */
  readonly mergesAgree: Readonly<Record<string, boolean>>;
}

export interface RunOptions {
  readonly detectors: readonly Detector[];
  /** Which nights are looked at: how many days were learned from by then. */
  readonly nights: readonly number[];
  /** Looked at every night from then on, by kind. */
  readonly everyNightFrom?: { readonly kinds: readonly string[]; readonly day: number };
  /** Days after the scenario's last whose facts are kept for calibration. */
  readonly heldOutDays?: number;
}

const HISTORY_DAYS = 90;
const HISTORY_WEEKS = 52;
const WEEK = 7;

function factsOf(day: EventDay, isWorkday: boolean | undefined): DayFacts {
  const builder = createDayFacts({ ...day, ...(isWorkday !== undefined && { isWorkday }) });
  for (const event of day.events) builder.add(event);
  return builder.finish();
}

/** Lets a home live day by day, as the product's nights see it: facts, aggregates, and on the nights asked for what all detectors find. */
export function runHome(scenario: Scenario, options: RunOptions): HomeRun {
  const { detectors, heldOutDays = 0 } = options;
  const rows = new Map(detectors.map((detector) => [detector.kind, new Map<string, readonly unknown[]>()]));
  const homeDays: HomeDay[] = [];
  const [nights, truths, heldOut]: [Night[], EventDay["truth"][], DayFacts[]] = [[], [], []];
  const spent = { facts: 0, aggregate: 0, find: 0, nights: 0 };
  let rowBytes = 0;
  let homeId = "";
  for (const day of eventDays({ ...scenario, days: scenario.days + heldOutDays })) {
    const started = performance.now();
    const facts = factsOf(day, homeDays.at(-1)?.isWorkdayNext);
    const read = performance.now();
    spent.facts += read - started;
    truths.push(day.truth);
    homeId = day.homeId;
    if (truths.length > scenario.days) {
      heldOut.push(facts);
      continue;
    }
    homeDays.push(homeDayOf(facts));
    for (const detector of detectors) rows.get(detector.kind)?.set(day.date, detector.aggregate(facts));
    spent.aggregate += performance.now() - read;
    if (truths.length === scenario.days)
      for (const byDate of rows.values()) rowBytes += JSON.stringify(byDate.get(day.date) ?? []).length;
    const isEvery = truths.length >= (options.everyNightFrom?.day ?? Number.POSITIVE_INFINITY);
    const isNight = options.nights.includes(truths.length);
    const asked = isNight
      ? detectors
      : detectors.filter(({ kind }) => isEvery && options.everyNightFrom?.kinds.includes(kind));
    if (asked.length === 0) continue;
    const finding = performance.now();
    const judged = eligible(homeDays.slice(-HISTORY_DAYS));
    const findings = lookBack(asked, (detector) =>
      historyOf(detector, { homeId, judged, rows: rows.get(detector.kind) ?? new Map() }),
    );
    spent.find += performance.now() - finding;
    spent.nights++;
    nights.push({ days: truths.length, date: day.date, dayNumber: day.truth.day, findings, isWhole: isNight });
  }
  const mergesAgree = Object.fromEntries(
    detectors.map((detector) => [
      detector.kind,
      isAssociative(detector, [...(rows.get(detector.kind)?.values() ?? [])]),
    ]),
  );
  return { scenario, nights, truths, heldOut, spent, rowBytes, mergesAgree };
}

interface Kept {
  readonly homeId: string;
  readonly judged: readonly HomeDay[];
  readonly rows: ReadonlyMap<string, readonly unknown[]>;
}

function historyOf(detector: Detector, { homeId, judged, rows }: Kept): DetectorHistory<unknown> {
  const days = judged.flatMap((day): DetectorDay<unknown>[] => {
    const found = rows.get(day.date);
    return found === undefined ? [] : [{ day, rows: found }];
  });
  const date = judged.at(-1)?.date ?? "";
  return { homeId, date, days, weeks: detector.needsWeeks ? weeksOf(detector, rows) : [] };
}

/** Weeks from Monday to Sunday; those that are whole. */
function weeksOf(detector: Detector, rows: Kept["rows"]): DetectorPeriod<unknown>[] {
  const byWeek = new Map<string, string[]>();
  for (const date of rows.keys()) {
    const atMs = Date.parse(`${date}T00:00:00Z`);
    const weekday = (new Date(atMs).getUTCDay() + 6) % WEEK;
    const monday = new Date(atMs - weekday * 86_400_000).toISOString().slice(0, 10);
    byWeek.set(monday, [...(byWeek.get(monday) ?? []), date]);
  }
  return [...byWeek]
    .filter(([, dates]) => dates.length === WEEK)
    .slice(-HISTORY_WEEKS)
    .map(([date, dates]) => ({
      layer: "weekly",
      date,
      dates,
      rows: detector.merge(dates.map((one) => rows.get(one) ?? [])),
    }));
}

/** Sums of sums, in another order, are the same as one sum over all days. */
function isAssociative(detector: Detector, days: readonly (readonly unknown[])[]): boolean {
  const whole = detector.merge(days);
  const backwards = [...days].reverse();
  const parts = [backwards.filter((_, index) => index % 3 === 0), backwards.filter((_, index) => index % 3 !== 0)];
  const merged = detector.merge(parts.map((part) => detector.merge(part)));
  return JSON.stringify(whole) === JSON.stringify(merged);
}
