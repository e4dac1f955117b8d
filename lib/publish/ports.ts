import type { OutboxOutcome } from "../event/index.ts";
import type { NewOutboxItem, OutboxItem, OutboxPage, OutboxQuery } from "./outbox-row.ts";

// What every outbox does alike, whatever keeps its rows: adapters see it through this port.
export {
  addToRow,
  emptyOutboxRow,
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
