import { createHash } from "node:crypto";
import { addDays } from "../../base/zone.ts";
import { byText } from "../detectors/order.ts";
import type { Finding } from "../detectors/types.ts";
import type { Pattern } from "../ports.ts";
import type { Looked } from "./look.ts";
import type { DayEvidence, PatternFacts, PatternKind, Token } from "./types.ts";

/** Nights on which somebody was at home and a pattern was not found. */
const FADING_NIGHTS = 3;
const ENDED_NIGHTS = 14;
/** For so long an anomaly is news. */
const ANOMALY_DAYS = 7;
/** So unlikely is it that a habit that goes on was missed at each of its last occasions. */
const FADING_CHANCE = 0.01;
const ENDED_CHANCE = 1e-4;
const STOPPED_DAYS = 3;
/** Patterns are kept for ever; but a home that had more anomalies than this in its life is told the newest. */
const PATTERNS_MAX = 5_000;

export interface LifeNight {
  readonly homeId: string;
  /** The day that has ended. */
  readonly date: string;
  /** The days, ascending, on which somebody was at home. */
  readonly livedInDates: readonly string[];
  /** The days of which it is known who did what. */
  readonly contextDates: ReadonlySet<string>;
  /** What each detector that could look has found; kinds that are not here stay as they are. */
  readonly looked: ReadonlyMap<PatternKind, Looked>;
  readonly isGone: (entityId: string) => boolean;
  /** The pattern as it is called now: what was renamed since that date has its new ids. */
  readonly asNow: (pattern: Pattern) => Pattern;
  readonly titleOf: (facts: PatternFacts) => string;
  /** Of the target, where the facts name none. */
  readonly areaOf: (entityId: string) => string | undefined;
}

/** What a night did, in numbers. */
export interface LifeCounts {
  told: number;
  ended: number;
}

/** The same for the same kind and key. */
export const patternIdOf = (kind: PatternKind, key: string): string =>
  `${kind}-${createHash("sha256").update(`${kind} ${key}`).digest("hex").slice(0, 16)}`;

/**
 * What a night makes of the patterns that are there. New ones are told when they held for some nights; one that is known is confirmed by being found once. What is not
 * found for a while, or has not happened at its last occasions, fades and ends; what ended may come back. The same night again changes nothing. Ordered by id.
 */
export function liveOn(
  there: readonly Pattern[],
  night: LifeNight,
): { readonly patterns: Pattern[]; readonly counts: LifeCounts } {
  const counts: LifeCounts = { told: 0, ended: 0 };
  const patterns = new Map<string, Pattern>();
  const byKey = new Map<string, Pattern>();
  for (const pattern of there.map(night.asNow).sort((a, b) => byText(a.firstSeen, b.firstSeen) || byText(a.id, b.id))) {
    // Two that have become one by a change of names: the older goes on.
    if (byKey.has(nameOf(pattern))) continue;
    byKey.set(nameOf(pattern), pattern);
    patterns.set(pattern.id, pattern);
  }
  for (const { found, holding } of night.looked.values()) {
    const toTell = new Set(holding.map(({ key }) => key));
    for (const finding of found) {
      const known = byKey.get(nameOf(finding));
      const id = known?.id ?? freeIdOf(finding, patterns);
      // A job of a later day was first: it knows more.
      if (known && known.confirmedOn > night.date) continue;
      if ((!known && !toTell.has(finding.key)) || tokensOf(finding).some(({ entityId }) => night.isGone(entityId)))
        continue;
      const next = confirmed(id, known, { finding, night });
      if (!known && next.status === "ended") continue;
      counts.told += Number(!known);
      counts.ended += Number(known !== undefined && known.status !== "ended" && next.status === "ended");
      patterns.set(id, next);
    }
  }
  for (const [id, pattern] of patterns) {
    if (pattern.confirmedOn >= night.date && !isAnyGone(pattern, night)) continue;
    const next = missed(pattern, night);
    counts.ended += Number(pattern.status !== "ended" && next.status === "ended");
    patterns.set(id, next);
  }
  return { patterns: bounded([...patterns.values()].sort((a, b) => (a.id < b.id ? -1 : 1))), counts };
}

/** Another pattern may have that id already: one of an entity that had this name before it was renamed. */
function freeIdOf({ kind, key }: Finding, patterns: ReadonlyMap<string, Pattern>): string {
  let id = patternIdOf(kind, key);
  for (let again = 2; patterns.has(id); again++) id = patternIdOf(kind, `${key} ${again}`);
  return id;
}

const nameOf = ({ kind, key }: Pick<Finding, "kind" | "key">): string => `${kind} ${key}`;

/** Every token that it speaks of. */
export const tokensOf = ({ target, trigger, steps = [] }: PatternFacts): readonly Token[] => [
  target,
  ...(trigger ? [trigger] : []),
  ...steps,
];

const isAnyGone = (pattern: Pattern, { isGone }: LifeNight): boolean =>
  tokensOf(pattern).some(({ entityId }) => isGone(entityId));

function confirmed(
  id: string,
  known: Pattern | undefined,
  { finding, night }: { readonly finding: Finding; readonly night: LifeNight },
): Pattern {
  const { homeId, date } = night;
  const hitDates = finding.days90.filter(({ hits }) => hits > 0).map((day) => day.date);
  const [first, last] = [hitDates[0] ?? date, hitDates.at(-1) ?? date];
  const areaId = finding.areaId ?? night.areaOf(finding.target.entityId);
  return {
    ...finding,
    ...(areaId !== undefined && { areaId }),
    homeId,
    id,
    status: finding.kind === "anomaly" ? "active" : statusByEvidence(finding.days90),
    firstSeen: known && known.firstSeen < first ? known.firstSeen : first,
    lastSeen: known && known.lastSeen > last ? known.lastSeen : last,
    witnessedHits: sumOf(finding.days90.filter((day) => night.contextDates.has(day.date))).hits,
    toldOn: known?.toldOn ?? date,
    confirmedOn: date,
    title: night.titleOf(finding),
  };
}

/** Whether its last occasions, several days of them, passed without it; by how it was before. */
function statusByEvidence(days: readonly DayEvidence[]): Pattern["status"] {
  const last = days.findLastIndex(({ hits }) => hits > 0);
  const before = sumOf(days.slice(0, last + 1));
  const since = days.slice(last + 1).filter(({ opportunities }) => opportunities > 0);
  if (before.opportunities === 0 || since.length < STOPPED_DAYS) return "active";
  // One hit less than it had: a share of 1 would make the first miss impossible.
  const share = Math.min(1, before.hits / (before.opportunities + 1));
  const chance = (1 - share) ** sumOf(since).opportunities;
  return chance <= ENDED_CHANCE ? "ended" : chance <= FADING_CHANCE ? "fading" : "active";
}

const sumOf = (days: readonly DayEvidence[]) => ({
  hits: days.reduce((sum, { hits }) => sum + hits, 0),
  opportunities: days.reduce((sum, { opportunities }) => sum + opportunities, 0),
});

function missed(pattern: Pattern, night: LifeNight): Pattern {
  if (isAnyGone(pattern, night)) return ended(pattern);
  if (pattern.kind === "anomaly")
    return addDays(pattern.lastSeen, ANOMALY_DAYS) < night.date ? ended(pattern) : pattern;
  if (!night.looked.has(pattern.kind) || pattern.status === "ended") return pattern;
  const nights = night.livedInDates.filter((date) => date > pattern.confirmedOn).length;
  if (nights >= ENDED_NIGHTS) return ended(pattern);
  return nights >= FADING_NIGHTS ? { ...pattern, status: "fading" } : pattern;
}

/** An anomaly that is over keeps what it was, not all the days before. */
const ended = ({ histogram, ...pattern }: Pattern): Pattern =>
  pattern.kind === "anomaly"
    ? { ...pattern, days90: pattern.days90.slice(-ANOMALY_DAYS), status: "ended" }
    : { ...pattern, ...(histogram && { histogram }), status: "ended" };

/** What ended longest ago goes first, anomalies before all. */
function bounded(patterns: Pattern[]): Pattern[] {
  if (patterns.length <= PATTERNS_MAX) return patterns;
  const rank = ({ kind, status }: Pattern): number => (status !== "ended" ? 2 : kind === "anomaly" ? 0 : 1);
  const order = patterns.toSorted((a, b) => rank(a) - rank(b) || (a.lastSeen < b.lastSeen ? -1 : 1));
  const gone = new Set(order.slice(0, patterns.length - PATTERNS_MAX).map(({ id }) => id));
  return patterns.filter(({ id }) => !gone.has(id));
}
