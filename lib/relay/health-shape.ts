import type { GapRecord } from "../event/index.ts";
import type { OutboxState } from "./outbox/runner.ts";

/** `degraded`: something to look at; `down`: the relay cannot do its work, or events are in danger. */
export type RelayStatus = "ok" | "degraded" | "down";

/** One thing that is not as it should be, in the words of somebody who owns a home. */
export interface Reason {
  /** Stable, for alarms. */
  readonly code: string;
  readonly severity: Exclude<RelayStatus, "ok">;
  readonly text: string;
  /** What to do about it, or that nothing needs to be done. */
  readonly advice: string;
}

/** The worst of all reasons, and the reasons, worst first. */
export interface Verdict {
  readonly status: RelayStatus;
  readonly reasons: readonly Reason[];
}

/** A gap as health shows it: what was missed, and what the recorder gave of it. */
export type Gap = Pick<GapRecord, "from" | "to" | "cause" | "entities" | "recovered" | "complete">;

/** The relay's own health, as `GET /health` of the relay answers it: bytes, seconds, counts since the start (`losses`: of the spool's life). */
export interface RelayHealth extends Verdict {
  /** When this was said. */
  readonly at: string;
  readonly started_at: string;
  readonly home_id: string;
  readonly relay_id: string;
  readonly connected: boolean;
  readonly since: string;
  readonly ha_version?: string;
  readonly ha_state?: string;
  readonly last_error?: string;
  /** Why there is no connection needs a person: the token, the address or the certificate is wrong. */
  readonly refused?: true;
  readonly spool: {
    readonly bytes: number;
    readonly records: number;
    readonly oldest_seconds: number;
    readonly max_bytes?: number;
    readonly disk_free_bytes?: number;
    readonly last_error?: string;
  };
  readonly memory: { readonly records: number; readonly bytes: number };
  readonly sinks: readonly {
    readonly name: string;
    readonly cursor: number;
    readonly lag_records: number;
    readonly breaker: string;
    readonly messages: number;
    /** Events that this sink refused and that were set aside for it, since the start. */
    readonly lost: number;
    /** Age of the oldest record that it has not taken; 0 when it has taken all. */
    readonly lag_seconds: number;
    readonly taken_at?: string;
    readonly last_error?: string;
    /** Since when it takes nothing. */
    readonly failing_since?: string;
    /** The control plane has stopped it: nothing is sent to it, nor kept for it. */
    readonly off?: true;
  }[];
  /** Times in which nothing was heard, since the start; `last` is absent while there was none. */
  readonly gaps: { readonly count: number; readonly recovered: number; readonly last?: Gap };
  readonly last_sequence: number;
  readonly admitted: number;
  readonly filtered: number;
  readonly repeated: number;
  readonly rejected: number;
  /** Attributes left out for their name (lib/relay/secrets.ts). */
  readonly stripped: number;
  /** Texts and states replaced by `[secret]`. */
  readonly redacted: number;
  /** Attributes that the owner's rules keep at home. */
  readonly excluded_attributes: number;
  readonly losses: number;
  /** When losses were last seen to grow, since the start. */
  readonly lost_at?: string;
  /** Events a second over the last minute. */
  readonly rate: number;
  /** Events a second over the last five seconds. */
  readonly rate_now: number;
  readonly process?: { readonly rss_bytes: number; readonly loop_lag_ms: number };
  /** Absent: this relay does nothing for an outbox. */
  readonly outbox?: OutboxState;
  /** Our clock minus the other's, by whose clock it is. */
  readonly clock_offsets_ms: Readonly<Record<string, number>>;
}

/** Health before it is judged. */
export type HealthFacts = Omit<RelayHealth, keyof Verdict>;
