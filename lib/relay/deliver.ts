import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { backoffMs } from "../base/retry.ts";
import type { Condition } from "./condition.ts";
import type { RelaySink, SinkAnswer, SinkLoss, SinkMessage, Spool, SpooledRecord } from "./ports.ts";

/** A message as it was packed, until everything in it is taken or accounted for. */
export interface Slot {
  readonly last: number;
  /** When its first record came into the spool. */
  readonly fromMs: number;
  /** Parts that are still under way; a message that was refused is divided into several. */
  open: number;
}

interface Part {
  readonly slot: Slot;
  readonly message: SinkMessage;
  /** Once it, or what it was divided from, was refused: how much the sink had taken before. More since then proves that the sink works. */
  readonly takenBefore?: number;
}

type Refused = Extract<SinkAnswer, { outcome: "refused" }>;

export interface DeliveryOptions {
  readonly sink: RelaySink;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly random: Random;
  readonly condition: Condition;
  readonly stopping: AbortSignal;
  /** A slot was closed, or a doubt ended. */
  readonly onChange: () => void;
}

const SPOOL_RETRY_MS = 5_000;
/** So many records may be in doubt before the next attempts are slowed down. */
const DOUBTS_FREE = 4;
/** A sink that refuses everything is asked about one more record no more often than this, in the end. */
const PACE_MAX_MS = 600_000;
const DOUBT_WAIT_MAX_MS = 30_000;
const REASON_MAX_CHARACTERS = 200;

/**
 * Brings messages to one sink. What fails is tried again until the relay ends. What is refused is divided until the record is found that the sink does not take; that one
 * is set aside as a loss of this sink, but only when the sink has said that it is the content's fault, or has taken something else meanwhile: a sink that is set up wrongly refuses
 * everything, and must not empty the spool.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #doubts = new Set<Promise<void>>();
  #turns: Promise<unknown> = Promise.resolve();
  /** Aborts when the sink takes something: who waits for that proof wakes. */
  #proof = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Resolves when every doubt has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#doubts);
  }

  /** Resolves when each part is closed, in doubt, or the relay ends. Never rejects. */
  async deliver(parts: readonly Part[]): Promise<void> {
    const { condition, stopping } = this.#options;
    const refused: (readonly [Part, Refused])[] = [];
    let open = parts.filter(({ message }) => message.pieces.length > 0);
    // What means nothing to the sink is not sent: it says nothing of the sink, and does not wait for it.
    for (const part of parts) if (!open.includes(part)) await this.#close(part);
    if (open.length > 0) await this.#pace();
    while (open.length > 0) {
      const isLastTry = stopping.aborted;
      await condition.breaker.enter(stopping);
      const failed: Part[] = [];
      for (const [part, answer] of await this.#ask(open)) {
        if (answer.outcome === "taken") await this.#close(part, answer.lost);
        else if (answer.outcome === "refused") refused.push([part, answer]);
        else failed.push(part);
      }
      open = failed;
      if (isLastTry || stopping.aborted) break;
    }
    for (const [part, answer] of refused) await this.#divide(part, answer);
  }

  /** A record that is larger than any message of this sink. */
  async giveUp(slot: Slot, record: { n: number; atMs: number; bytes: number }): Promise<void> {
    const reason = `the record takes ${record.bytes} bytes as a message, more than the sink takes`;
    const { n, atMs } = record;
    const message = { first: n, last: n, fromMs: atMs, toMs: atMs, pieces: [], lost: [] };
    await this.#close({ slot, message }, [{ first: n, last: n, count: 1, reason }]);
  }

  /** Asks the sink once, and lets the condition know. */
  async #ask(parts: readonly Part[]): Promise<(readonly [Part, SinkAnswer])[]> {
    const { sink, condition } = this.#options;
    const takenBefore = condition.messages;
    let answers: readonly SinkAnswer[] = [];
    let thrown: unknown = new HearthlineError("sink_refused", `The sink "${sink.name}" gave no answer for a message.`);
    try {
      answers = await sink.send(parts.map(({ message }) => message));
    } catch (error) {
      thrown = error;
    }
    const given = parts.map((_, index): SinkAnswer => answers[index] ?? { outcome: "failed", error: thrown });
    const taken = given.filter(({ outcome }) => outcome === "taken").length;
    if (taken > 0) {
      condition.took(taken);
      this.#proof.abort();
      this.#proof = new AbortController();
    }
    const failure = given.find((answer) => answer.outcome === "failed");
    if (failure) condition.failed(failure.error, failure.retryAfterMs);
    else condition.answered();
    return given.flatMap((answer, index) => {
      const part = parts[index];
      return part ? [[answer.outcome === "refused" ? { takenBefore, ...part } : part, answer] as const] : [];
    });
  }

  async #divide(part: Part, refusal: Refused): Promise<void> {
    const { sink } = this.#options;
    if (isSingle(part.message)) return this.#judge(part, refusal);
    const records = await this.#readAgain(part.message);
    if (!records) return;
    if (records.length === 1) return this.#judge(part, refusal);
    const middle = Math.ceil(records.length / 2);
    const parts: Part[] = [];
    for (const half of [records.slice(0, middle), records.slice(middle)]) {
      for (let rest = half; rest.length > 0; ) {
        const packed = sink.packer.pack(rest);
        // A record that fitted together with others fits alone.
        if (!packed.fits) return;
        parts.push({ ...part, message: packed.message });
        rest = rest.slice(packed.count);
      }
    }
    // None: the spool has given these records up meanwhile, and said so itself.
    part.slot.open += parts.length - 1;
    this.#options.onChange();
    for (let at = 0; at < parts.length; at += sink.batchMax) await this.deliver(parts.slice(at, at + sink.batchMax));
  }

  async #judge(part: Part, refusal: Refused): Promise<void> {
    if (refusal.isCertain || this.#isProved(part)) return this.#setAside(part, refusal.reason);
    const doubt = this.#doubt(part, refusal).finally(() => {
      this.#doubts.delete(doubt);
      this.#options.onChange();
    });
    this.#doubts.add(doubt);
  }

  /** Tries one record again and again, without holding up the others, until it is taken or it is sure that it alone is the reason. */
  async #doubt(part: Part, refusal: Refused): Promise<void> {
    const { sink, clock, random, condition, stopping } = this.#options;
    for (let attempt = 1; !stopping.aborted; attempt++) {
      const why = `The sink "${sink.name}" refuses record ${part.message.last}: ${refusal.reason}.`;
      condition.note(new HearthlineError("sink_refused", why));
      // So that all doubts together ask no more often than one alone; one that is nearly settled does not wait for the others.
      const maxMs = DOUBT_WAIT_MAX_MS * (this.#isProved(part) ? 1 : this.#doubts.size);
      await clock.sleep(backoffMs(attempt, random, { baseMs: 1_000, maxMs }), this.#wakeUp());
      const [answer] = await this.#inTurn(() => this.#askAgain(part));
      if (answer?.outcome === "taken") return this.#close(part, answer.lost);
      if (answer?.outcome === "refused" && (answer.isCertain || this.#isProved(part)))
        return this.#setAside(part, answer.reason);
    }
  }

  /** When the sink works again all wake at once; it still gets one question after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turns.then(work);
    this.#turns = mine.catch(() => {});
    return mine;
  }

  async #askAgain(part: Part): Promise<readonly SinkAnswer[]> {
    const { condition, stopping } = this.#options;
    await condition.breaker.enter(stopping);
    return (await this.#ask([part])).map(([, answer]) => answer);
  }

  /** The more records are in doubt, the longer until something else is tried: a sink that refuses everything gets little, and one good record behind many bad is found. */
  async #pace(): Promise<void> {
    const many = this.#doubts.size - DOUBTS_FREE;
    if (many < 0) return;
    await this.#options.clock.sleep(Math.min(PACE_MAX_MS, 1_000 * 2 ** many), this.#wakeUp());
  }

  /** The sink has taken something since it refused this. */
  #isProved({ takenBefore = Number.POSITIVE_INFINITY }: Part): boolean {
    return this.#options.condition.messages > takenBefore;
  }

  #wakeUp(): AbortSignal {
    return AbortSignal.any([this.#options.stopping, this.#proof.signal]);
  }

  #setAside(part: Part, reason: string): Promise<void> {
    const { first, last } = part.message.pieces[0] ?? part.message;
    return this.#close(part, [{ first, last, count: 1, reason }]);
  }

  /** What was lost is written down first; a loss that cannot be written keeps the part open. */
  async #close({ slot, message }: Part, more: readonly SinkLoss[] = []): Promise<void> {
    for (const loss of [...message.lost, ...more]) if (!(await this.#recordLoss(loss, message))) return;
    slot.open -= 1;
    this.#options.onChange();
  }

  async #recordLoss({ first, last, count, reason: said }: SinkLoss, message: SinkMessage): Promise<boolean> {
    const { spool, sink, clock, condition, stopping } = this.#options;
    const reason = said.slice(0, REASON_MAX_CHARACTERS);
    const { fromMs, toMs } = message;
    for (;;) {
      try {
        await spool.recordLoss({ count, reason, fromMs, toMs, range: [first, last], sink: sink.name });
        condition.lose(count, { reason, first, last });
        return true;
      } catch (thrown) {
        condition.spoolFailed("A loss could not be recorded.", { first, last, error: thrown });
        if (stopping.aborted) return false;
        await clock.sleep(SPOOL_RETRY_MS, stopping);
      }
    }
  }

  /** undefined: the relay ends. */
  async #readAgain({ first, last }: SinkMessage): Promise<readonly SpooledRecord[] | undefined> {
    const { spool, sink, clock, condition, stopping } = this.#options;
    while (!stopping.aborted) {
      try {
        const options = { limit: last - first + 1, maxBytes: Number.MAX_SAFE_INTEGER, after: first - 1 };
        const records = await spool.read(sink.name, options);
        return records.filter(({ n }) => n <= last);
      } catch (thrown) {
        condition.spoolFailed("The spool cannot be read.", { error: thrown });
        await clock.sleep(SPOOL_RETRY_MS, stopping);
      }
    }
    return undefined;
  }
}

/** One record, as far as the sink is concerned. */
const isSingle = ({ pieces: [piece, ...others] }: SinkMessage): boolean =>
  others.length === 0 && piece !== undefined && piece.first === piece.last;
