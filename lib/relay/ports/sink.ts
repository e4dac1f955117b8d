import type { SpooledRecord } from "./spool.ts";

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
