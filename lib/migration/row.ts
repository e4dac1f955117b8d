import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import type { Place } from "./places.ts";
import type { Plan, Trigger } from "./plan.ts";
import type { Actor, AuditEntry, CheckResult, Migration } from "./types.ts";

export interface Change extends Partial<Place> {
  readonly nowUs: Microseconds;
  readonly actor: Actor;
  readonly reason: string;
  readonly evidence?: readonly CheckResult[];
  readonly trigger?: Trigger;
  readonly isForced?: boolean;
  /** What else of the row changes. */
  readonly row?: Partial<Migration>;
}

/** One epoch and one revision on; what changes the place begins its time anew. */
export function changed(migration: Migration, change: Change): Migration {
  const { nowUs, actor, reason, evidence = [], trigger, isForced, row = {} } = change;
  const { state = migration.state, stage = migration.stage, stagePercent = migration.stagePercent } = change;
  const isMoved = state !== migration.state || stage !== migration.stage || stagePercent !== migration.stagePercent;
  const epoch = migration.epoch + 1;
  const lastChange: AuditEntry = {
    epoch,
    atUs: nowUs,
    actor,
    from: migration.state,
    to: state,
    percentFrom: migration.stagePercent,
    percentTo: stagePercent,
    reason,
    evidence,
    ...(trigger && { trigger }),
    ...(isForced === true && { isForced }),
  };
  const { goodSinceUs, pausedFrom: _, ...rest } = migration;
  return {
    ...rest,
    ...(!isMoved && {
      ...(goodSinceUs !== undefined && { goodSinceUs }),
      ...(migration.pausedFrom && { pausedFrom: migration.pausedFrom }),
    }),
    ...row,
    state,
    stage,
    stagePercent,
    sinceUs: isMoved ? nowUs : (row.sinceUs ?? migration.sinceUs),
    epoch,
    revision: migration.revision + 1,
    lastChange,
  };
}

export interface Beginning {
  readonly homeId: string;
  readonly id: string;
  /** Of chance: who cannot be guessed beforehand. */
  readonly salt: string;
  readonly nowUs: Microseconds;
  readonly actor: Actor;
}

/** A migration as `migrate plan` leaves it: nothing runs until it is started. */
export function newMigration(plan: Plan, { homeId, id, salt, nowUs, actor }: Beginning): Migration {
  return {
    version: 1,
    id,
    homeId,
    plan,
    state: "prepared",
    stage: 0,
    stagePercent: 0,
    epoch: 1,
    revision: 1,
    createdUs: nowUs,
    sinceUs: nowUs,
    verdict: "inconclusive",
    checks: [],
    opened: [],
    readers: {},
    salt,
    lastChange: {
      epoch: 1,
      atUs: nowUs,
      actor,
      from: "prepared",
      to: "prepared",
      percentFrom: 0,
      percentTo: 0,
      reason: `Planned: from ${plan.old.kind} at ${plan.old.url}.`,
      evidence: [],
    },
  };
}

/**
 * The row, if this version knows its shape.
 * @throws HearthlineError `store_incompatible` otherwise: what another version wrote is never guessed
 */
export function knownMigration(row: unknown): Migration {
  const { version, id } = (typeof row === "object" && row !== null ? row : {}) as { version?: unknown; id?: unknown };
  if (version !== 1)
    throw new HearthlineError(
      "store_incompatible",
      `The migration "${String(id)}" was written in version ${JSON.stringify(version)}; this Hearthline knows version 1. It stays as it is, and its readers where they are, until a Hearthline that knows it runs.`,
    );
  return row as Migration;
}
