import { HearthlineError } from "../../base/errors.ts";
import { DYNAMODB_ITEM_MAX_BYTES } from "../../limits.ts";
import type { HotSegments, NewSegment, SegmentName } from "../parquet/ports.ts";
import {
  homeOfDirectoryKey,
  keyParts,
  SEGMENT_HOMES_PARTITION,
  segmentHomeKey,
  segmentKey,
  segmentPartition,
  segmentsBetween,
} from "./keys.ts";
import { isWorthSharing, type SharedSegments } from "./shared-segments.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Key, names of the attributes and what DynamoDB adds. */
const OVERHEAD_BYTES = 4_096;
/** That a home has segments is written again after so long: somebody may have dropped everything meanwhile. */
const REMEMBERED_MS = 3_600_000;
/** What a listing has brought is not asked for again: DynamoDB bills whole items, whatever of them is wanted. */
const LISTED_MAX_BYTES = 16 * 1024 * 1024;
const GETS_AT_ONCE = 16;
const DAY_SECONDS = 86_400;

export interface HotSegmentsOptions {
  /**
   * So many days after it was written a segment goes by the table's expiry, if nobody has removed it: longer than events are kept. As objects do by the bucket's rule, it
   * counts from the writing, so that a past that was brought today is there for the night's work.
   */
  readonly keptDays: number;
  /** Where segments of several homes may lie together; absent: each is in its item. */
  readonly shared?: SharedSegments;
}

/**
 * Segments as items, one write unit a kilobyte: cheaper than an object each, as long as they are small. Where larger ones come together, of many homes, they share an object
 * and the items say where. One partition a home, because a home writes a few segments a minute at most, and so that one query finds its days.
 */
export function createDynamodbHotSegments(table: Table, { keptDays, shared }: HotSegmentsOptions): HotSegments {
  const remembered = new Map<string, number>();
  let listedItems = new Map<string, Item>();
  let listedBytes = 0;

  async function remember(homeId: string): Promise<void> {
    const nowMs = table.clock.monotonicMs();
    if (nowMs - (remembered.get(homeId) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS) return;
    // Before the first segment, so that `drop` finds all.
    await table.put({ ...segmentHomeKey(homeId) });
    remembered.set(homeId, nowMs);
  }

  function keep(item: Item): void {
    const bytes = (item.bytes instanceof Uint8Array ? item.bytes.length : 0) + OVERHEAD_BYTES / 16;
    if (listedBytes + bytes > LISTED_MAX_BYTES) {
      listedItems = new Map();
      listedBytes = 0;
    }
    listedItems.set(nameOf(item), item);
    listedBytes += bytes;
  }

  /** Without days all of them: DynamoDB takes no empty text as a bound. */
  async function listed(homeId: string, ...days: [] | [fromDay: string, toDay: string]): Promise<SegmentName[]> {
    const found: SegmentName[] = [];
    const [fromDay, toDay] = days;
    const bounds = fromDay === undefined || toDay === undefined ? {} : { between: segmentsBetween(fromDay, toDay) };
    for await (const item of table.query({ pk: segmentPartition(homeId), ...bounds })) {
      const [day, name] = keyParts(item.sk);
      if (day === undefined || name === undefined || shared?.isGone(item, keptDays)) continue;
      found.push({ day, name });
      keep(item);
    }
    return found;
  }

  async function itemsOf(homeId: string, day: string, names: readonly string[]): Promise<Item[]> {
    const keys = names.map((name) => segmentKey(homeId, { day, name }));
    const known = keys.flatMap((key) => listedItems.get(nameOf(key)) ?? []);
    const there = new Set(known.map(nameOf));
    return [...known, ...(await table.getMany(keys.filter((key) => !there.has(nameOf(key)))))];
  }

  return {
    maxBytes: DYNAMODB_ITEM_MAX_BYTES - OVERHEAD_BYTES,
    append: async (segments) => {
      for (const homeId of new Set(segments.map((one) => one.homeId))) await remember(homeId);
      const expires_at = Math.ceil(table.clock.nowMs() / 1000) + keptDays * DAY_SECONDS;
      const apart = shared && isWorthSharing(segments) ? await shared.put(segments) : new Map<NewSegment, object>();
      const puts = segments.map((one) => ({
        ...segmentKey(one.homeId, one.segment),
        ...(apart.get(one) ?? { bytes: one.bytes }),
        expires_at,
      }));
      await table.writeMany({ puts });
    },
    newest: async (homeId, day) => {
      const between = segmentsBetween(day, day);
      for await (const { sk } of table.query({
        ...{ pk: segmentPartition(homeId), between, descending: true },
        ...{ pageSize: 1, keysOnly: true },
      }))
        return keyParts(sk)[1];
      return undefined;
    },
    list: listed,
    get: async (homeId, day, names) => {
      const found = new Map<string, Uint8Array>();
      const items = await itemsOf(homeId, day, names);
      for (let at = 0; at < items.length; at += GETS_AT_ONCE) {
        const some = items.slice(at, at + GETS_AT_ONCE);
        const bytes = await Promise.all(some.map((item) => bytesOf(item, { homeId, shared })));
        for (const [index, { sk }] of some.entries()) {
          const [name, one] = [keyParts(sk)[1], bytes[index]];
          if (name !== undefined && one) found.set(name, one);
        }
      }
      return found;
    },
    remove: async (homeId, day, names) => {
      const deletes = names.map((name) => segmentKey(homeId, { day, name }));
      for (const key of deletes) listedItems.delete(nameOf(key));
      await table.writeMany({ deletes });
    },
    drop: async () => {
      for await (const key of table.query({ pk: SEGMENT_HOMES_PARTITION })) {
        const homeId = homeOfDirectoryKey(key);
        const segments = await listed(homeId);
        await table.writeMany({ deletes: segments.map((segment) => segmentKey(homeId, segment)) });
        await table.remove(key);
      }
      remembered.clear();
      listedItems = new Map();
      listedBytes = 0;
      await shared?.drop();
    },
  };
}

const nameOf = ({ pk, sk }: { readonly pk: string; readonly sk: string }): string => JSON.stringify([pk, sk]);

/** undefined: the object of which it is a part is gone, by its age. */
async function bytesOf(
  item: Item,
  { homeId, shared }: { readonly homeId: string; readonly shared: SharedSegments | undefined },
): Promise<Uint8Array | undefined> {
  if (item.bytes instanceof Uint8Array) return item.bytes;
  const where = `The segment "${item.sk}" of home "${homeId}"`;
  if (typeof item.object !== "string") throw new HearthlineError("store_damaged", `${where} has no bytes.`);
  if (shared) return shared.get(item, where);
  throw new HearthlineError(
    "store_incompatible",
    `${where} lies in the object "${item.object}", and this deployment knows no place for objects; wanted is the bucket of HEARTHLINE_PARQUET_URL.`,
  );
}
