import type { Microseconds } from "../base/time.ts";
import type { RegistryName } from "../event/index.ts";

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

/** Half-open: [fromUs, toUs), microseconds since 1970. */
export interface HistoryQuery {
  readonly entityIds: readonly string[];
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** One row of the recorder. */
export interface HistoryRow {
  /** null: the entity was removed at `lastUpdatedUs`. */
  readonly state: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly lastChangedUs: Microseconds;
  readonly lastUpdatedUs: Microseconds;
}

/** One hour of long-term statistics: `mean`, `min`, `max` of a measurement; `state`, `sum` of a total. */
export interface StatisticsRow {
  readonly startUs: Microseconds;
  readonly endUs: Microseconds;
  readonly mean?: number;
  readonly min?: number;
  readonly max?: number;
  readonly state?: number;
  readonly sum?: number;
}

/** The recorder's own account of itself. `backlog`: events that it has not written yet. */
export interface RecorderInfo {
  readonly isRecording: boolean;
  readonly backlog: number;
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
  /**
   * What the recorder holds of these entities in [from, to): each entity's rows ascending, attribute-only changes and removals included, no row made up for the start
   * of the window. An entity without rows has none in the map. Unrecorded attributes are missing (a current Home Assistant keeps of a light only its name).
   * Incomplete while `getRecorder().backlog` is above 0. @throws `home_assistant_command_failed` (no recorder, no permission), `command_timeout`, `home_assistant_disconnected`
   */
  getHistory(query: HistoryQuery): Promise<ReadonlyMap<string, readonly HistoryRow[]>>;
  /** Long-term statistics in [from, to), ascending by start, of those entities that have any. Errors as `getHistory`. */
  getStatistics(query: HistoryQuery): Promise<ReadonlyMap<string, readonly StatisticsRow[]>>;
  /** undefined: this Home Assistant has no recorder. @throws `command_timeout`, `home_assistant_disconnected` */
  getRecorder(): Promise<RecorderInfo | undefined>;
  /**
   * When this Home Assistant, starting, found that its run before had not been stopped but cut off: its recorder says so in the system's log (2024.3 to 2026.11).
   * undefined: it was stopped in order, or nothing tells (no recorder, no administrator's token, a log that was cleared). @throws `command_timeout`, `home_assistant_disconnected`
   */
  getCutOff(): Promise<Microseconds | undefined>;
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
  /** What the files take on the disk: records that all have acknowledged are in it until their file goes. */
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

/** A record before it has a number: as JSON text, made once, at admission. */
export interface SpoolEntry {
  /** One JSON object that is not empty, without the member `n`, in one line. */
  readonly text: string;
  /** Of a registry or the home: see `SpoolState.lastRevision`. */
  readonly revision?: number;
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
  /** Only this sink has lost them. Default: every sink. */
  readonly sink?: string;
}

/**
 * The relay's durable file. Numbers records from 1 without holes, for ever; a new file has a new relay id.
 * Bounded: at the bound the oldest records go (last of all those that a sink has read and not acknowledged), and `loss` records, appended with the next numbers, say which
 * and, where only some sinks had not taken them, whose. Or, by a setting, what comes is refused; a `loss` record says how much as soon as there is room.
 */
export interface Spool {
  readonly relayId: string;
  /**
   * Durable (fsync) when it resolves; the numbers in order, 0 for an entry that was refused at the bound. Calls that come while another is being written are
   * written together.
   * @throws `spool_failed` (nothing was kept: safe to try again)
   */
  append(entries: readonly SpoolEntry[]): Promise<readonly number[]>;
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

/** What travels of consecutive records: an envelope of many, or one event of one. */
export interface SinkPiece {
  /** The numbers in it, both included. */
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** Events that this one sink will never have; the others may. Carries no entity names. */
export interface SinkLoss {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** At most 200 characters. */
  readonly reason: string;
}

/** What a packer made of the records `first` to `last`, both included. */
export interface SinkMessage {
  readonly first: number;
  readonly last: number;
  /** When the first and the last of them came into the spool. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Empty: none of these records means anything to this sink. */
  readonly pieces: readonly SinkPiece[];
  /** Records that cannot be written in this sink's form. */
  readonly lost: readonly SinkLoss[];
}

/** A message of the first `count` records given; or the first record alone is larger than any message of this sink may be. */
export type Packed =
  | { readonly fits: true; readonly count: number; readonly message: SinkMessage }
  | { readonly fits: false; readonly n: number; readonly bytes: number };

/** Makes messages of records, in one sink's form. */
export interface Packer {
  /** So many bytes of lines are likely to fill a message; changes with what was packed. */
  readonly targetBytes: number;
  /** No message takes more records. */
  readonly maxRecords: number;
  /** Packs from the front of `records`, which are ascending and not empty. */
  pack(records: readonly SpooledRecord[]): Packed;
}

/**
 * What became of one message.
 * - `taken`: durably, except what `lost` names.
 * - `refused`: it will not be taken as it is; parts of it may be. `isCertain`: the sink has said that the content is the reason, so trying again is useless;
 *   otherwise the sink itself may be set up wrongly.
 * - `failed`: the same message may be taken later, not before `retryAfterMs` where the sink said so.
 */
export type SinkAnswer =
  | { readonly outcome: "taken"; readonly lost?: readonly SinkLoss[] }
  | { readonly outcome: "refused"; readonly reason: string; readonly isCertain: boolean }
  | { readonly outcome: "failed"; readonly error: unknown; readonly retryAfterMs?: number };

/** The newest that is known of an entity: times as Home Assistant wrote them, secrets left out. */
export interface LastKnownEntity {
  /** Of a removed entity: its last one. */
  readonly state: string;
  readonly lastChanged: string;
  /** Of a removed entity: when it was removed. */
  readonly lastUpdated: string;
  readonly isRemoved: boolean;
}

/** The last-known table as it is kept. */
export interface LastKnownImage {
  readonly homeId: string;
  /** Of the spool whose records it follows. */
  readonly relayId: string;
  /** Every record up to this number is in it. */
  readonly sequence: number;
  /** Since when the connection stood whose events these are. */
  readonly connectedSince?: string;
  /** When the last event came, by Home Assistant's clock. */
  readonly heard?: string;
  /** The same by our clock, in milliseconds: together they tell whether one of the two was set meanwhile. */
  readonly heardAtMs?: number;
  /** A gap that is not filled yet begins here: what came after it is not in the table. */
  readonly openSince?: string;
  /** The same by our clock, in milliseconds. */
  readonly openAtMs?: number;
  /** By how much Home Assistant's clock was set back in the open gap. */
  readonly setBackMs?: number;
  /** The oldest record that was not acknowledged: what is younger is lost when the spool is. */
  readonly unsentSince?: string;
  readonly entities: Iterable<readonly [entityId: string, entity: LastKnownEntity]>;
}

/** Keeps the last-known table over restarts. It may be old, but never newer than the spool. */
export interface LastKnownStore {
  /** undefined: there is none that can be used; one that is damaged is set aside and the log says so. @throws `spool_failed` when it cannot be read at all */
  load(): Promise<LastKnownImage | undefined>;
  /** Whole or not at all, and durable when it resolves. @throws `spool_failed`; the one before stays */
  save(image: LastKnownImage): Promise<void>;
}

/** Where the relay sends to. Each sink has its own packer, cursor, breaker and bounds. */
export interface RelaySink {
  /** The spool's cursor carries it, so it must never change. */
  readonly name: string;
  readonly packer: Packer;
  /** No record waits longer for its message to fill. */
  readonly flushMs: number;
  /** Messages that one `send` takes. */
  readonly batchMax: number;
  /** Calls of `send` under way at once. 1 keeps the order. */
  readonly inFlightMax: number;
  /** One answer a message, in their order. What it throws counts as `failed` for all of them. */
  send(messages: readonly SinkMessage[]): Promise<readonly SinkAnswer[]>;
}

/** Another party's clock, as its `Date` header tells it. */
export interface ReferenceClock {
  readonly name: string;
  /** Its time in ms since 1970 (whole seconds); undefined when it does not answer. Never rejects. */
  nowMs(): Promise<number | undefined>;
}
