import type { DayEvidence, Histogram } from "../patterns/types.ts";
import { type Change, type Counted, changeOf, LAST_DAYS, significances } from "./frequency/change.ts";
import { type Rhythm, rhythmOf } from "./frequency/rhythm.ts";
import { type FrequencyRow, frequencyRows, mergeFrequencies, nameOf } from "./frequency/rows.ts";
import { wilsonLower } from "./statistics.ts";
import { indexed } from "./sums.ts";
import type { Detector, DetectorHistory, Finding } from "./types.ts";

const MAX_Q = 0.01;
const MIN_RELIABILITY = 0.5;
/** After the change there are few days yet, and what speaks for it is the counts. */
const MIN_CHANGE_RELIABILITY = 0.4;

/**
 * How often something happens: more or less often than before (a change of habit, or a sensor that begins to fail), and machines that run so many times a day.
 * How often people switch things at their times is what other detectors tell.
 */
export const frequency: Detector<FrequencyRow> = {
  kind: "frequency",
  version: 1,
  nightsToHold: 3,
  aggregate: frequencyRows,
  merge: mergeFrequencies,
  find(history: DetectorHistory<FrequencyRow>): readonly Finding[] {
    const days = indexed(history.days, nameOf).filter(({ day }) => day.isEligible);
    const sums = mergeFrequencies(days.map(({ rows }) => [...rows.values()]));
    const changes: Found<Change>[] = [];
    const rhythms: Found<Rhythm>[] = [];
    for (const row of sums) {
      const counted = days.map(({ day, rows }) => ({ day, count: rows.get(nameOf(row))?.n ?? 0 }));
      const change = changeOf(counted);
      const rhythm = row.m === 1 ? rhythmOf(row, counted) : undefined;
      if (change) changes.push({ row, counted, what: change });
      else if (rhythm) rhythms.push({ row, counted, what: rhythm });
    }
    // What happens less than once in a while can show no change, whatever its days: it is none of the family.
    const family = sums.filter(({ n }) => n >= LAST_DAYS).length;
    const told = best(rhythms);
    return [...tell(changes, family, changeFinding), ...tell(told, family, rhythmFinding)].sort((a, b) =>
      a.key < b.key ? -1 : 1,
    );
  },
};

interface Found<What> {
  readonly row: FrequencyRow;
  readonly counted: readonly Counted[];
  readonly what: What;
}

const tell = <What extends { readonly p: number }>(
  found: readonly Found<What>[],
  family: number,
  toFinding: (found: Found<What>, significance: number) => Finding | undefined,
): Finding[] => {
  const q = significances(
    found.map(({ what }) => what),
    family,
  );
  return found.flatMap((one, index) => {
    const significance = q[index] ?? 1;
    return significance <= MAX_Q ? (toFinding(one, significance) ?? []) : [];
  });
};

/** Of the states of one machine the one that says that it runs, else the steadiest. */
function best(rhythms: readonly Found<Rhythm>[]): Found<Rhythm>[] {
  const RUNS = /^(run|running|on|active|cleaning|washing|working|heating|charging|printing|brewing)$/;
  return [...Map.groupBy(rhythms, ({ row }) => row.e).values()].flatMap((own) => {
    const order = own.toSorted(
      (a, b) =>
        Number(RUNS.test(b.row.s)) - Number(RUNS.test(a.row.s)) ||
        b.what.hits - a.what.hits ||
        (a.row.s < b.row.s ? -1 : 1),
    );
    return order.slice(0, 1);
  });
}

function factsOf({ row, counted }: Found<unknown>) {
  return {
    kind: "frequency" as const,
    target: { entityId: row.e, state: row.s },
    automated: row.a > row.n,
    histogram: histogramOf(counted),
  };
}

function changeFinding(found: Found<Change>, significance: number): Finding | undefined {
  const { row, counted, what } = found;
  const { before, after, since, hits, days } = what;
  const reliability = wilsonLower(hits, days);
  if (reliability < MIN_CHANGE_RELIABILITY) return undefined;
  const rounded = (value: number) => Math.round(value * 10) / 10;
  return {
    ...factsOf(found),
    key: `change ${after > before ? "more" : "less"} ${nameOf(row)}`,
    hits,
    opportunities: days,
    reliability,
    significance,
    days90: counted.map(({ day, count }) => ({
      date: day.date,
      hits: day.date >= since ? Number(after > before ? count > before : count < before) : 0,
      opportunities: Number(day.date >= since),
    })),
    details: { finding: "change", before: rounded(before), after: rounded(after), since },
  };
}

function rhythmFinding(found: Found<Rhythm>, significance: number): Finding | undefined {
  const { row, counted, what } = found;
  const reliability = wilsonLower(what.hits, counted.length);
  if (reliability < MIN_RELIABILITY) return undefined;
  const days90 = counted.map(
    ({ day, count }): DayEvidence => ({ date: day.date, hits: Number(count === what.perDay), opportunities: 1 }),
  );
  const { hits, perDay, at, spreadMinutes } = what;
  return {
    ...factsOf(found),
    key: `rhythm ${nameOf(row)}`,
    ...(at !== undefined && { at }),
    ...(spreadMinutes !== undefined && { spreadMinutes }),
    hits,
    opportunities: counted.length,
    reliability,
    significance,
    days90,
    details: { finding: "rhythm", perDay },
  };
}

/** How many days had so many. */
function histogramOf(counted: readonly Counted[]): Histogram {
  const BINS_MAX = 40;
  const most = Math.max(0, ...counted.map(({ count }) => count));
  const width = Math.max(1, Math.ceil((most + 1) / BINS_MAX));
  const counts = new Array<number>(Math.floor(most / width) + 1).fill(0);
  for (const { count } of counted) counts[Math.floor(count / width)] = (counts[Math.floor(count / width)] ?? 0) + 1;
  return { unit: "count", edges: Array.from({ length: counts.length + 1 }, (_, bin) => bin * width), counts };
}
