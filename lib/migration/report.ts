import { createHash } from "node:crypto";
import type { WireMigrationReport } from "../api/ports.ts";
import { formatIsoUs, type Microseconds } from "../base/time.ts";
import { downtimeSeconds, readsOver } from "./read-figures.ts";
import {
  type AuditEntry,
  type CheckResult,
  type Difference,
  ENDED,
  type Migration,
  type ReadPair,
  type State,
  type Verdict,
} from "./types.ts";
import { wireChange, wireCheck, wireCounts, wireDifference, wirePlan } from "./wire.ts";

/** What a report is made of; everything as the store and the ledger give it. */
export interface ReportParts {
  readonly migration: Migration;
  readonly audit: readonly AuditEntry[];
  readonly differences: {
    readonly count: Readonly<Record<Difference["class"], number>>;
    readonly examples: readonly Difference[];
  };
  readonly pairs: readonly ReadPair[];
  readonly ledger: WireMigrationReport["ledger"];
  readonly nowUs: Microseconds;
}

/** Plots are read, not measured: so many points of each. */
const SPANS = 60;
/** So many differences are named one by one; the others are in `GET .../differences`. */
const EXAMPLES_MAX = 100;

/** A report before it is signed. */
export type ReportBody = Omit<WireMigrationReport, "signature">;

/** The report of a migration as it is now, with its checksum. */
export function reportOf(parts: ReportParts): ReportBody {
  const { migration, audit, differences, pairs, ledger, nowUs } = parts;
  const hasEnded = ENDED.has(migration.state);
  const endUs = hasEnded ? migration.sinceUs : nowUs;
  const { count, examples } = differences;
  const counted = examples.filter((one) => one.class !== "known-limit");
  const body = {
    id: migration.id,
    home_id: migration.homeId,
    state: migration.state,
    since: formatIsoUs(migration.sinceUs),
    stage_percent: migration.stagePercent,
    verdict: migration.verdict,
    checks: migration.checks.map(wireCheck),
    differences: {
      ...wireCounts(count),
      repaired: examples.filter(({ isRepaired }) => isRepaired).length,
      examples: counted.slice(0, EXAMPLES_MAX).map(wireDifference),
    },
    ledger,
    history: audit.map(wireChange),
    made_at: formatIsoUs(nowUs),
    created_at: formatIsoUs(migration.createdUs),
    ended_at: hasEnded ? formatIsoUs(migration.sinceUs) : null,
    plan: wirePlan(migration.plan),
    stages: stagesOf(migration, audit, endUs),
    figures: figuresOf(parts),
    reads: readsOver(pairs, { fromUs: migration.createdUs, toUs: Math.max(endUs, migration.createdUs), spans: SPANS }),
    known_limits: [
      ...Map.groupBy(
        examples.filter((one) => one.class === "known-limit"),
        (one) => one.explanation,
      ),
    ]
      .map(([explanation, all]) => ({ explanation, count: all.length }))
      .toSorted((a, b) => b.count - a.count),
  };
  return { ...body, checksum: checksumOf(body) };
}

/** SHA-256, hex, over canonical JSON: names sorted by code units, no blanks, members that are undefined left out. */
export const checksumOf = (body: object): string => createHash("sha256").update(canonicalJson(body)).digest("hex");

/** Nobody has changed a report since it was made. Who made it says its signature, which is of the checksum and no part of it. */
export function isReportWhole(report: unknown): boolean {
  if (typeof report !== "object" || report === null || !("checksum" in report)) return false;
  const { checksum, signature: _, ...body } = report as { checksum: unknown; signature?: unknown };
  try {
    return checksum === checksumOf(body);
  } catch (thrown) {
    // Nested deeper than anything that was ever made here.
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(",")}}`;
}

type Stage = WireMigrationReport["stages"][number];

/** Each state and stage with when it was and what was found when it was left. */
function stagesOf(migration: Migration, audit: readonly AuditEntry[], endUs: Microseconds): Stage[] {
  const stages: Stage[] = [];
  let [state, percent, fromUs]: [State, number, Microseconds] = ["prepared", 0, migration.createdUs];
  for (const entry of audit) {
    if (entry.from === entry.to && entry.percentFrom === entry.percentTo) continue;
    stages.push(stageOf({ state, percent, fromUs, toUs: entry.atUs, endUs, checks: entry.evidence }));
    [state, percent, fromUs] = [entry.to, entry.percentTo, entry.atUs];
  }
  stages.push({
    ...stageOf({ state, percent, fromUs, toUs: undefined, endUs, checks: migration.checks }),
    verdict: migration.verdict,
  });
  return stages;
}

interface Span {
  readonly state: State;
  readonly percent: number;
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds | undefined;
  readonly endUs: Microseconds;
  readonly checks: readonly CheckResult[];
}

const stageOf = ({ state, percent, fromUs, toUs, endUs, checks }: Span): Stage => ({
  state,
  percent,
  from: formatIsoUs(fromUs),
  to: toUs === undefined ? null : formatIsoUs(toUs),
  seconds: Math.max(0, (toUs ?? endUs) - fromUs) / 1e6,
  verdict: worstOf(checks),
  checks: checks.map(wireCheck),
});

function worstOf(checks: readonly CheckResult[]): Verdict {
  if (checks.some(({ verdict }) => verdict === "fail")) return "fail";
  return checks.length > 0 && checks.every(({ verdict }) => verdict === "pass") ? "pass" : "inconclusive";
}

/** The figures of row C13. */
function figuresOf({ migration, audit, differences, pairs }: ReportParts): WireMigrationReport["figures"] {
  const { count, examples } = differences;
  const repaired = examples.filter((one) => one.class === "missing-in-new" && one.isRepaired).length;
  const errors = pairs.filter(({ newError }) => newError !== undefined).length;
  const looked = [migration.checks, ...audit.map(({ evidence }) => evidence)].flat();
  const compared = Math.max(
    0,
    ...looked.filter(({ name }) => name === "consistency").map(({ sampleSize }) => sampleSize),
  );
  const lost = looked.filter(({ name }) => name === "loss").map(({ observed = 0 }) => observed);
  const sentAgain = examples.filter(({ isRepaired }) => isRepaired).length;
  const differing = Math.max(0, count["missing-in-new"] + count["missing-in-old"] + count.different - sentAgain);
  return {
    downtime_seconds: downtimeSeconds(pairs),
    // What the ledger says is lost is missing in NEW too: one loss, seen from two sides.
    lost_events: Math.max(0, count["missing-in-new"] - repaired, ...lost.map(Math.ceil)),
    reads: pairs.length,
    read_errors: errors,
    error_percent: pairs.length === 0 ? null : (100 * errors) / pairs.length,
    rows_compared: compared,
    consistent_percent: compared === 0 ? null : Math.max(0, 100 * (1 - differing / compared)),
  };
}
