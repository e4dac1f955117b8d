import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";

export interface Background {
  /** Takes the work on, or not: false when as much waits as may. `rows`: what it holds in memory while it waits. Never waits, never throws. */
  add(work: (signal: AbortSignal) => Promise<void>, rows: number): boolean;
  /** Works that were not taken, or given up by the time-out. */
  dropped(): number;
  /** Resolves when nothing is under way or waits. */
  idle(): Promise<void>;
}

export interface BackgroundOptions {
  readonly clock: Pick<Clock, "sleep" | "monotonicMs">;
  readonly log: Pick<Logger, "warn">;
  /** Works at once. Default 1. */
  readonly concurrency?: number;
  /** Rows that waiting works may hold together. Default 10,000. */
  readonly rowsMax?: number;
  /** Works that may wait. Default 20: what would wait longer is compared with a past that nobody sees any more. */
  readonly waitingMax?: number;
  /** What takes longer is told to end, and its place is free. Default 10,000. */
  readonly timeoutMs?: number;
  /** So long after it was taken on, work begins: whoever made it has his answer by then. Default 20. */
  readonly delayMs?: number;
  /** After each work its place stays empty for so long at least, and for four times as long as the work took, up to a second: whoever asks meanwhile finds the thread free. Default 100. */
  readonly restMs?: number;
}

const REST_SHARE = 4;
const REST_MAX_MS = 1_000;

/** Work that nobody waits for: little at once and with rests, some waiting, the rest dropped; what hangs is given up. */
export function createBackground({
  clock,
  log,
  concurrency = 1,
  rowsMax = 10_000,
  waitingMax = 20,
  timeoutMs = 10_000,
  delayMs = 20,
  restMs = 100,
}: BackgroundOptions): Background {
  const waiting: { readonly work: (signal: AbortSignal) => Promise<void>; readonly rows: number }[] = [];
  let rowsWaiting = 0;
  let running = 0;
  let dropped = 0;
  let whenIdle: (() => void)[] = [];

  async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await clock.sleep(delayMs);
    const startedMs = clock.monotonicMs();
    const timeout = new AbortController();
    const over = new AbortController();
    const late = clock.sleep(timeoutMs, over.signal).then(() => {
      if (over.signal.aborted) return;
      dropped++;
      timeout.abort();
    });
    const done = (async () => work(timeout.signal))().catch((error) => {
      if (!timeout.signal.aborted) log.warn("a read in the background broke off", { error });
    });
    await Promise.race([done, late]);
    over.abort();
    const tookMs = clock.monotonicMs() - startedMs;
    if (restMs > 0) await clock.sleep(Math.min(REST_MAX_MS, Math.max(restMs, REST_SHARE * tookMs)));
  }

  function next(): void {
    while (running < concurrency) {
      const first = waiting.shift();
      if (!first) break;
      rowsWaiting -= first.rows;
      running++;
      void run(first.work).finally(() => {
        running--;
        next();
      });
    }
    if (running > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  return {
    add(work, rows) {
      // One that is larger than all room is taken when nothing else waits.
      if (waiting.length >= waitingMax || (waiting.length > 0 && rowsWaiting + rows > rowsMax)) {
        dropped++;
        return false;
      }
      waiting.push({ work, rows });
      rowsWaiting += rows;
      next();
      return true;
    },
    dropped: () => dropped,
    idle: () =>
      running === 0 && waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenIdle.push(resolve);
          }),
  };
}
