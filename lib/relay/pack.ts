import type { Clock } from "../base/clock.ts";
import { ENVELOPE_MAX_RECORDS, type HomeKey, sealLines, UNPACKED_MAX_BYTES } from "../event/index.ts";
import { SQS_BILLING_UNIT_BYTES, SQS_MESSAGE_MAX_BYTES } from "../limits.ts";
import type { Packer, SinkMessage, SpooledRecord } from "./ports.ts";

export interface EnvelopePackerOptions {
  readonly homeId: string;
  readonly relayId: string;
  readonly key: HomeKey;
  readonly clock: Clock;
}

/** What `enrich` unfolds has a bound; stay well below it. */
const RAW_MAX_BYTES = UNPACKED_MAX_BYTES / 2;
/** Aim a little below the unit: the next message may compress a little worse. */
const AIM = 0.92;

/**
 * Packs records into sealed envelopes that stay within one billing unit. How much fits is known only after compression, so the packer learns the ratio from
 * what it packed and tries again with fewer where it hoped for too much.
 */
export function createEnvelopePacker(options: EnvelopePackerOptions): Packer {
  // Sealed bytes a byte of lines. Events of a home compress to about a tenth, and base64 adds a third.
  let ratio = 0.2;
  const targetBytes = () => Math.min(RAW_MAX_BYTES, (SQS_BILLING_UNIT_BYTES * AIM) / ratio);

  function seal(records: readonly SpooledRecord[]): string {
    const first = records[0]?.n ?? 0;
    const last = records.at(-1)?.n ?? 0;
    const { homeId, relayId, key, clock } = options;
    const sentAt = new Date(clock.nowMs()).toISOString();
    const lines = records.map(({ line }) => line);
    return sealLines(lines, { homeId, relayId, key, first, last, sentAt });
  }

  function learn(sealedBytes: number, rawBytes: number): void {
    const measured = sealedBytes / rawBytes;
    // A small message compresses badly and says little about a full one.
    ratio = sealedBytes > SQS_BILLING_UNIT_BYTES / 4 ? measured : Math.min(ratio, measured);
  }

  return {
    get targetBytes() {
      return targetBytes();
    },
    maxRecords: ENVELOPE_MAX_RECORDS,
    pack(records) {
      let { count, bytes } = frontOf(records, targetBytes());
      for (;;) {
        const front = records.slice(0, count);
        const text = seal(front);
        learn(text.length, bytes);
        const fits = text.length <= (count === 1 ? SQS_MESSAGE_MAX_BYTES : SQS_BILLING_UNIT_BYTES);
        if (fits) return { fits, count, message: asMessage(front, text) };
        if (count === 1) return { fits, n: front[0]?.n ?? 0, bytes: text.length };
        const fewer = Math.floor(((count * SQS_BILLING_UNIT_BYTES) / text.length) * AIM);
        count = Math.max(1, Math.min(count - 1, fewer));
        bytes = records.slice(0, count).reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
      }
    },
  };
}

function asMessage(records: readonly SpooledRecord[], text: string): SinkMessage {
  const [first, last] = [records[0]?.n ?? 0, records.at(-1)?.n ?? 0];
  const [fromMs, toMs] = [records[0]?.appendedAtMs ?? 0, records.at(-1)?.appendedAtMs ?? 0];
  return { first, last, fromMs, toMs, pieces: [{ first, last, text }], lost: [] };
}

/** The longest front that has no hole in its numbers and keeps the limits; at least one record. */
function frontOf(records: readonly SpooledRecord[], maxBytes: number): { count: number; bytes: number } {
  let count = 0;
  let bytes = 0;
  const first = records[0]?.n ?? 0;
  for (const { n, line } of records) {
    const isNext = n === first + count && count < ENVELOPE_MAX_RECORDS;
    const size = Buffer.byteLength(line);
    if (count > 0 && (!isNext || bytes + size > maxBytes)) break;
    count += 1;
    bytes += size;
  }
  return { count, bytes };
}
