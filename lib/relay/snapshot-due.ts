import type { Clock } from "../base/clock.ts";

/** After frames that could not be read everything is read again, but no more often than this. */
const READ_AGAIN_MS = 60_000;
/** Where losses go on, every reading costs Home Assistant work and ends with the next loss. */
const READ_AGAIN_MAX_MS = 3_600_000;

/** Why it is not sure any more that all was heard. */
export type Doubt = "unreadable_frame" | "events_lost";

/** When all states are to be read again: what was heard since the last reading may not be all. */
export class SnapshotDue {
  readonly #clock: Clock;
  /** A snapshot of a Home Assistant that runs has been read, since the last that could not be read. */
  #isWhole = false;
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #readAgainMs = READ_AGAIN_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** A reading begins. */
  begin(): void {
    this.#isWhole = true;
    this.#wholeAtMs = this.#clock.monotonicMs();
  }

  /** In so long a reading is due, where one is wanted; 0 or less: now. */
  inMs(): number {
    return this.#wholeAtMs + this.#readAgainMs - this.#clock.monotonicMs();
  }

  doubt(cause: Doubt): void {
    if (cause === "events_lost") this.#putOff();
    this.#isWhole = false;
  }

  /** As long as events are lost nothing is read again, and the longer the sooner the last reading was followed by another loss. */
  #putOff(): void {
    const nowMs = this.#clock.monotonicMs();
    const isSoon = nowMs - this.#wholeAtMs < 2 * this.#readAgainMs;
    if (this.#isWhole) this.#readAgainMs = isSoon ? Math.min(2 * this.#readAgainMs, READ_AGAIN_MAX_MS) : READ_AGAIN_MS;
    if (Number.isFinite(this.#wholeAtMs)) this.#wholeAtMs = nowMs;
  }
}
