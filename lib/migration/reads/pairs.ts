import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { MigrationStore, ReadPair } from "../ports.ts";

export interface PairGatherer {
  /** Keeps the pair until the next flush. Never waits, never throws. */
  add(homeId: string, id: string, pair: ReadPair): void;
  /** Writes what is kept. Never rejects: what could not be written is kept for the next one. */
  flush(): Promise<void>;
  /** Pairs that were given up: too many at once, or the store was away too long. */
  dropped(): number;
}

export interface PairGathererOptions {
  readonly store: Pick<MigrationStore, "addPairs">;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Pick<Logger, "warn">;
}

/** Pairs wait no longer than this. */
export const FLUSH_MS = 5_000;
/** So many are kept of each migration; more are dropped: what is measured here are samples. */
export const KEPT_MAX = 1_000;
/** After so many flushes in vain, one after the other, what is kept is dropped. */
const FAILURES_MAX = 12;

interface Kept {
  readonly homeId: string;
  readonly id: string;
  pairs: ReadPair[];
  failures: number;
}

/** Gathers pairs in memory and writes them a few seconds later, many at once. */
export function createPairGatherer({ store, clock, log }: PairGathererOptions): PairGatherer {
  const all = new Map<string, Kept>();
  let dropped = 0;
  let isWaiting = false;

  async function flushOne(name: string, kept: Kept): Promise<void> {
    const { homeId, id, pairs } = kept;
    kept.pairs = [];
    try {
      await store.addPairs(homeId, id, pairs);
      kept.failures = 0;
    } catch (error) {
      if (++kept.failures < FAILURES_MAX) {
        const both = [...pairs, ...kept.pairs];
        kept.pairs = both.slice(0, KEPT_MAX);
        dropped += both.length - kept.pairs.length;
      } else {
        dropped += pairs.length;
        log.warn("pairs of reads could not be written and are dropped", { homeId, migration: id, error });
      }
    }
    if (kept.pairs.length === 0) all.delete(name);
  }

  const flush = async (): Promise<void> => {
    await Promise.all([...all].map(([name, kept]) => flushOne(name, kept)));
  };

  async function flushLater(): Promise<void> {
    isWaiting = true;
    while (all.size > 0) {
      await clock.sleep(FLUSH_MS);
      await flush();
    }
    isWaiting = false;
  }

  return {
    add(homeId, id, pair) {
      const name = JSON.stringify([homeId, id]);
      const kept = all.get(name) ?? { homeId, id, pairs: [], failures: 0 };
      all.set(name, kept);
      if (kept.pairs.length < KEPT_MAX) kept.pairs.push(pair);
      else dropped++;
      if (!isWaiting) void flushLater();
    },
    flush,
    dropped: () => dropped,
  };
}
