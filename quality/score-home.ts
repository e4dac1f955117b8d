import type { Finding } from "../lib/analysis/detectors/types.ts";
import type { PatternKind } from "../lib/analysis/patterns/types.ts";
import type { PlantedRoutine } from "../local/home/planted/routine.ts";
import { heldOf, type Promised } from "./calibration.ts";
import type { HomeRun, Night } from "./home-run.ts";
import { type DayTruth, isImplied, isRightlyAutomated } from "./implied.ts";
import { type DaySpan, matchAll } from "./match.ts";
import { type Rank, rankAsProduct } from "./rank.ts";

/** What came of one planted routine. */
export interface Outcome {
  readonly plantId: string;
  readonly kind: string;
  readonly spreadMinutes?: number;
  readonly isFound: boolean;
  readonly errorMinutes?: number;
  /** Learned from so many days when it was found first, among the nights that were looked at; from its start, if it started later. */
  readonly daysToFind?: number;
  readonly isDaysRight?: boolean;
}

export interface FalseFinding {
  readonly kind: PatternKind;
  readonly key: string;
  readonly why: "false" | "duplicate";
  readonly reliability: number;
  readonly text: string;
}

export interface HomeScore {
  readonly recipe: string;
  readonly seed: number;
  readonly isNull: boolean;
  readonly outcomes: readonly Outcome[];
  readonly falses: readonly FalseFinding[];
  /** True without having been planted; by kind. */
  readonly implied: Readonly<Record<string, number>>;
  /** Routines that ended long ago and are told still. */
  readonly stale: readonly string[];
  readonly top: { readonly right: number; readonly planted: number; readonly of: number };
  /** The last night's list. */
  readonly suggested: readonly string[];
  readonly jaccards: readonly number[];
  readonly promises: readonly Promised[];
}

const TOP = 10;
/** Looked at every night; a finding of any of these nights counts. */
export const NIGHTLY_KINDS: readonly PatternKind[] = ["anomaly", "frequency"];
const isNightly = (kind: string) => NIGHTLY_KINDS.some((one) => one === kind);

function truthOf(run: HomeRun, night: Night): DayTruth {
  const truth = run.truths[night.days - 1];
  const happened = new Set(truth?.occurrences.map(({ routineId }) => routineId));
  const { hasGuests, hasOuting, isHoliday, vacation } = truth?.calendar ?? {};
  return {
    day: night.dayNumber,
    isUnusual: hasGuests === true || hasOuting === true || isHoliday === true || vacation !== "home",
    missed: new Set([...(truth?.opportunities.keys() ?? [])].filter((id) => !happened.has(id))),
  };
}

/** Of a time that moves, those of the second half are right. */
const spanOf = ({ scenario }: HomeRun, night: Night): DaySpan => ({
  from: scenario.firstDay + Math.floor(night.days / 2),
  to: night.dayNumber,
});

const textOf = (finding: Finding): string => {
  const name = (token: { entityId: string; state: string } | undefined) => token && `${token.entityId}=${token.state}`;
  const steps = finding.steps?.map(name).join(" > ");
  return [
    steps ?? [name(finding.trigger), name(finding.target)].filter(Boolean).join(" > "),
    finding.at,
    finding.anchor,
    finding.days?.join(","),
    `${finding.hits}/${finding.opportunities}`,
  ]
    .filter((part) => part !== undefined)
    .join(" ");
};

/** Judges everything that a home's nights have found. */
export function scoreHome(run: HomeRun, kinds: ReadonlySet<string>, rank: Rank = rankAsProduct): HomeScore {
  const { scenario, nights } = run;
  const lastDay = scenario.firstDay + scenario.days - 1;
  const hasAutomations = scenario.disturbances.includes("automations");
  const isOver = (plant: PlantedRoutine) => (plant.last_day ?? lastDay) < lastDay;
  const plants = scenario.plants.filter((plant) => kinds.has(plant.kind));
  const current = plants.filter((plant) => !isOver(plant));
  const found = nights.map((night) => matchAll(night.findings, plants, spanOf(run, night)));
  const last = nights.length - 1;
  const falses = new Map<string, FalseFinding>();
  const implied = new Map<string, number>();
  const right = new Set<Finding>();
  for (const [index, night] of nights.entries()) {
    const { matches, duplicates, rest } = found[index] ?? { matches: [], duplicates: [], rest: [] };
    const truth = truthOf(run, night);
    const counts = ({ kind }: Finding) => index === last || isNightly(kind);
    const add = (finding: Finding, why: FalseFinding["why"]) =>
      counts(finding) &&
      falses.set(
        isNightly(finding.kind) && finding.kind === "anomaly"
          ? `${night.date} ${finding.kind} ${finding.key}`
          : `${finding.kind} ${finding.key}`,
        {
          kind: finding.kind,
          key: finding.key,
          why,
          reliability: finding.reliability,
          text: textOf(finding),
        },
      );
    for (const { finding } of matches) right.add(finding);
    for (const finding of duplicates) {
      right.add(finding);
      add(finding, "duplicate");
    }
    for (const finding of rest) {
      if (isRightlyAutomated(finding, hasAutomations)) continue;
      if (!isImplied(finding, scenario.plants, truth)) add(finding, "false");
      else {
        right.add(finding);
        if (counts(finding)) implied.set(finding.kind, (implied.get(finding.kind) ?? 0) + 1);
      }
    }
  }
  const tops = topsOf(nights, rank);
  const planted = new Set((found[last]?.matches ?? []).map(({ finding }) => finding));
  const lastTop = tops[last] ?? [];
  return {
    recipe: scenario.name,
    seed: scenario.seed,
    isNull: scenario.plants.length === 0,
    outcomes: current.map((plant) => outcomeOf(plant, run, found)),
    falses: [...falses.values()],
    implied: Object.fromEntries(implied),
    stale: (found[last]?.matches ?? []).flatMap(({ plant }) => (isOver(plant) ? [plant.id] : [])),
    top: {
      right: lastTop.filter((finding) => right.has(finding)).length,
      planted: lastTop.filter((finding) => planted.has(finding)).length,
      of: lastTop.length,
    },
    suggested: lastTop.map((one) => `${right.has(one) ? "" : "wrong "}${one.kind} ${textOf(one)}`),
    jaccards: nights.flatMap(({ days }, index) =>
      nights[index - 1]?.days === days - 1 && isWhole(nights, index) && isWhole(nights, index - 1)
        ? (jaccard(tops[index - 1] ?? [], tops[index] ?? []) ?? [])
        : [],
    ),
    promises: (nights[last]?.findings ?? []).flatMap((finding) => heldOf(finding, run.heldOut) ?? []),
  };
}

/** The lists of all nights; each knows that of the night before, if that was looked at. */
function topsOf(nights: readonly Night[], rank: Rank): (readonly Finding[])[] {
  const tops: (readonly Finding[])[] = [];
  for (const [index, { findings, days }] of nights.entries()) {
    const isNext = nights[index - 1]?.days === days - 1 && isWhole(nights, index - 1);
    tops.push(rank(findings, isNext ? (tops[index - 1] ?? []) : []).slice(0, TOP));
  }
  return tops;
}

/** Nights on which only some kinds were looked at say nothing about the top 10. */
const isWhole = (nights: readonly Night[], index: number): boolean => nights[index]?.isWhole ?? false;

function outcomeOf(plant: PlantedRoutine, run: HomeRun, found: readonly ReturnType<typeof matchAll>[]): Outcome {
  const all = found.map(({ matches }) => matches.find((match) => match.plant === plant));
  const match = isNightly(plant.kind) ? all.find((one) => one !== undefined) : all.at(-1);
  const first = run.nights.find((_, index) => all[index] !== undefined);
  const beganOn = Math.max(plant.first_day ?? 0, plant.changes_on ?? 0, run.scenario.firstDay);
  const days = match?.finding.days?.join() ?? "";
  return {
    plantId: plant.id,
    kind: plant.kind,
    ...(plant.spread_minutes !== undefined && { spreadMinutes: plant.spread_minutes }),
    isFound: match !== undefined,
    ...(match?.errorMinutes !== undefined && { errorMinutes: match.errorMinutes }),
    ...(match && first && { daysToFind: first.dayNumber - beganOn + 1 }),
    ...(match && plant.kind === "time-of-day" && { isDaysRight: days === (plant.days?.join() ?? "") }),
  };
}

function jaccard(a: readonly Finding[], b: readonly Finding[]): number | undefined {
  const [one, other] = [a, b].map((findings) => new Set(findings.map(({ kind, key }) => `${kind} ${key}`)));
  const all = new Set([...(one ?? []), ...(other ?? [])]);
  return all.size === 0 ? undefined : [...all].filter((key) => one?.has(key) && other?.has(key)).length / all.size;
}
