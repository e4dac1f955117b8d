import { type Bucket, type RateStore, takeUnits } from "../../api/ports.ts";

/** Buckets that live as long as their process. */
export function createMemoryRateStore(): RateStore {
  const buckets = new Map<string, Bucket>();
  return {
    async take(homeId, tokenId, asked) {
      const name = JSON.stringify([homeId, tokenId]);
      const { bucket, ...taken } = takeUnits(buckets.get(name), asked, asked);
      buckets.set(name, bucket);
      return taken;
    },
  };
}
