import { HearthlineError } from "../../base/errors.ts";
import { DYNAMODB_ITEM_MAX_BYTES } from "../../limits.ts";
import type { HotSegments, SegmentName } from "../parquet/ports.ts";
import {
  homeOfDirectoryKey,
  keyParts,
  SEGMENT_HOMES_PARTITION,
  segmentHomeKey,
  segmentKey,
  segmentPartition,
  segmentsBetween,
} from "./keys.ts";
import type { Table } from "./table.ts";

/** Key, names of the attributes and what DynamoDB adds. */
const OVERHEAD_BYTES = 4_096;
/** That a home has segments is written again after so long: somebody may have dropped everything meanwhile. */
const REMEMBERED_MS = 3_600_000;

/**
 * Segments as items, one write unit a kilobyte: cheaper than an object each, as long as they are small. One partition a home, because a home writes a few segments
 * a minute at most, and so that one query finds its days.
 */
export function createDynamodbHotSegments(table: Table): HotSegments {
  const remembered = new Map<string, number>();

  async function remember(homeId: string): Promise<void> {
    const nowMs = table.clock.monotonicMs();
    if (nowMs - (remembered.get(homeId) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS) return;
    // Before the first segment, so that `drop` finds all.
    await table.put({ ...segmentHomeKey(homeId) });
    remembered.set(homeId, nowMs);
  }

  /** Without days all of them: DynamoDB takes no empty text as a bound. */
  async function listed(homeId: string, ...days: [] | [fromDay: string, toDay: string]): Promise<SegmentName[]> {
    const found: SegmentName[] = [];
    const [fromDay, toDay] = days;
    const bounds = fromDay === undefined || toDay === undefined ? {} : { between: segmentsBetween(fromDay, toDay) };
    for await (const { sk } of table.query({ pk: segmentPartition(homeId), ...bounds, keysOnly: true })) {
      const [day, name] = keyParts(sk);
      if (day !== undefined && name !== undefined) found.push({ day, name });
    }
    return found;
  }

  return {
    maxBytes: DYNAMODB_ITEM_MAX_BYTES - OVERHEAD_BYTES,
    append: async (homeId, segment, bytes) => {
      await remember(homeId);
      await table.put({ ...segmentKey(homeId, segment), bytes });
    },
    list: listed,
    get: async (homeId, day, names) => {
      const found = new Map<string, Uint8Array>();
      for (const { sk, bytes } of await table.getMany(names.map((name) => segmentKey(homeId, { day, name })))) {
        const name = keyParts(sk)[1];
        if (name === undefined) continue;
        if (!(bytes instanceof Uint8Array)) {
          throw new HearthlineError(
            "store_damaged",
            `The segment "${name}" of home "${homeId}", day ${day}, has no bytes.`,
          );
        }
        found.set(name, bytes);
      }
      return found;
    },
    remove: (homeId, day, names) =>
      table.writeMany({ deletes: names.map((name) => segmentKey(homeId, { day, name })) }),
    drop: async () => {
      for await (const key of table.query({ pk: SEGMENT_HOMES_PARTITION })) {
        const homeId = homeOfDirectoryKey(key);
        const segments = await listed(homeId);
        await table.writeMany({ deletes: segments.map((segment) => segmentKey(homeId, segment)) });
        await table.remove(key);
      }
      remembered.clear();
    },
  };
}
