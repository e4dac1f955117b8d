import type { HomeKey } from "../event/index.ts";
import type { LedgerEntry, LedgerRow } from "./ledger-row.ts";
import type { SequenceRange } from "./ranges.ts";

// What every ledger does alike, whatever keeps its rows: adapters see it through this port.
export { hasNotes, type LedgerNotes, NO_NOTES } from "./ledger-notes.ts";
export {
  arrivedParts,
  emptyLedgerRow,
  LEDGER_MAX_RANGES,
  type LedgerEntry,
  type LedgerRow,
  mergeLedgerEntries,
} from "./ledger-row.ts";
export type { SequenceRange } from "./ranges.ts";

/** One message to a queue. */
export interface QueueMessage {
  readonly body: string;
  /** String attributes that travel beside the body. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** One queue. Messages may arrive more than once and in any order. */
export interface Queue {
  /**
   * Sends all, in batches within SQS's limits; reads the answer of each batch and sends again what failed (bounded, with jitter).
   * Resolves when every message was taken. @throws `queue_message_invalid` (one is empty or too large: none was sent); `queue_send_failed` and the fate-`retry` service errors: some may have been taken, safe to send all again.
   */
  send(messages: readonly QueueMessage[]): Promise<void>;
}

/** The keys by which a home's relays sign. */
export interface HomeKeys {
  /** undefined: no such home or key. @throws fate-`retry` service errors */
  find(homeId: string, keyId: string): Promise<HomeKey | undefined>;
  /** The key with which we sign for the home ourselves (the newest). undefined: no such home. @throws fate-`retry` service errors */
  current(homeId: string): Promise<HomeKey | undefined>;
}

/** What has arrived of each relay, so that "nothing lost up to N" can be said. */
export interface Ledger {
  /** The parts of the range that are recorded already, not only as lost (`arrivedParts`), in order. A relay never heard of has none. @throws fate-`retry` service errors */
  arrived(homeId: string, relayId: string, range: SequenceRange): Promise<readonly SequenceRange[]>;
  /**
   * Merges into the row (`mergeLedgerEntries`) by compare-and-set, trying again on conflict; gives the row as it is then, its `notes` only when an entry
   * brought some. Recording again changes ranges and notes in nothing. @throws `ledger_full`, `conflict`, fate-`retry` service errors
   */
  record(homeId: string, relayId: string, entries: readonly LedgerEntry[]): Promise<LedgerRow>;
  /** The rows of all relays that ever sent for the home, by relay id. */
  rows(homeId: string): Promise<readonly LedgerRow[]>;
}
