import type { Microseconds } from "../../base/time.ts";
import type { RegistryName } from "../../event/index.ts";

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

/** One line of the logbook: a state that an entity came into, or (without `state`) that this automation or script has run. */
export interface LogbookEntry {
  readonly entityId: string;
  /** Of a state its row's `last_updated`, to the microsecond. */
  readonly atUs: Microseconds;
  readonly state?: string;
  /** Of a run only: its context. A state's own is not told. */
  readonly contextId?: string;
  /** Who began it. A current Home Assistant names for what a run did the user behind its trigger too. */
  readonly userId?: string;
  /** Of a state: an automation or a script did it, and which, where that is told. */
  readonly run?: { readonly entityId?: string };
  /** Of a state that no run made: the service that was called for it: `scene.turn_on`. */
  readonly call?: string;
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
  /**
   * Whose doing the changes of these entities in [from, to) were, in no certain order: of each change from one state to another a line, none of attributes, of first
   * states and of removals; and the runs of those that are automations or scripts. undefined: this Home Assistant has no logbook. Errors as `getHistory`.
   */
  getLogbook(query: HistoryQuery): Promise<readonly LogbookEntry[] | undefined>;
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
