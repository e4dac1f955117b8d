import type { HomeKey } from "../event/index.ts";

/** One message to a queue. */
export interface QueueMessage {
  readonly body: string;
  /** String attributes that travel beside the body. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Queue {
  /**
   * Sends all, in batches within SQS's limits; reads the answer of each batch and sends again what failed (bounded, with jitter).
   * Resolves when every message was taken. @throws `queue_send_failed` and the fate-`retry` service errors: some may have been taken, safe to send all again.
   */
  send(messages: readonly QueueMessage[]): Promise<void>;
}

/** The keys by which a home's relays sign. */
export interface HomeKeys {
  /** undefined: no such home or key. @throws fate-`retry` service errors */
  find(homeId: string, keyId: string): Promise<HomeKey | undefined>;
  /** The key with which we sign for the home ourselves (the newest). undefined: no such home. */
  current(homeId: string): Promise<HomeKey | undefined>;
}

/** Sequence numbers, both ends included. */
export type SequenceRange = readonly [first: number, last: number];

/** What has arrived of one relay: ascending, disjoint, not touching. Complete up to N: the first range is [1, N]. */
export interface LedgerRow {
  readonly relayId: string;
  readonly ranges: readonly SequenceRange[];
  /** Sequence ranges that the relay reported as lost. They also count as accounted for in `ranges`. */
  readonly lost: readonly {
    readonly first: number;
    readonly last: number;
    readonly count: number;
    readonly reason: string;
  }[];
  /** Records counted over the relay's life. */
  readonly counts: { readonly records: number; readonly rejected: number; readonly duplicates: number };
  readonly updatedAt: string;
}

export interface LedgerEntry {
  readonly range: SequenceRange;
  readonly lost?: LedgerRow["lost"];
  readonly rejected?: number;
}

export interface Ledger {
  /** Is the whole range recorded already? */
  has(homeId: string, relayId: string, range: SequenceRange): Promise<boolean>;
  /** Merges into the row by compare-and-set, trying again on conflict. Recording again changes the ranges in nothing. @throws `ledger_full`, `conflict` */
  record(homeId: string, relayId: string, entries: readonly LedgerEntry[]): Promise<void>;
  rows(homeId: string): Promise<readonly LedgerRow[]>;
}
