import { type Bucket, type RateStore, takeUnits } from "../../api/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { rateKey } from "./keys.ts";
import type { Expression, Table } from "./table.ts";

/** A bucket that nobody has taken from for so long is full: its item goes. */
const KEPT_SECONDS = 3_600;

/** There is none, or one that has expired and that DynamoDB has not deleted yet. */
const goneBy = (nowSeconds: number): Expression => ({
  expression: "attribute_not_exists(pk) OR expires_at <= :now",
  values: { ":now": nowSeconds },
});

/** One item a token, changed by compare-and-set; where nothing can be given, nothing is written. */
export function createDynamodbRateStore(table: Table): RateStore {
  return {
    take: (homeId, tokenId, asked) =>
      compareAndSet(table, async () => {
        const key = rateKey(homeId, tokenId);
        const item = await table.get(key);
        const known = item && (JSON.parse(String(item.data)) as Bucket);
        const { bucket, ...taken } = takeUnits(known, asked, asked);
        if (taken.granted === 0) return taken;
        const nowSeconds = Math.floor(table.clock.nowMs() / 1000);
        const content = {
          data: JSON.stringify(bucket),
          version: nextVersion(item),
          expires_at: nowSeconds + KEPT_SECONDS,
        };
        await table.put({ ...key, ...content }, item ? unchangedSince(item) : goneBy(nowSeconds));
        return taken;
      }),
  };
}
