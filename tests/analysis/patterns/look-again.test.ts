import { expect, it } from "vitest";
import { DETECTORS } from "../../../lib/analysis/detectors/all.ts";
import { createDayFacts } from "../../../lib/analysis/detectors/facts.ts";
import { eligible, homeDayOf } from "../../../lib/analysis/detectors/home-day.ts";
import type {
  DayFacts,
  Detector,
  DetectorHistory,
  DetectorPeriod,
  Finding,
} from "../../../lib/analysis/detectors/types.ts";
import { look } from "../../../lib/analysis/patterns/look.ts";
import { type RecipeName, scenarioOf } from "../../../local/home/scenario/recipes.ts";
import { eventDays } from "../../../quality/events.ts";

/** What the looks of a night do, each from the beginning: nothing is shared, not even the rows. */
function lookPlainly(detector: Detector, history: DetectorHistory<unknown>) {
  const find = (cut: number): readonly Finding[] => {
    const date = history.days.at(-1 - cut)?.day.date;
    if (date === undefined) return [];
    const { whole: _, ...cutHistory } = {
      ...history,
      date,
      days: history.days.filter(({ day }) => day.date <= date),
      weeks: history.weeks.filter(({ dates }) => dates.every((one) => one <= date)),
    };
    return detector.find(structuredClone(cutHistory));
  };
  const found = find(0);
  const nights = Array.from({ length: detector.nightsToHold - 1 }, (_, cut) => find(cut + 1).map(({ key }) => key));
  return { found, holding: found.filter(({ key }) => nights.every((keys) => keys.includes(key))) };
}

function factsOf(name: RecipeName, seed: number, days: number): DayFacts[] {
  return [...eventDays(scenarioOf(name, seed, days))].map((day) => {
    const builder = createDayFacts(day);
    for (const event of day.events) builder.add(event);
    return builder.finish();
  });
}

function historyOf(detector: Detector, facts: readonly DayFacts[]): DetectorHistory<unknown> {
  const homeDays = eligible(facts.map(homeDayOf));
  const days = facts.map((each, index) => ({
    day: homeDays[index] ?? homeDayOf(each),
    rows: detector.aggregate(each),
  }));
  const weeks = Array.from({ length: Math.floor(days.length / 7) }, (_, week): DetectorPeriod<unknown> => {
    const own = days.slice(7 * week, 7 * week + 7);
    const dates = own.map(({ day }) => day.date);
    return { layer: "weekly", date: dates[0] ?? "", dates, rows: detector.merge(own.map(({ rows }) => rows)) };
  });
  return { homeId: "home", date: days.at(-1)?.day.date ?? "", days, weeks };
}

const HOMES: readonly (readonly [RecipeName, number, number])[] = [
  ["pairs", 1, 24],
  ["clock", 2, 45],
  ["chains", 3, 26],
  ["rooms", 4, 26],
  ["residents", 5, 30],
];

it.each(HOMES)(
  "a night's looks that share their work find what separate ones find: %s",
  (name, seed, days) => {
    const facts = factsOf(name, seed, days);
    for (const detector of DETECTORS) {
      const history = historyOf(detector, facts);
      const plain = lookPlainly(detector, history);
      expect(look(detector, history), detector.kind).toEqual(plain);
      // A longer history that is cut by more days than a night looks back, with all that was worked out of the whole.
      const date = history.days.at(-6)?.day.date ?? "";
      const cut = { ...history, date, days: history.days.slice(0, -5), weeks: [] };
      detector.find(history);
      expect(detector.find({ ...cut, whole: history }), detector.kind).toEqual(detector.find(structuredClone(cut)));
    }
  },
  60_000,
);
