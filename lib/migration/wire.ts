import type {
  WireDifference,
  WireMigration,
  WireMigrationChange,
  WireMigrationMetrics,
  WireMigrationReport,
} from "../api/ports.ts";
import { formatIsoUs } from "../base/time.ts";
import { situationOf } from "./explain.ts";
import { pointerOf } from "./machine.ts";
import type { AuditEntry, CheckResult, Difference, Migration } from "./types.ts";

/** The control plane's things as the API answers them: names in snake_case, times as text. */

type WireCheck = WireMigrationReport["checks"][number];

export const wireCheck = (check: CheckResult): WireCheck => ({
  name: check.name,
  verdict: check.verdict,
  observed: finite(check.observed) ?? null,
  ...(finite(check.low) !== undefined && { low: check.low }),
  ...(finite(check.high) !== undefined && { high: check.high }),
  limit: finite(check.limit) ?? null,
  sample_size: check.sampleSize,
  ...(finite(check.samplesWanted) !== undefined && { samples_wanted: Math.ceil(check.samplesWanted ?? 0) }),
  explanation: check.explanation,
  ...(check.trigger && { trigger: check.trigger }),
  ...(check.isAlert !== undefined && { is_alert: check.isAlert }),
});

/** JSON has no infinity: a bound that is none is left out. */
const finite = (value: number | undefined): number | undefined => (Number.isFinite(value) ? value : undefined);

export const wireChange = (entry: AuditEntry): WireMigrationChange => ({
  epoch: entry.epoch,
  at: formatIsoUs(entry.atUs),
  actor: entry.actor,
  from: entry.from,
  to: entry.to,
  percent_from: entry.percentFrom,
  percent_to: entry.percentTo,
  reason: entry.reason,
  ...(entry.trigger && { trigger: entry.trigger }),
  evidence: entry.evidence.map(wireCheck),
  ...(entry.isForced !== undefined && { is_forced: entry.isForced }),
});

export const wireMigration = (migration: Migration, nowUs: number): WireMigration => ({
  id: migration.id,
  home_id: migration.homeId,
  state: migration.state,
  ...(migration.pausedFrom && { paused_from: migration.pausedFrom }),
  stage_percent: migration.stagePercent,
  stages: [...migration.plan.stages],
  authority: pointerOf(migration).authority,
  epoch: migration.epoch,
  created_at: formatIsoUs(migration.createdUs),
  since: formatIsoUs(migration.sinceUs),
  ...(migration.goodSinceUs !== undefined && { good_since: formatIsoUs(migration.goodSinceUs) }),
  ...(migration.lastStepUs !== undefined && { last_step_at: formatIsoUs(migration.lastStepUs) }),
  verdict: migration.verdict,
  situation: situationOf(migration, nowUs),
  checks: migration.checks.map(wireCheck),
  opened: [...migration.opened],
  ...(migration.reason !== undefined && { reason: migration.reason }),
  ...(migration.trigger && { trigger: migration.trigger }),
  readers: { ...migration.readers },
  plan: wirePlan(migration.plan),
});

/** A member's name as the API has it. */
export const wireName = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function renamed(value: unknown, name: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [name(key), renamed(member, name)]));
}

/** A plan as a body has it; one in the code's own names comes out the same. */
export const wirePlan = (plan: object): Record<string, unknown> => renamed(plan, wireName) as Record<string, unknown>;
/** A body as the schema of plans has it. */
export const planMembers = (body: unknown): unknown => renamed(body, camel);
/** The path of a wrong member, as its writer knows it. */
export const wirePath = (path: readonly PropertyKey[]): string => path.map((part) => wireName(String(part))).join(".");

export const wireDifference = (one: Difference): WireDifference => ({
  class: one.class,
  entity_id: one.entityId,
  at: formatIsoUs(one.atUs),
  ...(one.field !== undefined && { field: one.field }),
  ...(one.old !== undefined && { old: one.old }),
  ...(one.new !== undefined && { new: one.new }),
  ...(one.lostBy !== undefined && { lost_by: one.lostBy }),
  found_at: formatIsoUs(one.foundUs),
  explanation: one.explanation,
  ...(one.isRepaired !== undefined && { is_repaired: one.isRepaired }),
});

export const wireCounts = (
  count: Readonly<Record<Difference["class"], number>>,
): Omit<WireMigrationMetrics["differences"], "open" | "repaired"> => ({
  missing_in_new: count["missing-in-new"],
  missing_in_old: count["missing-in-old"],
  different: count.different,
  late: count.late,
  known_limit: count["known-limit"],
});
