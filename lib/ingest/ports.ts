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

/** The keys by which a home's relays sign. Several may be good at once, while relays change from one to the next. */
export interface HomeKeys {
  /** undefined: no such home or key, or the key is retired. @throws fate-`retry` service errors */
  find(homeId: string, keyId: string): Promise<HomeKey | undefined>;
  /** The key with which we sign for the home ourselves (the newest). undefined: no such home. @throws fate-`retry` service errors */
  current(homeId: string): Promise<HomeKey | undefined>;
}

/** Of which home a batch of the store or the index queue is, and under which key its envelopes came; a batch of an older release does not say. */
export interface BatchOrigin {
  readonly homeId: string;
  readonly keyId?: string | undefined;
}

/**
 * Whether a home is there: what is late for a home that was removed must not come into being again, nor reach another one that has got its name.
 * @throws fate-`retry` service errors
 */
export interface HomePresence {
  /** True while the home has the key, be it retired; without a key, while there is a home of that name. Never remembered. */
  isThere(homeId: string, keyId?: string): Promise<boolean>;
}

/** How long a retired key may be taken back. Longer than a queue keeps a message: what still waits in dead letters can be read for as long as it exists. */
export const RETIRED_KEY_KEPT_DAYS = 90;

/** What is shown of a key: never the secret. */
export interface KeyRecord {
  readonly id: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** What it signed is refused since then. */
  readonly retiredAt?: string;
}

/** The keys of homes as an operator changes them. @throws fate-`retry` service errors, from every method: safe to repeat */
export interface HomeKeyring extends HomeKeys {
  /** Oldest first, the last of those that are not retired is `current`; retired ones for RETIRED_KEY_KEPT_DAYS. */
  list(homeId: string): Promise<readonly KeyRecord[]>;
  /** `createdAt` decides which is current: it must be later than that of the others. The same key again is replaced. */
  add(homeId: string, key: HomeKey, createdAt: string): Promise<void>;
  /** Retires a key, or with undefined takes it back. False: there is none. */
  setRetired(homeId: string, keyId: string, retiredAt: string | undefined): Promise<boolean>;
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
