import type { DeviceIndex, Seen } from "../../devices/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { homePartition, type Key, prefixOf, seenBucketKey, seenBucketOf, seenDeltaKey } from "./keys.ts";
import { PACKED_MAX_BYTES, pack, packPieces, unpack } from "./packed.ts";
import type { Table } from "./table.ts";

/** Entity, then the members of `Seen`: names would be most of the bytes. */
type SeenRow = readonly [
  entityId: string,
  atUs: number,
  state: string,
  deviceClass: string | null,
  unit: string | null,
];

/** One in so many writes also merges what has gathered; of large deltas as many more as keeps about this many bytes waiting. */
const WRITES_PER_MERGE = 32;
const BYTES_PER_MERGE = 65_536;
/** From here on the buckets cost no more than a delta, its share of a merge and its delete. */
const BYTES_AT_ONCE = 32_768;
/**
 * Deltas merged at once, and their bytes, at most: what is left waits for the next merge. A delete costs as many units as its item has kilobytes, and a partition gives
 * 1,000 a second: 5,000 entities seen in every batch would come to 2,247 without this bound.
 */
const DELTAS_PER_MERGE = 500;
const BYTES_PER_MERGE_MAX = 98_304;

/**
 * When each entity was seen last. A write adds one small packed item (a delta), whatever the number of entities; now and then the deltas are merged into 16 buckets by
 * compare-and-set. Updating buckets each time would cost a home at one flush a minute 16 writes and more a minute instead of about two, and functions would meet at them.
 * What is as large as the buckets themselves goes to them at once: as a delta it would be written and deleted first.
 * A bucket holds as many entities as fit an item (at the very least 1,200, by typical states over 10,000, so 20,000 to 160,000 a home); beyond that those seen longest ago are forgotten.
 */
export function createSeen(table: Table): Pick<DeviceIndex, "applySeen" | "seen"> {
  async function mergeBucket(key: Key, rows: readonly SeenRow[]): Promise<void> {
    await compareAndSet(table, async () => {
      const item = await table.get(key);
      const merged = new Map<string, SeenRow>();
      for (const row of [...(unpack(item?.packed) as SeenRow[]), ...rows]) keepLatest(merged, row);
      const packed = packNewest([...merged.values()]);
      await table.put({ ...key, packed, version: nextVersion(item) }, unchangedSince(item));
    });
  }

  async function mergeRows(homeId: string, rows: readonly SeenRow[]): Promise<void> {
    for (const [bucket, some] of Map.groupBy(rows, ([entityId]) => seenBucketOf(entityId)))
      await mergeBucket(seenBucketKey(homeId, bucket), some);
  }

  async function merge(homeId: string): Promise<void> {
    const rows: SeenRow[] = [];
    const merged: Key[] = [];
    let bytes = 0;
    for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("SEEN", "0") })) {
      bytes += packedBytes(item.packed);
      if (merged.length > 0 && bytes > BYTES_PER_MERGE_MAX) break;
      for (const row of unpack(item.packed) as SeenRow[]) rows.push(row);
      merged.push({ pk: item.pk, sk: item.sk });
      if (merged.length >= DELTAS_PER_MERGE) break;
    }
    await mergeRows(homeId, rows);
    // Only now: a crash before this line leaves deltas that say nothing new, never a hole.
    await table.writeMany({ deletes: merged });
  }

  return {
    async applySeen(homeId, seen) {
      if (seen.size === 0) return;
      const rows = [...seen].map(
        ([entityId, { atUs, state, deviceClass, unit }]): SeenRow => [
          entityId,
          atUs,
          state,
          deviceClass ?? null,
          unit ?? null,
        ],
      );
      const unique = () => Math.floor(table.random() * 2 ** 32).toString(36);
      const prefix = `${table.clock.nowMs()}-${unique()}${unique()}`;
      const pieces = packPieces(rows);
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (bytes >= BYTES_AT_ONCE) {
        await mergeRows(homeId, rows);
        return;
      }
      const puts = pieces.map((packed, piece) => ({ ...seenDeltaKey(homeId, `${prefix}-${piece}`), packed }));
      await table.writeMany({ puts });
      if (table.random() < Math.max(1 / WRITES_PER_MERGE, bytes / BYTES_PER_MERGE)) await merge(homeId);
    },

    async seen(homeId) {
      const latest = new Map<string, SeenRow>();
      // In the order of the keys: deltas before buckets.
      for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("SEEN") })) {
        for (const row of unpack(item.packed) as SeenRow[]) keepLatest(latest, row);
      }
      return new Map([...latest].map(([entityId, row]) => [entityId, toSeen(row)]));
    },
  };
}

const packedBytes = (packed: unknown): number => (packed instanceof Uint8Array ? packed.length : 0);

/** The later one; of two at the same time always the same one, whichever came first. */
function keepLatest(rows: Map<string, SeenRow>, row: SeenRow): void {
  const known = rows.get(row[0]);
  const isLater = !known || row[1] > known[1] || (row[1] === known[1] && JSON.stringify(row) > JSON.stringify(known));
  if (isLater) rows.set(row[0], row);
}

function packNewest(rows: SeenRow[]): Uint8Array {
  let kept = rows.sort((a, b) => b[1] - a[1]);
  for (let packed = pack(kept); ; packed = pack(kept)) {
    if (packed.length <= PACKED_MAX_BYTES) return packed;
    kept = kept.slice(0, Math.floor(kept.length * 0.9));
  }
}

const toSeen = ([, atUs, state, deviceClass, unit]: SeenRow): Seen => ({
  atUs,
  state,
  ...(deviceClass !== null && { deviceClass }),
  ...(unit !== null && { unit }),
});
