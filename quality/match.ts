import type { Finding } from "../lib/analysis/detectors/types.ts";
import { minutesOf, plannedMinute } from "../local/home/generate/occurrence.ts";
import type { PlantedRoutine } from "../local/home/planted/routine.ts";

/** A finding is the planted routine when it says the same: */
export interface Match {
  readonly plant: PlantedRoutine;
  readonly finding: Finding;
  /** Of what has a time: how far the finding's is from the planted one. */
  readonly errorMinutes?: number;
}

/** As far a found time may be from the planted one. */
export const TIME_TOLERANCE_MINUTES = 15;
const DAY_MINUTES = 1440;

interface Named {
  readonly entityId: string;
  readonly state: string;
}
const isToken = (found: Named | undefined, planted: { entity_id: string; state: string } | undefined): boolean =>
  found !== undefined && found.entityId === planted?.entity_id && found.state === planted.state;

export const apartMinutes = (a: number, b: number): number => {
  const apart = (((a - b) % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  return Math.min(apart, DAY_MINUTES - apart);
};

/** Of a time that moves, any that it had on these days is right. */
export interface DaySpan {
  readonly from: number;
  readonly to: number;
}

function clockError(finding: Finding, plant: PlantedRoutine, days: DaySpan): number | undefined {
  const anchor = plant.anchor ?? "clock";
  if ((finding.anchor ?? "clock") !== anchor) return undefined;
  if (anchor !== "clock")
    return finding.offsetMinutes === undefined
      ? undefined
      : Math.abs(finding.offsetMinutes - (plant.offset_minutes ?? 0));
  if (finding.at === undefined) return undefined;
  const at = minutesOf(finding.at);
  let least = Number.POSITIVE_INFINITY;
  for (let day = days.from; day <= days.to; day++) {
    const planned = plannedMinute(plant, day, { rising: 0, setting: 0, noon: 0 });
    if (planned !== undefined) least = Math.min(least, apartMinutes(at, planned));
  }
  return least;
}

function holdsInOrder(finding: Finding, plant: PlantedRoutine): boolean {
  const steps = plant.steps ?? [];
  let next = 0;
  for (const step of finding.steps ?? []) if (isToken(step, steps[next])) next++;
  return next === steps.length;
}

const holdsAll = (finding: Finding, plant: PlantedRoutine): boolean =>
  (plant.steps ?? []).every((step) => finding.steps?.some((found) => isToken(found, step)));

/**
 * - `time-of-day`, `seasonal`: same token, same anchor, at most 15 minutes apart.
 * - `co-occurrence`: same trigger, same target. `sequence`: all planted steps in order, `room`: all members.
 * - `duration`, `day-type`, `frequency`, `anomaly`: same entity (which of its states is said is a matter of taste); an anomaly on its day.
 */
export function matchOf(finding: Finding, plant: PlantedRoutine, days: DaySpan): Match | undefined {
  if (finding.kind !== plant.kind) return undefined;
  const match: Match = { plant, finding };
  const isEntity = finding.target.entityId === plant.target.entity_id;
  switch (plant.kind) {
    case "time-of-day": {
      if (!isToken(finding.target, plant.target)) return undefined;
      const errorMinutes = clockError(finding, plant, days);
      return errorMinutes !== undefined && errorMinutes <= TIME_TOLERANCE_MINUTES
        ? { ...match, errorMinutes }
        : undefined;
    }
    case "seasonal":
      return isToken(finding.target, plant.target) ? match : undefined;
    case "co-occurrence":
      return isToken(finding.target, plant.target) && isToken(finding.trigger, plant.trigger) ? match : undefined;
    case "sequence":
      return holdsInOrder(finding, plant) ? match : undefined;
    case "room":
      return holdsAll(finding, plant) ? match : undefined;
    case "anomaly":
      return isEntity && plant.odd_days?.some(({ day }) => day === days.to) ? match : undefined;
    default:
      return isEntity ? match : undefined;
  }
}

/** One finding for one plant, the nearest first. */
export function matchAll(
  findings: readonly Finding[],
  plants: readonly PlantedRoutine[],
  days: DaySpan,
): { readonly matches: readonly Match[]; readonly duplicates: readonly Finding[]; readonly rest: readonly Finding[] } {
  const possible = findings
    .flatMap((finding) => plants.flatMap((plant) => matchOf(finding, plant, days) ?? []))
    .sort((a, b) => (a.errorMinutes ?? 0) - (b.errorMinutes ?? 0));
  const matches: Match[] = [];
  for (const match of possible)
    if (!matches.some(({ plant, finding }) => plant === match.plant || finding === match.finding)) matches.push(match);
  const taken = new Set(matches.map(({ finding }) => finding));
  const left = findings.filter((finding) => !taken.has(finding));
  const duplicates = left.filter((finding) => possible.some((match) => match.finding === finding));
  return { matches, duplicates, rest: left.filter((finding) => !duplicates.includes(finding)) };
}
