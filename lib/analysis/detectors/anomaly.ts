import type { Histogram } from "../patterns/types.ts";
import { absent, type Odd, oddHour, oddTotal, type Scored } from "./anomaly/counts.ts";
import { held } from "./anomaly/held.ts";
import { type AnomalyRow, anomalyRows, mergeAnomalies, nameOf } from "./anomaly/rows.ts";
import { adjustFalseDiscovery } from "./statistics.ts";
import { indexed, totalOf } from "./sums.ts";
import type { Detector, DetectorHistory, Finding, HomeDay } from "./types.ts";

/** Every night brings a family of its own, so a home must wait long for the first false one. */
const MAX_Q = 0.001;
const MIN_DAYS = 14;
/** Days of which more is missing are not compared with. */
const MAX_SILENT_SECONDS = 7_200;
const MAX_UNAVAILABLE_SECONDS = 3_600;
/** Nobody reads more of them in the morning. */
const FINDINGS_MAX = 3;
/** What happens more seldom can be too much in an hour, but nothing is usual of its days. */
const MIN_COUNT = 14;
const HOURS = 24;

/**
 * What was out of the ordinary on the last day: far more or far less than on days of its kind, at an hour at which it never is, left out although it never is, left on
 * or open far longer than ever. The day itself is no part of what it is compared with. A few a night, the least likely first.
 */
export const anomaly: Detector<AnomalyRow> = {
  kind: "anomaly",
  version: 1,
  nightsToHold: 1,
  aggregate: anomalyRows,
  merge: mergeAnomalies,
  find(history: DetectorHistory<AnomalyRow>): readonly Finding[] {
    const days = indexed(history.days, nameOf);
    const last = days.at(-1);
    const before = days.slice(0, -1).filter(({ day }) => day.isEligible && day.silentSeconds < MAX_SILENT_SECONDS);
    if (!last || last.day.date !== history.date || before.length < MIN_DAYS) return [];
    const names = new Set([...before.flatMap(({ rows }) => [...rows.keys()]), ...last.rows.keys()]);
    const told: { readonly scored: Scored; readonly odd: Odd }[] = [];
    const family = { day: 0, hour: 0 };
    for (const name of [...names].sort()) {
      const row = last.rows.get(name) ?? nothingOf(before.find(({ rows }) => rows.has(name))?.rows.get(name));
      if (!row || row.s === "") continue;
      const scored: Scored = {
        row,
        day: last.day,
        before: before.map(({ day, rows }) => ({ day, row: rows.get(name) })),
      };
      const total = scored.before.reduce((sum, each) => sum + (each.row ? totalOf(each.row.h) : 0), totalOf(row.h));
      family.day += Number(total >= MIN_COUNT);
      family.hour += HOURS;
      const isWhole = isHeardWhole(last.day, last.rows.get(`${row.e}=`));
      told.push(...oddities(scored, isWhole).map((odd) => ({ scored, odd })));
    }
    const findings = (["day", "hour"] as const).flatMap((of) => {
      const own = told.filter(({ odd }) => odd.of === of && odd.finding !== "absent");
      const q = adjustFalseDiscovery(
        own.map(({ odd }) => odd.p),
        family[of],
      );
      return own.map((each, index) => ({ ...each, significance: q[index] ?? 1 }));
    });
    const significant = findings.filter(({ significance }) => significance <= MAX_Q);
    const left = told.filter(({ odd }) => odd.finding === "absent");
    const all = [...significant, ...left.map((each) => ({ ...each, significance: each.odd.p }))];
    return few(all).map(({ scored, odd, significance }) => findingOf(scored, odd, significance));
  },
};

const nothingOf = (row: AnomalyRow | undefined): AnomalyRow | undefined => row && { ...row, h: [], l: [], x: [] };

/** Only then that something is missing means that it did not happen. */
const isHeardWhole = (day: HomeDay, entity: AnomalyRow | undefined): boolean =>
  day.isEligible && day.silentSeconds < MAX_SILENT_SECONDS && (entity?.u ?? 0) < MAX_UNAVAILABLE_SECONDS;

function oddities(scored: Scored, isWhole: boolean): Odd[] {
  const total = oddTotal(scored);
  const found = [total ?? oddHour(scored), held(scored), isWhole && !total ? absent(scored) : undefined].filter(
    (odd) => odd !== undefined,
  );
  return found.filter(({ finding }) => isWhole || finding === "too-much" || finding === "held");
}

interface Told {
  readonly scored: Scored;
  readonly odd: Odd;
  readonly significance: number;
}

/** One of an entity, and a few in all. */
function few(all: readonly Told[]): Told[] {
  const order = all.toSorted(
    (a, b) =>
      a.significance - b.significance ||
      b.odd.times - a.odd.times ||
      (nameOf(a.scored.row) < nameOf(b.scored.row) ? -1 : 1),
  );
  const seen = new Set<string>();
  const first = order.filter(({ scored: { row } }) => !seen.has(row.e) && seen.add(row.e));
  return first.slice(0, FINDINGS_MAX);
}

function findingOf({ row, day, before }: Scored, odd: Odd, significance: number): Finding {
  const { date } = day;
  const { finding, details } = odd;
  return {
    kind: "anomaly",
    key: `${date} ${finding} ${nameOf(row)}`,
    target: { entityId: row.e, state: row.s },
    ...(typeof details.at === "string" && { at: details.at }),
    hits: 1,
    opportunities: 1,
    // There is only one such day: what is reliable is that it was out of the ordinary.
    reliability: Math.max(0, 1 - significance),
    significance,
    automated: false,
    days90: [
      ...before.map((each) => ({ date: each.day.date, hits: 0, opportunities: 1 })),
      { date, hits: 1, opportunities: 1 },
    ],
    histogram: histogramOf([...before.map((each) => (each.row ? totalOf(each.row.h) : 0)), totalOf(row.h)]),
    details: { finding, date, ...details },
  };
}

/** How many days had so many, the day itself included. */
function histogramOf(counts: readonly number[]): Histogram {
  const BINS = 20;
  const width = Math.max(1, Math.ceil((Math.max(0, ...counts) + 1) / BINS));
  const bins = new Array<number>(Math.floor(Math.max(0, ...counts) / width) + 1).fill(0);
  for (const count of counts) bins[Math.floor(count / width)] = (bins[Math.floor(count / width)] ?? 0) + 1;
  return { unit: "count", edges: Array.from({ length: bins.length + 1 }, (_, bin) => bin * width), counts: bins };
}
