import type { Clock } from "../../base/clock.ts";
import type { HistoryChunk, ImportSink } from "../../history/index.ts";

export interface PaceOptions {
  readonly sink: Pick<ImportSink, "waiting">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly rowsMax: number;
  readonly msMax: number;
}

/** With so many messages in front of the store it waits: live events share the queue. */
const AHEAD_MAX_MESSAGES = 100;
/** So many rows are some ten messages. */
const ROWS_PER_LOOK = 10_000;
const LOOK_MS = 500;

/** Ends a history early: when a step's rows or its time are used up, and while too much waits in front of the store. */
export class Pace {
  /** There is more. */
  isCut = false;
  /** How many messages lay in front of the store, when that was why. */
  waiting: number | undefined;
  /** Of the whole past. */
  fraction = 0;
  readonly #options: PaceOptions;
  readonly #untilMs: number;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#untilMs = options.clock.monotonicMs() + options.msMax;
  }

  async *paced(chunks: AsyncIterable<HistoryChunk> = none()): AsyncGenerator<HistoryChunk> {
    if (!(await this.#hasRoom())) return;
    let rows = 0;
    let unlooked = 0;
    for await (const chunk of chunks) {
      yield chunk;
      this.fraction = chunk.fraction;
      rows += chunk.rows.length;
      unlooked += chunk.rows.length;
      this.isCut = rows >= this.#options.rowsMax || this.#isLate();
      if (this.isCut) return;
      if (unlooked < ROWS_PER_LOOK) continue;
      unlooked = 0;
      if (!(await this.#hasRoom())) return;
    }
  }

  #isLate(): boolean {
    const { clock, signal } = this.#options;
    return signal.aborted || clock.monotonicMs() >= this.#untilMs;
  }

  async #hasRoom(): Promise<boolean> {
    const { sink, clock, signal } = this.#options;
    for (;;) {
      const waiting = await sink.waiting();
      this.waiting = waiting <= AHEAD_MAX_MESSAGES ? undefined : waiting;
      if (this.waiting === undefined) return true;
      this.isCut = this.#isLate();
      if (this.isCut) return false;
      await clock.sleep(LOOK_MS, signal);
    }
  }
}

async function* none(): AsyncGenerator<HistoryChunk> {}
