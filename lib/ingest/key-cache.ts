import type { Clock } from "../base/clock.ts";
import type { HomeKey } from "../event/index.ts";
import type { HomeKeys } from "./ports.ts";

export interface KeyCacheOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** How long a key is believed; as long does a revoked one go on. Default 60,000 ms. */
  readonly foundMs?: number;
  /** How long "no such key" is believed: short, so that a new home is heard soon. Default 5,000 ms. */
  readonly missingMs?: number;
  /** Answers kept; beyond it the oldest goes, so made-up home ids cannot fill the memory. Default 1,000. */
  readonly maxEntries?: number;
}

interface Answer {
  readonly key: HomeKey | undefined;
  readonly untilMs: number;
}

/** The same keys, each asked for once in a while. Errors are not kept. */
export function cachedHomeKeys(keys: HomeKeys, options: KeyCacheOptions): HomeKeys {
  const { clock, foundMs = 60_000, missingMs = 5_000, maxEntries = 1_000 } = options;
  const answers = new Map<string, Answer>();
  const cached = async (name: string, ask: () => Promise<HomeKey | undefined>): Promise<HomeKey | undefined> => {
    const known = answers.get(name);
    if (known && clock.monotonicMs() < known.untilMs) return known.key;
    const key = await ask();
    answers.delete(name);
    if (answers.size >= maxEntries) {
      const [oldest] = answers.keys();
      if (oldest !== undefined) answers.delete(oldest);
    }
    answers.set(name, { key, untilMs: clock.monotonicMs() + (key ? foundMs : missingMs) });
    return key;
  };
  return {
    find: (homeId, keyId) => cached(JSON.stringify([homeId, keyId]), () => keys.find(homeId, keyId)),
    current: (homeId) => cached(JSON.stringify([homeId]), () => keys.current(homeId)),
  };
}
