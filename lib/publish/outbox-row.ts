import { hash } from "node:crypto";
import { HearthlineError } from "../base/errors.ts";
import type {
  OutboxAutomation,
  OutboxKind,
  OutboxMessage,
  OutboxOutcome,
  OutboxRefetch,
  OutboxSink,
  OutboxStatus,
} from "../event/index.ts";

/** One item as people and the relay see it. Times are milliseconds since 1970. */
export interface OutboxItem {
  readonly id: string;
  readonly homeId: string;
  readonly kind: OutboxKind;
  readonly status: OutboxStatus;
  readonly createdAtMs: number;
  /** Nobody does it after this. */
  readonly expiresAtMs: number;
  /** Of kind `mqtt`; the payload only while it waits. */
  readonly message?: Omit<OutboxMessage, "payload"> & { readonly payload?: string };
  /** Of kind `automation`; the configuration only while it waits. `removes`: it is to be removed. */
  readonly automation?: {
    readonly id: string;
    readonly removes: boolean;
    readonly config?: OutboxAutomation["config"];
  };
  /** Of kind `sink`. */
  readonly sink?: OutboxSink;
  /** Of kind `refetch`. */
  readonly refetch?: OutboxRefetch;
  /** How often the relay tried; 0 while nothing is known of it. */
  readonly attempts: number;
  readonly deliveredAtMs?: number;
  /** Why it failed. */
  readonly error?: string;
}

/** What is to be done; times by the caller's clock. `unique`: no other item's, of a-z and 0-9. */
export type NewOutboxItem = Pick<OutboxItem, "homeId" | "createdAtMs" | "expiresAtMs"> & { readonly unique: string } & (
    | { readonly kind: "mqtt"; readonly message: OutboxMessage }
    | { readonly kind: "automation"; readonly automation: OutboxAutomation }
    | { readonly kind: "capabilities" }
    | { readonly kind: "sink"; readonly sink: OutboxSink }
    | { readonly kind: "refetch"; readonly refetch: OutboxRefetch }
  );

export interface OutboxQuery {
  readonly homeId: string;
  readonly nowMs: number;
  readonly status?: OutboxStatus;
  readonly limit: number;
  /** Only items after this one. */
  readonly after?: string;
}

export interface OutboxPage {
  readonly items: readonly OutboxItem[];
  /** There are more after this one. */
  readonly next?: string;
}

/** An item as its home's row keeps it: without its payload, which lies beside it while it waits. */
export interface OutboxEntry extends Omit<OutboxItem, "homeId" | "message" | "automation"> {
  readonly message?: Omit<OutboxMessage, "payload">;
  /** `digest` tells two configurations apart. */
  readonly automation?: { readonly id: string; readonly removes: boolean; readonly digest: string };
  readonly payloadBytes: number;
}

/** All of a home's outbox, oldest first. One row: so the order is the order of making, the bounds hold, and an item ends once, whoever comes at the same moment. */
export interface OutboxRow {
  /** How many were ever made: no two ids begin alike. */
  readonly made: number;
  readonly entries: readonly OutboxEntry[];
}

/** So many may wait (chosen by us: a night's work is a few dozen). */
export const OUTBOX_PENDING_MAX = 300;
/** Waiting and ended together. */
export const OUTBOX_ENTRIES_MAX = 600;
/**
 * And so many bytes of JSON: an item of DynamoDB holds 400 KB, and topics and errors may be such that nothing packs them. OUTBOX_PENDING_MAX that wait, with topics
 * at their longest, take no more.
 */
export const OUTBOX_ROW_MAX_BYTES = 380_000;
/** A page ends when its payloads pass this: an answer of Lambda holds 6 MB. */
const OUTBOX_PAGE_MAX_BYTES = 1_048_576;
/** Digits of the number in an id: ids ascend as text. */
const NUMBER_DIGITS = 10;

export const emptyOutboxRow: OutboxRow = { made: 0, entries: [] };

/** What counts: `delivered` is a fact, `failed` and `expired` are that nobody did it. */
const RANK: Readonly<Record<OutboxStatus, number>> = { pending: 0, expired: 1, failed: 2, delivered: 3 };

/** As it is at a time: what waits beyond its time has expired. */
const atTime = (entry: OutboxEntry, nowMs: number): OutboxEntry =>
  entry.status === "pending" && entry.expiresAtMs <= nowMs ? { ...entry, status: "expired" } : entry;

/** @throws HearthlineError `outbox_full` */
export function addToRow(
  row: OutboxRow,
  item: NewOutboxItem,
): { readonly row: OutboxRow; readonly entry: OutboxEntry; readonly added: boolean } {
  const entries = row.entries.map((entry) => atTime(entry, item.createdAtMs));
  // The answer to a write may be lost, and the write made again.
  const same = entries.find(({ id }) => id.endsWith(`-${item.unique}`));
  if (same) return { row, entry: same, added: true };
  const waiting = entries.filter(({ status }) => status === "pending");
  const payload = payloadOf(item);
  const automation = item.kind === "automation" ? keptOf(item.automation, payload) : undefined;
  const sink = item.kind === "sink" ? item.sink : undefined;
  // Of an automation or a sink the last word counts.
  const asked = waiting.findLast(
    (one) => one.kind === item.kind && one.automation?.id === automation?.id && one.sink?.sink === sink?.sink,
  );
  const isSame = asked?.automation?.digest === automation?.digest && isSameTurn(asked?.sink, sink);
  const isOnce = item.kind !== "mqtt" && item.kind !== "refetch";
  if (isOnce && asked && isSame) return { row, entry: asked, added: false };
  const repeated =
    item.kind === "refetch" ? waiting.find((one) => isSameRefetch(one.refetch, item.refetch)) : undefined;
  if (repeated) return { row, entry: repeated, added: false };
  const made = row.made + 1;
  const entry: OutboxEntry = {
    id: `${String(made).padStart(NUMBER_DIGITS, "0")}-${item.unique}`,
    kind: item.kind,
    status: "pending",
    createdAtMs: item.createdAtMs,
    expiresAtMs: item.expiresAtMs,
    attempts: 0,
    payloadBytes: Buffer.byteLength(payload ?? ""),
    ...(item.kind === "mqtt" && { message: withoutPayload(item.message) }),
    ...(automation && { automation }),
    ...(sink && { sink }),
    ...(item.kind === "refetch" && { refetch: item.refetch }),
  };
  requireRoom([...waiting, entry], item);
  return { row: { made, entries: bounded([...entries, entry]) }, entry, added: true };
}

/** What waits is never dropped, so it has to fit. A repair asks by the dozen, for names that fill a row: the other half is for what the house is to be told meanwhile. @throws HearthlineError `outbox_full` */
function requireRoom(waiting: readonly OutboxEntry[], { kind, homeId }: Pick<NewOutboxItem, "kind" | "homeId">): void {
  const own = kind === "refetch" ? waiting.filter((one) => one.kind === kind) : waiting;
  const share = kind === "refetch" ? 0.5 : 1;
  if (own.length <= OUTBOX_PENDING_MAX * share && jsonBytes(own) <= OUTBOX_ROW_MAX_BYTES * share) return;
  throw new HearthlineError(
    "outbox_full",
    `${own.length - 1} items of the home "${homeId}" wait in the outbox already, which is all it takes: is its relay connected, and are HEARTHLINE_URL, HEARTHLINE_TOKEN and HEARTHLINE_MQTT_URL set there?`,
  );
}

const isSameRefetch = (a: OutboxRefetch | undefined, b: OutboxRefetch): boolean =>
  a?.from === b.from && a.to === b.to && a.entity_ids.join() === b.entity_ids.join();

const isSameTurn = (a: OutboxSink | undefined, b: OutboxSink | undefined): boolean =>
  a?.state === b?.state &&
  a?.flush_seconds === b?.flush_seconds &&
  a?.batch_records === b?.batch_records &&
  a?.until === b?.until;

/** Whether a text lies beside the row while an item of this kind waits. */
export const hasPayload = (kind: OutboxKind): boolean => kind === "mqtt" || kind === "automation";

/** The text that lies beside the row while the item waits; undefined: it has none. */
export function payloadOf(item: NewOutboxItem): string | undefined {
  if (item.kind === "mqtt") return item.message.payload;
  return item.kind === "automation" ? JSON.stringify(item.automation.config) : undefined;
}

const DIGEST_CHARACTERS = 16;
const keptOf = ({ id, config }: OutboxAutomation, payload = "") => ({
  id,
  removes: config === null,
  digest: hash("sha256", payload, "hex").slice(0, DIGEST_CHARACTERS),
});

const withoutPayload = ({ topic, qos, retain }: OutboxMessage) => ({ topic, qos, retain });

/** As it is shown. */
export function itemOfEntry(homeId: string, entry: OutboxEntry, payload: string | undefined): OutboxItem {
  const { payloadBytes: _, message, automation, ...rest } = entry;
  return {
    ...rest,
    homeId,
    ...(message && { message: { ...message, ...(payload !== undefined && { payload }) } }),
    ...(automation && {
      automation: {
        id: automation.id,
        removes: automation.removes,
        ...(payload !== undefined && { config: JSON.parse(payload) as OutboxAutomation["config"] }),
      },
    }),
  };
}

/** The oldest that have ended go first; those that wait never do. */
function bounded(entries: readonly OutboxEntry[]): readonly OutboxEntry[] {
  let surplus = entries.length - OUTBOX_ENTRIES_MAX;
  let surplusBytes = jsonBytes(entries) - OUTBOX_ROW_MAX_BYTES;
  return entries.filter((entry) => {
    if (entry.status === "pending" || (surplus <= 0 && surplusBytes <= 0)) return true;
    surplus -= 1;
    surplusBytes -= jsonBytes(entry);
    return false;
  });
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Ends an item; the same row when that changes nothing. */
export function settleInRow(
  row: OutboxRow,
  id: string,
  { nowMs, ...outcome }: OutboxOutcome & { readonly nowMs: number },
): { readonly row: OutboxRow; readonly entry: OutboxEntry | undefined } {
  const at = row.entries.findIndex((entry) => entry.id === id);
  const found = row.entries[at];
  if (!found) return { row, entry: undefined };
  const known = atTime(found, nowMs);
  if (RANK[outcome.status] <= RANK[known.status]) return { row, entry: known };
  const { error: _, ...before } = known;
  const entry: OutboxEntry = {
    ...before,
    status: outcome.status,
    attempts: outcome.attempts,
    ...(outcome.status === "delivered" && { deliveredAtMs: nowMs }),
    ...(outcome.error !== undefined && { error: outcome.error }),
  };
  return { row: { ...row, entries: bounded(row.entries.with(at, entry)) }, entry };
}

/** The entries of a page. */
export function pageOfRow(
  row: OutboxRow,
  { nowMs, status, limit, after }: Omit<OutboxQuery, "homeId">,
): { readonly entries: readonly OutboxEntry[]; readonly next?: string } {
  const wanted = row.entries
    .map((entry) => atTime(entry, nowMs))
    .filter((entry) => (status === undefined || entry.status === status) && (after === undefined || entry.id > after));
  let bytes = 0;
  const over = wanted.findIndex((entry, index) => {
    bytes += entry.status === "pending" ? entry.payloadBytes : 0;
    return index >= limit || (index > 0 && bytes > OUTBOX_PAGE_MAX_BYTES);
  });
  const entries = over === -1 ? wanted : wanted.slice(0, over);
  const next = over === -1 ? undefined : entries.at(-1)?.id;
  return { entries, ...(next !== undefined && { next }) };
}
