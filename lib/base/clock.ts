/** Time as an argument: everything that asks for the time or waits takes a `Clock`. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. May go backwards when somebody sets the clock. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never goes backwards. For durations and deadlines. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
    }),
};
