import type { OutboxOutcome } from "../event/index.ts";
import type { DiscoveryForm, Shown } from "./discovery.ts";
import type { NewOutboxItem, OutboxItem, OutboxPage, OutboxQuery } from "./outbox-row.ts";

// What every outbox does alike, whatever keeps its rows: adapters see it through this port.
export {
  addToRow,
  emptyOutboxRow,
  hasPayload,
  itemOfEntry,
  type NewOutboxItem,
  OUTBOX_ENTRIES_MAX,
  OUTBOX_PENDING_MAX,
  OUTBOX_ROW_MAX_BYTES,
  type OutboxEntry,
  type OutboxItem,
  type OutboxPage,
  type OutboxQuery,
  type OutboxRow,
  pageOfRow,
  payloadOf,
  settleInRow,
} from "./outbox-row.ts";

/**
 * What waits for a home's relay. Bounded by home: at most OUTBOX_PENDING_MAX wait (then `outbox_full`), and of those that have ended the newest are kept, so that all
 * together are at most OUTBOX_ENTRIES_MAX and OUTBOX_ROW_MAX_BYTES. A payload is kept while its item waits.
 * @throws `conflict` and fate-`retry` service errors, from every method: safe to repeat but for `add`, which may then have added
 */
export interface OutboxStore {
  /** Gives it its id. A request for capabilities while one waits gives that one: `added` is false. @throws `outbox_full` */
  add(item: NewOutboxItem): Promise<{ readonly item: OutboxItem; readonly added: boolean }>;
  /** In the order of their making; at most `limit`, and about OUTBOX_PAGE_MAX_BYTES of payload. An item that waits beyond its time is `expired`. */
  list(query: OutboxQuery): Promise<OutboxPage>;
  /**
   * Ends an item. Again, and in any order, comes to the same: `delivered` outranks `failed`, which outranks `expired`; of equal ones the first stays.
   * Gives it as it is then, without its payload; undefined: there is none.
   */
  settle(homeId: string, id: string, outcome: OutboxOutcome): Promise<OutboxItem | undefined>;
}

/** What the last night found, as Home Assistant's sensors show it; names as in the payload. */
export interface Figures {
  /** The local day that had ended. */
  readonly date: string;
  readonly patterns: number;
  /** ISO 8601 */
  readonly last_run: string;
  /** Of that day and of the one before it; null: there is no aggregate of it. */
  readonly events_day: number | null;
  readonly events_day_before: number | null;
  /** Whether every record of the home's relays has arrived. */
  readonly ledger_complete: "yes" | "no";
}

/** What a home's Home Assistant was told last, so that only news is told, and what is gone is taken away. */
export interface Told {
  readonly form: DiscoveryForm;
  readonly shown: Shown;
  /** What was shown and is not any more; said again until then. */
  readonly gone: Readonly<Record<string, { readonly platform: string; readonly untilMs: number }>>;
  /** Of the last payload, by topic. */
  readonly digests: Readonly<Record<string, string>>;
  readonly figures?: Figures;
  /** When everything was told last. */
  readonly allAtMs: number;
}

/** One row a home. Every method: @throws fate-`retry` service errors, safe to repeat. */
export interface DisplayStore {
  /** undefined: nothing was ever told. */
  get(homeId: string): Promise<Told | undefined>;
  /** Reads, and keeps what `work` makes of it; `work` is called again when somebody wrote in between. @throws what `work` throws (nothing is kept then), `conflict` */
  change(homeId: string, work: (before: Told | undefined) => Promise<Told>): Promise<void>;
}
