import type { Clock } from "../base/clock.ts";

/** Registry events come in bursts (a new integration): wait for quiet, but not for ever. */
export const QUIET_MS = 500;
const QUIET_MAX_MS = 5_000;

/** What has to be read again. */
export class StaleJobs<Job> {
  readonly #clock: Clock;
  readonly #jobs = new Set<Job>();
  #sinceMs = 0;
  #changes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#jobs.size;
  }

  mark(job: Job): void {
    if (this.#jobs.size === 0) this.#sinceMs = this.#clock.monotonicMs();
    this.#jobs.add(job);
    this.#changes += 1;
  }

  /** Waits a moment; takes them all if none was marked meanwhile or the first waits for long, else none. */
  async whenQuiet(): Promise<readonly Job[]> {
    const before = this.#changes;
    await this.#clock.sleep(QUIET_MS);
    if (this.#changes !== before && this.#clock.monotonicMs() - this.#sinceMs < QUIET_MAX_MS) return [];
    const jobs = [...this.#jobs];
    this.#jobs.clear();
    return jobs;
  }
}
