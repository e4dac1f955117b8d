import type { Clock } from "../../../lib/base/clock.ts";

/** Things to do later, in order of their time. One wait at a time on the clock, whatever the number of entries. */
export interface Timeline {
  /** Milliseconds of the monotonic clock. */
  now(): number;
  /** Calls `work` once, `delayMs` from now; the answer calls it off. */
  after(delayMs: number, work: () => void): () => void;
  /** Does everything that is due by now, in order. */
  runDue(): void;
  /** When the next entry is due; undefined when there is none. */
  nextDue(): number | undefined;
  /** Runs by itself from now on. Without it somebody else calls `runDue` (a manual clock). */
  drive(): void;
  stop(): void;
}

interface Entry {
  readonly due: number;
  readonly work: () => void;
}

/** No single wait on the clock is longer. */
const MAX_WAIT_MS = 60_000;

export function createTimeline(clock: Clock): Timeline {
  let entries: Entry[] = [];
  let isStopped = false;
  let isDriven = false;
  let wake = new AbortController();
  let sleepingUntil = Number.POSITIVE_INFINITY;

  const runDue = () => {
    for (let guard = 0; guard < 10_000; guard++) {
      const next = entries[0];
      if (isStopped || !next || next.due > clock.monotonicMs()) return;
      entries.shift();
      next.work();
      // What a callback put in for at once waits for the next turn, so that sockets are served in between.
      if (isDriven && entries[0] && entries[0].due <= next.due) return;
    }
  };

  const loop = async () => {
    while (!isStopped) {
      const due = entries[0]?.due ?? Number.POSITIVE_INFINITY;
      const waitMs = Math.min(MAX_WAIT_MS, Math.max(0, due - clock.monotonicMs()));
      wake = new AbortController();
      sleepingUntil = due;
      await clock.sleep(waitMs, wake.signal);
      sleepingUntil = Number.POSITIVE_INFINITY;
      runDue();
    }
  };

  return {
    now: () => clock.monotonicMs(),
    after(delayMs, work) {
      const entry: Entry = { due: clock.monotonicMs() + Math.max(0, delayMs), work };
      let place = entries.length;
      while (place > 0 && (entries[place - 1]?.due ?? 0) > entry.due) place--;
      entries.splice(place, 0, entry);
      if (isDriven && entry.due < sleepingUntil) wake.abort();
      return () => {
        entries = entries.filter((one) => one !== entry);
      };
    },
    runDue,
    nextDue: () => entries[0]?.due,
    drive() {
      if (isDriven) return;
      isDriven = true;
      void loop();
    },
    stop() {
      isStopped = true;
      entries = [];
      wake.abort();
    },
  };
}
