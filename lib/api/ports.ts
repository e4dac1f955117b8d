import type * as z from "zod";
import type { FieldError } from "./problem.ts";
import type { BucketRule, UnitsAsked, UnitsTaken } from "./rate-bucket.ts";
import type {
  WireDifference,
  WireMigration,
  WireMigrationChange,
  WireMigrationMetrics,
  WireMigrationReport,
  WireMigrationTuning,
} from "./wire.ts";

export { MIGRATION_STATES, MIGRATION_TRIGGERS } from "./migration-words.ts";
export type { FieldError } from "./problem.ts";
// What every rate store does alike: adapters see it through this port.
export { type Bucket, type BucketRule, takeUnits, type UnitsAsked, type UnitsTaken } from "./rate-bucket.ts";
export type {
  WireDifference,
  WireMigration,
  WireMigrationChange,
  WireMigrationMetrics,
  WireMigrationReport,
  WireMigrationTuning,
} from "./wire.ts";

/** What a token may do: `read` and `write` one home's data; `admin` all of it. */
export const SCOPES = ["read", "write", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A bearer token as it is kept: never the token itself, only the SHA-256 of it. */
export interface Token {
  readonly id: string;
  readonly homeId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the token's text, hex. */
  readonly hash: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

/** @throws fate-`retry` service errors, from every method: safe to repeat */
export interface TokenStore {
  /** Strongly consistent. One that has expired is found for another EXPIRED_TOKEN_KEPT_DAYS: who asks compares `expiresAt` with the time. undefined: there is none. */
  findByHash(hash: string): Promise<Token | undefined>;
  /** Oldest first, those that have expired lately too. */
  list(homeId: string): Promise<readonly Token[]>;
  /** It works from the moment this resolves. */
  add(token: Token): Promise<void>;
  /** False when there was none. From the moment this resolves it is not found any more: nobody holds a token beyond one request. */
  revoke(homeId: string, id: string): Promise<boolean>;
}

/** How long an expired token is still known, so that it can be said why it is refused. */
export const EXPIRED_TOKEN_KEPT_DAYS = 30;

/** The buckets of the tokens, shared by all instances. */
export interface RateStore {
  /** Takes from the token's bucket (`takeUnits`), as one step among any number of takers. @throws `conflict` and fate-`retry` service errors: nothing or `wanted` was taken */
  take(
    homeId: string,
    tokenId: string,
    asked: UnitsAsked & BucketRule & { readonly nowMs: number },
  ): Promise<Pick<UnitsTaken, "granted" | "waitMs">>;
}

/** How full a queue is, as health and metrics show it. The age of its oldest message SQS tells CloudWatch alone: an alarm watches that (serverless/alarms.cjs). */
export interface QueueDepth {
  readonly name: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
}

/** Looks at the queues without touching them. */
export interface QueueMonitor {
  /** Every queue, in a fixed order. @throws fate-`retry` service errors */
  depths(): Promise<readonly QueueDepth[]>;
}

/** Since when a part is in its state, kept so that it outlives a function. */
export interface HealthMemory {
  /** Notes the state seen now; gives since when it has been so. @throws `conflict` and fate-`retry` service errors: safe to repeat */
  note(homeOrFleet: string, part: string, state: string, at: string): Promise<string>;
}

/** What a person may ask of a migration. `force`: over a verdict or a state that says no; it wants a reason. */
export type MigrationAsk = { readonly reason?: string | undefined } & (
  | { readonly what: "start" | "pause" | "resume" }
  | { readonly what: "advance" | "abort"; readonly force: boolean }
  | { readonly what: "rollback"; readonly at: "once" | "stepwise" }
  | { readonly what: "reader"; readonly reader: string; readonly to: "old" | "new" | "split"; readonly force: boolean }
);

/** Who changes a migration, and which state of it he saw. */
export interface MigrationFence {
  readonly homeId: string;
  readonly id: string;
  /** The name of the caller's token. */
  readonly actor: string;
  readonly epoch: number;
}

/**
 * The control plane as the routes meet it: wiring fills it, no room knows what is behind. Answers are as the routes give them; undefined: the home has no such migration.
 * Every method: @throws fate-`retry` service errors
 */
export interface Migrations {
  /** The plan as a body has it, for the document; what decides is `create`. */
  readonly planSchema: z.ZodType;
  /** `errors` names every wrong member of a plan; nothing was made then. @throws HearthlineError `migration_exists` */
  create(
    caller: Pick<MigrationFence, "homeId" | "actor">,
    plan: unknown,
  ): Promise<{ readonly migration: WireMigration } | { readonly errors: readonly FieldError[] }>;
  /** Newest first, ended ones included. */
  list(homeId: string): Promise<readonly WireMigration[]>;
  get(homeId: string, id: string): Promise<WireMigration | undefined>;
  /**
   * It is done when this resolves, and readers follow within the time that they keep the pointer.
   * @throws HearthlineError `migration_stale` (another epoch; the message says who changed what), `migration_state_wrong`, `migration_refused`, `not_found` (no such reader)
   */
  change(fence: MigrationFence, ask: MigrationAsk): Promise<WireMigration | undefined>;
  /** Ascending by epoch. */
  audit(homeId: string, id: string): Promise<readonly WireMigrationChange[] | undefined>;
  /** Ascending by time, then entity; the counts are of all, also of those that are not kept. */
  differences(
    homeId: string,
    id: string,
  ): Promise<
    | {
        readonly counts: WireMigrationMetrics["differences"];
        readonly differences: readonly WireDifference[];
      }
    | undefined
  >;
  metrics(homeId: string, id: string): Promise<WireMigrationMetrics | undefined>;
  report(homeId: string, id: string): Promise<WireMigrationReport | undefined>;
  /** What was proposed, tried, kept and rejected; empty before the first look. */
  tuning(homeId: string, id: string): Promise<WireMigrationTuning | undefined>;
}
