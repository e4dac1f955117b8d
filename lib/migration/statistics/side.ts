import { NO_TREND, type Trend, withReading } from "./trend.ts";

/** A start warms up: it fills its caches, and that is no leak. Of a short stage, a quarter. */
const WARM_UP_SECONDS = 600;

/** Growth of a count that may begin anew (a restart). */
interface Grown {
  readonly last?: number;
  readonly total: number;
}

export interface Side {
  readonly looks: number;
  readonly missed: number;
  /** Whether it says what memory it holds. */
  readonly hasMemory: boolean;
  readonly memory: Trend;
  readonly taken: Grown;
}

export const NO_LOOKS: Side = { looks: 0, missed: 0, hasMemory: false, memory: NO_TREND, taken: { total: 0 } };

export type SideReading = { readonly memoryBytes?: number; readonly taken?: number };

export interface LookOptions {
  /** Since the first look. */
  readonly atSeconds: number;
  /** How long the stage shall be. */
  readonly stageSeconds: number;
  readonly alpha: number;
}

export function withLook(
  side: Side,
  seen: SideReading | { readonly error: string },
  { atSeconds, stageSeconds, alpha }: LookOptions,
): Side {
  const looks = side.looks + 1;
  if ("error" in seen) return { ...side, looks, missed: side.missed + 1 };
  const isWarm = atSeconds >= Math.min(WARM_UP_SECONDS, stageSeconds / 4);
  const { memoryBytes, taken } = seen;
  return {
    looks,
    missed: side.missed,
    hasMemory: side.hasMemory || memoryBytes !== undefined,
    memory:
      memoryBytes === undefined || !isWarm
        ? side.memory
        : withReading(side.memory, [Math.round(atSeconds * 1_000) / 1_000, memoryBytes], alpha),
    taken: taken === undefined ? side.taken : grown(side.taken, taken),
  };
}

function grown({ last, total }: Grown, now: number): Grown {
  if (last === undefined) return { last: now, total };
  return { last: now, total: total + (now >= last ? now - last : now) };
}
