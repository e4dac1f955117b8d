import type {
  DayFacts,
  Detector,
  DetectorHistory,
  Finding,
  HomeDay,
  Occurrence,
} from "../../lib/analysis/detectors/types.ts";
import { WEEKDAYS } from "../../lib/analysis/patterns/types.ts";

const DAY_MS = 86_400_000;
const FIRST_MS = Date.parse("2026-01-05T00:00:00Z");
const BEGINS_SECONDS = 3 * 3600;

/** A change that a test wishes: `at` in seconds after 03:00 local. */
export interface Wish extends Partial<Omit<Occurrence, "atUs" | "entityId" | "state" | "minute">> {
  readonly at: number;
  readonly entityId: string;
  readonly state: string;
}

/** Seconds after 03:00 of a wall clock. */
export const clock = (hour: number, minute = 0, second = 0): number => ((hour + 21) % 24) * 3600 + minute * 60 + second;

const SENSORS = /^(binary_sensor|sensor|person|event|button)\./;

/** Day `index` of a home in UTC, from Monday 2026-01-05 on; sunrise 08:00, sunset 17:00. Old states follow from the changes. */
export function buildFacts(index: number, wishes: readonly Wish[], more: Partial<DayFacts> = {}): DayFacts {
  const beginMs = FIRST_MS + index * DAY_MS;
  const fromUs = (beginMs + BEGINS_SECONDS * 1000) * 1000;
  const states = new Map<string, string>();
  const occurrences = [...wishes]
    .sort((a, b) => a.at - b.at)
    .map((wish, place): Occurrence => {
      const { at, entityId, state, ...rest } = wish;
      const oldState = states.get(entityId) ?? (state === "on" ? "off" : "on");
      states.set(entityId, state);
      return {
        atUs: fromUs + Math.round(at * 1e6),
        entityId,
        state,
        oldState,
        domain: entityId.slice(0, entityId.indexOf(".")),
        actor: "person",
        act: 1000 + place,
        minute: ((at + BEGINS_SECONDS) / 60) % 1440,
        role: SENSORS.test(entityId) ? "sensor" : "target",
        ...rest,
      };
    });
  return {
    homeId: "home",
    date: new Date(beginMs).toISOString().slice(0, 10),
    weekday: WEEKDAYS[index % 7] ?? "mon",
    fromUs,
    toUs: fromUs + DAY_MS * 1000,
    timeZone: "UTC",
    occurrences,
    unavailable: [],
    muted: [],
    hasContexts: true,
    sunriseMinute: 480,
    sunsetMinute: 1020,
    silent: [],
    ...more,
  };
}

/** A lived-in day of the facts. */
export const buildHomeDay = (facts: DayFacts, more: Partial<HomeDay> = {}): HomeDay => ({
  date: facts.date,
  weekday: facts.weekday,
  hours: 24,
  hasContexts: true,
  activityByHour: [],
  ...(facts.sunriseMinute !== undefined && { sunriseMinute: facts.sunriseMinute }),
  ...(facts.sunsetMinute !== undefined && { sunsetMinute: facts.sunsetMinute }),
  silentSeconds: 0,
  isEligible: true,
  ...more,
});

export function historyOf<Row>(
  detector: Detector<Row>,
  days: readonly DayFacts[],
  dayOf: (facts: DayFacts, index: number) => HomeDay = (facts) => buildHomeDay(facts),
): DetectorHistory<Row> {
  return {
    homeId: "home",
    date: days.at(-1)?.date ?? "",
    days: days.map((facts, index) => ({ day: dayOf(facts, index), rows: detector.aggregate(facts) })),
    weeks: [],
  };
}

/** What the detector finds in days that a test makes by their number. */
export const findIn = <Row>(
  detector: Detector<Row>,
  count: number,
  wishesOf: (index: number) => readonly Wish[],
  more: Partial<DayFacts> = {},
): readonly Finding[] =>
  detector.find(
    historyOf(
      detector,
      Array.from({ length: count }, (_, index) => buildFacts(index, wishesOf(index), more)),
    ),
  );
