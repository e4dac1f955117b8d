import type { RejectedRecord, WriteRecordsRequest } from "@aws-sdk/client-timestream-write";
import { type ErrorCode, HearthlineError } from "../../base/errors.ts";
import { EventsRefused, type HomeEvent, naturalKey, type RefusedEvent, rankOf } from "../../event/index.ts";
import { cellOf } from "./cells.ts";
import type { Timestream } from "./context.ts";
import { asStoreError, isOfType } from "./failures.ts";
import { RECORDS_MAX } from "./limits.ts";
import { type EncodedEvent, encodeEvent, type WireRecord } from "./row.ts";
import { isOfSameRank, versionOf } from "./versions.ts";

const REQUESTS_AT_ONCE = 4;
/** How often the events of one write may meet a later clock's version before the write is given back. */
const ROUNDS_MAX = 6;
/** A part's name is the hash of its text: there is only one version of it. */
const PART_VERSION = 1;

/** A record on its way, and whose it is. */
interface Item {
  readonly event: HomeEvent;
  readonly record: WireRecord;
  readonly version: number;
}
type Refuse = (event: HomeEvent, code: ErrorCode, reason: string) => void;

/**
 * Writes all events; safe to do again. Parts go first, so that a row never names what was not written.
 * @throws EventsRefused when some can never be taken: all others are written then
 */
export async function writeEvents(store: Timestream, events: readonly HomeEvent[], stamp: number): Promise<void> {
  const refused = new Map<HomeEvent, RefusedEvent>();
  const refuse: Refuse = (event, code, reason) => {
    if (!refused.has(event)) refused.set(event, { event, code, reason });
  };
  const encoded = new Map<HomeEvent, EncodedEvent>();
  const best = bestOf(events);
  for (const event of best) {
    const record = event.atUs >= 0 ? encodeEvent(event) : undefined;
    if (record) encoded.set(event, record);
    else if (event.atUs < 0) refuse(event, "event_time_out_of_range", "Timestream has no times before 1970.");
    else refuse(event, "event_too_large", "its ids are too long for a record of 2 KB.");
  }
  const parts = [...encoded].flatMap(([event, own]) =>
    own.parts.map((record) => ({ event, record, version: PART_VERSION })),
  );
  await sendAll(store, parts, { measure: "part", refuse });
  const heads = [...encoded].filter(([event]) => !refused.has(event));
  await sendAll(
    store,
    heads.map(([event, { head }]) => ({ event, record: head, version: versionOf(event, stamp) })),
    { measure: "event", refuse },
  );
  if (refused.size === 0) return;
  const all = [...refused.values()];
  // Not the fault of any of them.
  if (all.length > 1 && all.length === best.length && all.every(({ code }) => code === "event_refused")) {
    const { database, table } = store.name;
    const said = `The table "${database}"."${table}" takes none of ${all.length} events: ${all[0]?.reason}`;
    throw new HearthlineError("store_incompatible", `${said} Wanted is a table that this program made.`);
  }
  throw new EventsRefused(all);
}

/** One event a key: in one request Timestream would take either of two. */
function bestOf(events: readonly HomeEvent[]): HomeEvent[] {
  const best = new Map<string, HomeEvent>();
  for (const event of events) {
    const key = naturalKey(event);
    const there = best.get(key);
    if (!there || rankOf(event) >= rankOf(there)) best.set(key, event);
  }
  return [...best.values()];
}

interface Sending {
  readonly measure: "event" | "part";
  readonly refuse: Refuse;
}

async function sendAll(store: Timestream, items: readonly Item[], sending: Sending): Promise<void> {
  let left = items;
  for (let round = 0; left.length > 0; round++) {
    if (round === ROUNDS_MAX) {
      const said = `${left.length} events are being written by others at the same time, ${ROUNDS_MAX} times over.`;
      throw new HearthlineError("store_unavailable", `${said} Wanted is to write them again later.`);
    }
    const again: Item[] = [];
    await sendRequests(requestsOf(left), (items) => sendOne(store, items, { ...sending, again }));
    left = again;
  }
}

/** A few at once. After a failure no further one begins, and those on their way are waited for: nothing goes on behind a write that was given back. */
async function sendRequests(requests: Item[][], send: (items: Item[]) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  const work = async () => {
    for (let next = requests.pop(); next && failures.length === 0; next = requests.pop()) {
      await send(next).catch((thrown: unknown) => failures.push(thrown));
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work));
  if (failures.length > 0) throw failures[0];
}

/** Of one home and one version each, so that both stand once, in what the records have in common: writes are charged by KiB. */
function requestsOf(items: readonly Item[]): Item[][] {
  const groups = Map.groupBy(items, ({ event, version }) => `${version} ${event.homeId}`);
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / RECORDS_MAX) }, (_, index) =>
      group.slice(index * RECORDS_MAX, (index + 1) * RECORDS_MAX),
    ),
  );
}

/** Items of one home and one version. */
async function sendOne(
  store: Timestream,
  items: readonly Item[],
  sending: Sending & { readonly again: Item[] },
): Promise<void> {
  const [first] = items;
  if (!first) return;
  try {
    await store.writes.call("WriteRecords", {
      DatabaseName: store.name.database,
      TableName: store.name.table,
      CommonAttributes: {
        Dimensions: [{ Name: "home", Value: cellOf(first.event.homeId) }],
        MeasureName: sending.measure,
        MeasureValueType: "MULTI",
        TimeUnit: "MICROSECONDS",
        Version: first.version,
      },
      Records: items.map(({ record }) => record as NonNullable<WriteRecordsRequest["Records"]>[number]),
    } satisfies WriteRecordsRequest);
  } catch (thrown) {
    const rejected = isOfType(thrown, "RejectedRecordsException") ? listOf(thrown.body.RejectedRecords) : undefined;
    if (rejected && rejected.length > 0) {
      // One record alone is meant whatever the index says; of several an index that fits none would leave an event neither stored nor refused.
      const named = items.length === 1 ? rejected.map((one) => ({ ...one, RecordIndex: 0 })) : rejected;
      if (named.every(({ RecordIndex = -1 }) => items[RecordIndex])) return sort(items, named, sending);
    }
    // Rejected without a list (it happens), or a request that is wrong as a whole because of one record: found by halves.
    if (!rejected && !isOfType(thrown, "ValidationException")) throw asStoreError(thrown, store.name);
    if (items.length === 1) return sending.refuse(first.event, "event_refused", (thrown as Error).message);
    const middle = items.length >> 1;
    await sendOne(store, items.slice(0, middle), sending);
    await sendOne(store, items.slice(middle), sending);
  }
}

const listOf = (value: unknown): readonly RejectedRecord[] => (Array.isArray(value) ? value : []);

/** How Timestream says that the record is there in the same or a higher version, where it does not give the version. */
const VERSION = /already exists|record version/i;
const TIME = /time range|timestamp/i;
const SIZE = /exceed|too (large|long)|maximum/i;

/** What becomes of the records that were not taken; their neighbours were. */
function sort(
  items: readonly Item[],
  rejected: readonly RejectedRecord[],
  { measure, refuse, again }: Sending & { readonly again: Item[] },
): void {
  for (const { RecordIndex = -1, Reason = "no reason was given", ExistingVersion } of rejected) {
    const item = items[RecordIndex];
    if (!item) continue;
    if (ExistingVersion === undefined && !VERSION.test(Reason)) {
      const code = TIME.test(Reason)
        ? "event_time_out_of_range"
        : SIZE.test(Reason)
          ? "event_too_large"
          : "event_refused";
      refuse(item.event, code, Reason);
      continue;
    }
    if (measure === "part") continue;
    const there = ExistingVersion ?? item.version;
    // One of a higher rank is there: nothing to do. Of the same rank: this write is the later one, whatever the other's clock says.
    if (there < item.version || isOfSameRank(there, item.version)) {
      again.push({ ...item, version: Math.max(there, item.version) + 1 });
    }
  }
}
