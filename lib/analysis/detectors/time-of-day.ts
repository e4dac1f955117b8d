import { clockTextOf, medianNear, wrapped } from "./circle.ts";
import { adjustFalseDiscovery } from "./statistics.ts";
import { shiftOf } from "./time-of-day/anchor.ts";
import { keysOf } from "./time-of-day/keys.ts";
import { MIN_CONTRAST, type Routine } from "./time-of-day/refine.ts";
import { mergeRows, rowsOf, type TimeRow } from "./time-of-day/rows.ts";
import { isDoneByAutomation, search } from "./time-of-day/search.ts";
import { type TimeHistory, timeHistoryOf } from "./time-of-day/series.ts";
import type { Detector, DetectorHistory, Finding } from "./types.ts";

/**
 * So strict that it need not hold on the night before, too: on the seeds that this was chosen on, one night at 0.001 told fewer false times in two weeks of nights than two nights
 * at 0.005 did, and more true ones; what comes once a week is not put off by a week.
 */
const MAX_Q = 0.001;
const MIN_RELIABILITY = 0.45;
const MIN_SHARE = 0.65;
const MIN_HITS = 4;
/** Beyond that nobody would call it a time. */
const MAX_SPREAD_MINUTES = 55;

const HISTOGRAM_MINUTES = 15;
const DAY_MINUTES = 1440;

/**
 * What happens at a time of day, on all days or on some of the week: "the coffee machine is switched on around 07:02 on workdays". The time is one of the clock,
 * or goes with sunrise or sunset. Every window of every length on every set of days is looked at, so all of them count against chance.
 */
export const timeOfDay: Detector<TimeRow> = {
  kind: "time-of-day",
  version: 1,
  nightsToHold: 1,
  aggregate: rowsOf,
  merge: mergeRows,
  find(given: DetectorHistory<TimeRow>): readonly Finding[] {
    const history = timeHistoryOf(given);
    const { routines, hypotheses } = search(history);
    const q = adjustFalseDiscovery(
      routines.map(({ candidate }) => candidate.p),
      hypotheses,
    );
    const told = routines
      .map((routine, index) => ({ routine, significance: q[index] ?? 1 }))
      .filter(
        ({ routine, significance }) =>
          significance <= MAX_Q &&
          routine.reliability >= MIN_RELIABILITY &&
          routine.hits >= Math.max(MIN_HITS, MIN_SHARE * routine.evidence.length) &&
          routine.contrast >= MIN_CONTRAST &&
          routine.spread <= MAX_SPREAD_MINUTES,
      );
    const keys = keysOf(
      told.map(({ routine }) => routine),
      (routine) => clockOf(routine, history),
    );
    return told
      .map(({ routine, significance }, index) => ({
        key: keys[index] ?? "",
        ...factsOf(routine, history),
        significance,
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  },
};

/** The time that the clock shows: of one that goes with the sun, in the middle of its last two weeks. */
function clockOf({ anchor, at, evidence }: Routine, { days }: TimeHistory): number {
  const shifts = evidence.slice(-14).flatMap(({ day }) => {
    const each = days[day];
    return (each && shiftOf(anchor, each)) ?? [];
  });
  return wrapped(at + (anchor === "clock" ? 0 : medianNear(shifts, shifts[0] ?? 0)));
}

function factsOf(routine: Routine, history: TimeHistory): Omit<Finding, "key" | "significance"> {
  const { series, candidate, anchor, at, evidence } = routine;
  const days90 = evidence.map(({ day, isHit }) => ({
    date: history.days[day]?.date ?? "",
    hits: Number(isHit),
    opportunities: 1,
  }));
  const driftPerWeek = Math.round(routine.driftPerDay * 70) / 10;
  return {
    kind: "time-of-day",
    target: { entityId: series.entityId, state: series.state },
    at: clockTextOf(clockOf(routine, history)),
    anchor,
    ...(anchor !== "clock" && { offsetMinutes: Math.round(at) }),
    ...(candidate.set.days && { days: candidate.set.days }),
    spreadMinutes: Math.round(routine.spread * 10) / 10,
    hits: routine.hits,
    opportunities: evidence.length,
    reliability: routine.reliability,
    automated: isDoneByAutomation(routine, history),
    days90,
    histogram: histogramOf(routine),
    details: {
      toleranceMinutes: Math.round(routine.tolerance),
      ...(driftPerWeek !== 0 && { driftMinutesPerWeek: driftPerWeek }),
    },
  };
}

function histogramOf({ series, evidence }: Routine): Finding["histogram"] & object {
  const bins = DAY_MINUTES / HISTOGRAM_MINUTES;
  const counts = new Array<number>(bins).fill(0);
  for (const { day } of evidence) {
    for (const minute of series.times[day] ?? []) {
      const bin = Math.floor(minute / HISTOGRAM_MINUTES) % bins;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
  }
  return {
    unit: "minute-of-day",
    edges: Array.from({ length: bins + 1 }, (_, bin) => bin * HISTOGRAM_MINUTES),
    counts,
  };
}
