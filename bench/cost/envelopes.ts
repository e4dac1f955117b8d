import type { HomeKey } from "../../lib/event/index.ts";
import { dueInMs } from "../../lib/relay/flush.ts";
import { createEnvelopePacker } from "../../lib/relay/index.ts";
import type { SpooledRecord } from "../../lib/relay/ports.ts";
import type { TimedRecord } from "./home.ts";

/** A sealed message, and when it goes. */
export interface Envelope {
  readonly sentMs: number;
  readonly records: number;
  readonly text: string;
}

export interface EnvelopeOptions {
  readonly homeId: string;
  readonly key: HomeKey;
  readonly flushMs: number;
}

/** The messages that a relay makes of records, by its own packer and its own rule of when a message goes. */
export function* envelopesOf(
  records: Iterable<TimedRecord>,
  { homeId, key, flushMs }: EnvelopeOptions,
): Generator<Envelope> {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} };
  const packer = createEnvelopePacker({ homeId, relayId: "relay", key, clock });
  let pending: SpooledRecord[] = [];
  let bytes = 0;
  let n = 0;

  const dueMs = (): number => {
    const oldestAtMs = pending[0]?.appendedAtMs ?? Number.POSITIVE_INFINITY;
    const waiting = { records: pending.length, bytes, oldestAtMs, sinceMs: oldestAtMs };
    const { targetBytes, maxRecords } = packer;
    return nowMs + dueInMs(waiting, { flushMs, targetBytes, maxRecords, clock });
  };
  function* flush(): Generator<Envelope> {
    const packed = packer.pack(pending);
    if (!packed.fits) throw new Error(`Record ${packed.n} fits no message.`);
    pending = pending.slice(packed.count);
    bytes = pending.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
    for (const { text } of packed.message.pieces) yield { sentMs: nowMs, records: packed.count, text };
  }

  for (const { atMs, text } of records) {
    for (let due = dueMs(); pending.length > 0 && due <= atMs; due = dueMs()) {
      nowMs = Math.max(nowMs, due);
      yield* flush();
    }
    nowMs = Math.max(nowMs, atMs);
    n += 1;
    const line = `{"n":${n},${text.slice(1)}`;
    pending.push({ n, appendedAtMs: atMs, line });
    bytes += Buffer.byteLength(line);
  }
  while (pending.length > 0) {
    nowMs = Math.max(nowMs, dueMs());
    yield* flush();
  }
}
