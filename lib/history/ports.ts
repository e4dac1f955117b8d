import type { ErrorCode } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import type { EventKind } from "../event/index.ts";

/** What happened to an entity at one moment, as a history keeps it. Not yet checked, secrets not yet stripped. */
export interface PastRow {
  readonly entityId: string;
  /** null: the entity was removed at `atUs`. */
  readonly state: string | null;
  /** Rows with the same attributes may carry the very same object: it is looked through for secrets once. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** `last_updated`. */
  readonly atUs: Microseconds;
  /** Absent where the history does not keep it. */
  readonly lastChangedUs?: Microseconds;
  readonly context?: { readonly id: string; readonly parent_id?: string | null; readonly user_id?: string | null };
  readonly origin?: string;
  /** Where the history itself says what the event is. Otherwise it follows from the row before. */
  readonly kind?: EventKind;
  /** The history says that Home Assistant knew no state before this one: it had just started, or the entity was new. */
  readonly isFirst?: boolean;
  /** Of a text entity: its state is a password, or surely none. Absent where only the attribute `mode` tells. */
  readonly isPassword?: boolean;
  /** The line, or the row's own number. */
  readonly place?: number;
}

/** Something in a history that is no event. `place` as in `PastRow`; `code` is stable. */
export interface RejectedRow {
  readonly place?: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Some rows, in the order of the history, and where to go on after them. */
export interface HistoryChunk {
  readonly rows: readonly PastRow[];
  readonly rejected: readonly RejectedRow[];
  /** JSON; means something to this kind of source only. */
  readonly position: unknown;
  /** How much of the history has been read, 0 to 1; an estimate. */
  readonly fraction: number;
  /** Something that a person should know, in a sentence. */
  readonly remark?: string;
}

/** `old`: a pipeline that a migration moves away from, over HTTP. */
export const SOURCE_KINDS = ["recorder", "jsonl", "influxdb", "home-assistant", "old"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** A history of one home. Rows of one entity come in the order of time as far as the history has one. */
export interface HistorySource {
  readonly kind: SourceKind;
  /** For people: a path, an address without credentials. */
  readonly name: string;
  /** The same for the same history however it has grown and wherever a copy of it lies; another for any other. */
  readonly identity: string;
  /** What `place` is called: `line`, `state_id`. */
  readonly placeName: string;
  /** Whose history it is, where that can be told without reading it. */
  entityIds(): Promise<readonly string[] | undefined>;
  /**
   * Everything after `position` (undefined: from the start), in chunks of bounded size. A position that no longer fits (another file stands there now)
   * is answered from the start, with a remark. The reader may stop at any chunk; nothing of the history is ever changed.
   * @throws HearthlineError `history_busy`, `history_damaged`, `history_unreadable`, and what reaching a server throws
   */
  read(position: unknown, signal: AbortSignal): AsyncIterable<HistoryChunk>;
  close(): Promise<void>;
}

/** The last state that was read of an entity: `[state, last_changed, last_updated]`; the state is null when it was removed, and never a secret. */
export type LastState = readonly [state: string | null, lastChangedUs: Microseconds, atUs: Microseconds];

/** How far an import has come. Written before each batch is sent, so that after a crash the very same messages go again. */
export interface ImportState {
  readonly version: 1;
  readonly homeId: string;
  readonly source: { readonly kind: SourceKind; readonly identity: string; readonly name: string };
  /** New with each new state: numbers of a state that was lost are never given again. */
  readonly relayId: string;
  /** The last number given. */
  readonly sequence: number;
  /** Absent: from the start. */
  readonly position?: unknown;
  /** Sealed messages that the queue may not have taken yet; the records up to `position` that are not in them were taken. */
  readonly pending: readonly string[];
  readonly entities: Readonly<Record<string, LastState>>;
  /** The history was read to its end. */
  readonly isFinished: boolean;
}

/** One import's state, held by one import at a time. */
export interface ImportStateFile {
  /** undefined: none yet. @throws `history_state_newer` */
  load(): ImportState | undefined;
  /** After `load`: what a person should know of it, in a sentence. */
  readonly remark?: string | undefined;
  /** Durable when it returns; a crash leaves the state before or this one, whole. @throws `data_folder_unusable` */
  save(state: ImportState): void;
  close(): void;
}

export interface ImportStates {
  /** @throws `already_running` (another import holds it), `data_folder_unusable` */
  open(id: string): ImportStateFile;
  /** Of every import that was ever begun here, what it is of. */
  known(): readonly Pick<ImportState, "homeId" | "source">[];
}

/** Where an import sends to. */
export interface ImportSink {
  /** Resolves when all were durably taken. @throws HearthlineError with fate `retry` or `stop` */
  send(messages: readonly string[]): Promise<void>;
  /** About how many messages wait in front of the store: an import does not run far ahead of it. @throws fate-`retry` service errors */
  waiting(): Promise<number>;
}
