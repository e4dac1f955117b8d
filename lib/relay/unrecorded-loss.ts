import type { Logger } from "../base/log.ts";
import type { Spool } from "./ports.ts";

interface Lost {
  readonly count: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Events that went before they came into the spool, until the spool has a record of it. */
export class UnrecordedLoss {
  #lost: Lost | undefined;

  get isNone(): boolean {
    return this.#lost === undefined;
  }

  /** Later ones than before. */
  add(lost: Lost): void {
    const before = this.#lost;
    this.#lost = { ...lost, count: lost.count + (before?.count ?? 0), fromMs: before?.fromMs ?? lost.fromMs };
  }

  /** @throws what the spool throws; it is then still to be recorded */
  async record(spool: Spool, log: Logger): Promise<void> {
    const lost = this.#lost;
    if (!lost) return;
    this.#lost = undefined;
    try {
      await spool.recordLoss({ ...lost, reason: "the spool could not be written and the memory was full" });
      log.error("Events were lost while the spool could not be written.", { count: lost.count });
    } catch (thrown) {
      const since = this.#lost as Lost | undefined;
      this.#lost = lost;
      if (since) this.add(since);
      throw thrown;
    }
  }
}
