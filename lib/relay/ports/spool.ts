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
