/** The simulated clock: starts at a moment and runs `speed` times as fast as the monotonic clock; it can be held back and stepped. */
export interface SimClock {
  /** Seconds since 1970 on the generator's own clock: never steps. */
  now(): number;
  /** Monotonic milliseconds until the generator's clock shows `at`. */
  msUntil(at: number): number;
  /** Goes on from `at` as of now: used when making events took longer than the time they stand for, or a reader lags behind. */
  holdAt(at: number): void;
  /** What Home Assistant's clock shows beside the generator's, in seconds: moved by the fault `clock-step`. */
  readonly stepSeconds: number;
  step(seconds: number): void;
}

export function createSimClock(options: {
  readonly startAt: number;
  readonly speed: number;
  /** Milliseconds of a monotonic clock. */
  readonly monotonicMs: () => number;
}): SimClock {
  const { speed, monotonicMs } = options;
  let base = options.startAt;
  let baseMs = monotonicMs();
  let stepSeconds = 0;
  const now = () => base + ((monotonicMs() - baseMs) / 1000) * speed;
  return {
    now,
    msUntil: (at) => ((at - now()) / speed) * 1000,
    holdAt(at) {
      base = at;
      baseMs = monotonicMs();
    },
    get stepSeconds() {
      return stepSeconds;
    },
    step: (seconds) => {
      stepSeconds += seconds;
    },
  };
}
