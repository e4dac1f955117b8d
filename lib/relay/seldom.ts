import type { Clock } from "../base/clock.ts";

const EVERY_MS = 60_000;
const KINDS_MAX = 100;

/** Is it time to say this again? True once a minute for each kind: what goes wrong with every event must not fill the log. */
export function createSeldom(clock: Clock): (kind: string) => boolean {
  const saidAtMs = new Map<string, number>();
  return (kind) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - (saidAtMs.get(kind) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return false;
    if (saidAtMs.size >= KINDS_MAX) saidAtMs.clear();
    saidAtMs.set(kind, nowMs);
    return true;
  };
}
