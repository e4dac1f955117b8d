import { HearthlineError } from "../base/errors.ts";
import type { Packer, SpooledRecord } from "../relay/ports.ts";

/** Messages of one batch: sent together, and written down together before. */
const BATCH_MESSAGES = 8;
const BATCH_MAX_RECORDS = 20_000;

/** Records that were read and not packed yet, as JSON without their numbers. */
export class Batch {
  readonly #packer: Packer;
  #lines: string[] = [];
  #characters = 0;

  constructor(packer: Packer) {
    this.#packer = packer;
  }

  get records(): number {
    return this.#lines.length;
  }

  get isFull(): boolean {
    return this.#characters >= this.#packer.targetBytes * BATCH_MESSAGES || this.#lines.length >= BATCH_MAX_RECORDS;
  }

  add(text: string): void {
    this.#lines.push(text);
    this.#characters += text.length;
  }

  /** All of them as sealed messages, numbered from `after + 1`; the batch is empty then. */
  pack(after: number): string[] {
    let rest: SpooledRecord[] = this.#lines.map((text, at) => {
      const n = after + 1 + at;
      return { n, appendedAtMs: 0, line: `{"n":${n},${text.slice(1)}` };
    });
    const messages: string[] = [];
    while (rest.length > 0) {
      const packed = this.#packer.pack(rest);
      if (!packed.fits) {
        throw new HearthlineError("event_too_large", `A record of ${packed.bytes} bytes is more than a queue takes.`);
      }
      messages.push(...packed.message.pieces.map((piece) => piece.text));
      rest = rest.slice(packed.count);
    }
    this.#lines = [];
    this.#characters = 0;
    return messages;
  }
}
