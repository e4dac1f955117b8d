import { statfs } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Clock } from "../base/clock.ts";
import type { Machine } from "../relay/index.ts";

const DISK_EVERY_MS = 10_000;
/** How often a sample of the event loop's delay is taken. */
const LOOP_RESOLUTION_MS = 20;
const LOOP_WINDOW_MS = 60_000;

/** The process and the disk of `folder`, as health shows them. A disk that hangs is asked once, and holds nobody up. */
export function createMachine(folder: string, clock: Clock): Machine {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  histogram.enable();
  let windowAtMs = clock.monotonicMs();
  let lastWindowMs = 0;
  let freeBytes: number | undefined;
  let diskAtMs = Number.NEGATIVE_INFINITY;
  let isAsking = false;

  async function askDisk(): Promise<void> {
    isAsking = true;
    diskAtMs = clock.monotonicMs();
    try {
      const { bavail, bsize } = await statfs(folder);
      freeBytes = bavail * bsize;
    } catch {
      // Not there yet, or not this kind of system: then it is not known.
      freeBytes = undefined;
    }
    isAsking = false;
  }
  void askDisk();

  return {
    rssBytes: () => process.memoryUsage.rss(),
    loopLagMs() {
      // The samples' own distance is no delay.
      const lagMs = Math.max(0, Math.round(histogram.max / 1e6 - LOOP_RESOLUTION_MS));
      const shownMs = Math.max(lagMs, lastWindowMs);
      if (clock.monotonicMs() - windowAtMs < LOOP_WINDOW_MS) return shownMs;
      windowAtMs = clock.monotonicMs();
      lastWindowMs = lagMs;
      histogram.reset();
      return shownMs;
    },
    diskFreeBytes() {
      if (!isAsking && clock.monotonicMs() - diskAtMs >= DISK_EVERY_MS) void askDisk();
      return freeBytes;
    },
  };
}
