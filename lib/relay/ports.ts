import type { NewRelayRecord, RegistryName } from "../event/index.ts";

/** What Home Assistant says of a state, as it comes on the wire. Not yet checked: admission does that, one event at a time. */
export interface HaState {
  readonly entity_id: string;
  readonly state: string;
  readonly attributes: Record<string, unknown>;
  readonly last_changed: string;
  readonly last_updated: string;
  readonly last_reported?: string;
  readonly context: { readonly id: string; readonly parent_id: string | null; readonly user_id: string | null };
}

/** An event frame's `event` member. `data` of `state_changed`: `{entity_id, old_state, new_state}`. */
export interface HaEvent {
  readonly event_type: string;
  readonly data: Record<string, unknown>;
  readonly origin: string;
  readonly time_fired: string;
  readonly context: { readonly id: string; readonly parent_id: string | null; readonly user_id: string | null };
}

/** What get_config says, of what the relay uses. */
export interface HaConfig {
  readonly state: "NOT_RUNNING" | "STARTING" | "RUNNING" | "STOPPING" | "FINAL_WRITE" | "STOPPED";
  readonly version: string;
  readonly location_name: string;
  readonly time_zone: string;
  readonly language?: string;
  readonly country?: string | null;
  readonly unit_system?: Record<string, string>;
}

/** One session with Home Assistant, authenticated. It ends once; then `closed` resolves and every pending command rejects. */
export interface HaSession {
  readonly haVersion: string;
  /**
   * Subscribes to one event type. `onEvent` is called once an event, in order, on the reader's own turn: it must not block.
   * An `onEvent` that throws costs its own event only.
   * @throws `home_assistant_command_failed`, `command_timeout`, `home_assistant_disconnected`
   */
  subscribeEvents(eventType: string, onEvent: (event: HaEvent) => void): Promise<void>;
  getStates(): Promise<readonly unknown[]>;
  getConfig(): Promise<HaConfig>;
  /** Rows as listed. A registry that this version of Home Assistant does not have (floors, labels before 2024.4) is an empty list. */
  getRegistry(name: RegistryName): Promise<readonly Record<string, unknown>[]>;
  /** Any other command; the result member of the answer. */
  command(message: Readonly<Record<string, unknown> & { type: string }>): Promise<unknown>;
  /** Resolves with the reason when the session has ended, whoever ended it; never rejects. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

export interface HomeAssistant {
  /**
   * Connects and authenticates, once; the caller decides about trying again.
   * @throws HearthlineError: fate `retry` `home_assistant_disconnected` (unreachable, closed, too slow), fate `stop` `home_assistant_token_refused`,
   * `home_assistant_address_wrong`, `home_assistant_tls_failed`, `home_assistant_not_home_assistant`
   */
  connect(signal?: AbortSignal): Promise<HaSession>;
}

/** A record with its sequence number, and when it was appended. */
export interface SpooledRecord {
  readonly n: number;
  readonly appendedAtMs: number;
  /** The record as one line of JSON, `n` included. */
  readonly line: string;
}

export interface SpoolState {
  readonly relayId: string;
  /** The last number given; 0 in a new spool. */
  readonly lastSequence: number;
  /** The highest revision that a record carried, over the life of this spool; 0 before the first. */
  readonly lastRevision: number;
  /** What the records take on the disk, free pages not counted. */
  readonly bytes: number;
  /** Records that some sink has not acknowledged. */
  readonly records: number;
  /** Events given up over the life of this spool, whatever the reason. */
  readonly losses: number;
  /** Of the oldest record that some sink has not acknowledged. */
  readonly oldestAtMs?: number;
  readonly cursors: Readonly<Record<string, number>>;
}

/** What to read: ascending, at most `limit` records and about `maxBytes` of lines, but always at least one where there is one. */
export interface ReadOptions {
  readonly limit: number;
  readonly maxBytes: number;
  /** Records after this number; never before the sink's cursor. Default: after the sink's cursor. */
  readonly after?: number;
}

/** Events that are lost. Without `range` they never had a number. Carries no entity names. */
export interface LostEvents {
  readonly count: number;
  /** At most 200 characters. */
  readonly reason: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Both ends included. */
  readonly range?: readonly [first: number, last: number];
}

/**
 * The relay's durable file. Numbers records from 1 without holes, for ever; a new file has a new relay id.
 * Bounded: at the bound the oldest records go, and a `loss` record (appended with the next number) says which.
 */
export interface Spool {
  readonly relayId: string;
  /**
   * Durable (fsync) when it resolves; the numbers in order. Calls that come while another is being written are written together.
   * @throws `spool_failed` (nothing was kept: safe to try again)
   */
  append(records: readonly NewRelayRecord[]): Promise<readonly number[]>;
  /**
   * Appends a `loss` record and gives its number. Without a `range` the record stands for events that never got a number: its range is its own number alone.
   * @throws `spool_failed` (nothing was kept: safe to try again)
   */
  recordLoss(lost: LostEvents): Promise<number>;
  /** Records after the sink's cursor. @throws `spool_failed` */
  read(sink: string, options: ReadOptions): Promise<readonly SpooledRecord[]>;
  /** Moves the sink's cursor to `sequence` (at most the last number); never back. Records that every sink has acknowledged go. @throws `spool_failed` */
  acknowledge(sink: string, sequence: number): Promise<void>;
  state(): SpoolState;
  /** Writes what is still being appended, then closes. Calls after it reject with `spool_failed`. */
  close(): Promise<void>;
}

/** Where the relay sends to. `send` resolves only when the other side has durably taken the message. */
export interface RelaySink {
  readonly name: string;
  /** @throws HearthlineError with fate `retry` or `stop` */
  send(message: string): Promise<void>;
}

/** Another party's clock, as its `Date` header tells it. */
export interface ReferenceClock {
  readonly name: string;
  /** Its time in ms since 1970 (whole seconds); undefined when it does not answer. Never rejects. */
  nowMs(): Promise<number | undefined>;
}
