import type { RelayRecord } from "../../lib/event/index.ts";
import type { Packer, RelaySink, SinkAnswer, SinkMessage } from "../../lib/relay/ports.ts";

/** A packer of one piece a record, at most `maxRecords` in a message; every fifth record, and what is no event, means nothing to the sink. */
export const piecePacker = (maxRecords: number): Packer => ({
  targetBytes: maxRecords * 1_000,
  maxRecords,
  pack(records) {
    const front = records.slice(0, maxRecords);
    const [first, last] = [front[0]?.n ?? 0, front.at(-1)?.n ?? 0];
    const isEvent = (line: string) => (JSON.parse(line) as RelayRecord).t === "state";
    const pieces = front
      .filter(({ n, line }) => isMeant(n) && isEvent(line))
      .map(({ n }) => ({ first: n, last: n, text: String(n) }));
    const message = { first, last, fromMs: 1, toMs: 2, pieces, lost: [] };
    return { fits: true, count: front.length, message };
  },
});

export const isMeant = (n: number): boolean => n % 5 !== 0;

export const numbersIn = (message: SinkMessage): number[] => message.pieces.map(({ first }) => first);

/** A sink that answers as told; notes what it was asked and what it took. */
export class PieceSink implements RelaySink {
  readonly name: string;
  readonly packer: Packer;
  readonly flushMs = 1_000;
  readonly batchMax: number;
  readonly inFlightMax: number;
  readonly asked: number[][] = [];
  readonly taken = new Set<number>();
  answer: (message: SinkMessage, call: number) => Promise<SinkAnswer> = async () => ({ outcome: "taken" });
  /** Thrown for the whole call, before anything is taken. */
  before: (call: number) => Promise<void> = async () => {};
  /** Thrown for the whole call, after it was taken. */
  after: (call: number) => Promise<void> = async () => {};
  calls = 0;

  constructor({ name = "old", maxRecords = 10, batchMax = 1, inFlightMax = 1 } = {}) {
    this.name = name;
    this.packer = piecePacker(maxRecords);
    this.batchMax = batchMax;
    this.inFlightMax = inFlightMax;
  }

  async send(messages: readonly SinkMessage[]): Promise<readonly SinkAnswer[]> {
    const call = ++this.calls;
    for (const message of messages) this.asked.push(numbersIn(message));
    await this.before(call);
    const answers = await Promise.all(messages.map((message) => this.answer(message, call)));
    for (const [at, message] of messages.entries())
      if (answers[at]?.outcome === "taken") for (const n of numbersIn(message)) this.taken.add(n);
    await this.after(call);
    return answers;
  }
}
