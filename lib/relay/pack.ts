import type { Clock } from "../base/clock.ts";
import { ENVELOPE_MAX_RECORDS, type HomeKey, sealLines, UNPACKED_MAX_BYTES } from "../event/index.ts";
import { SQS_BILLING_UNIT_BYTES, SQS_MESSAGE_MAX_BYTES } from "../limits.ts";
import type { SpooledRecord } from "./ports.ts";

/** A sealed message of the first `count` records given; or the first record alone is larger than any message may be. */
export type Packed =
  | { readonly fits: true; readonly message: string; readonly count: number; readonly last: number }
  | { readonly fits: false; readonly n: number; readonly bytes: number };

/**
 * Packs records into messages that stay within one billing unit. How much fits is known only after compression, so the packer learns the ratio from
 * what it packed and tries again with fewer where it hoped for too much.
 */
export interface Packer {
  /** So many bytes of lines are likely to fill a message. */
  readonly targetBytes: number;
  /** Packs from the front of `records`, which are ascending and not empty. */
  pack(records: readonly SpooledRecord[]): Packed;
}

export interface PackerOptions {
  readonly homeId: string;
  readonly relayId: string;
  readonly key: HomeKey;
  readonly clock: Clock;
}

/** What `enrich` unfolds has a bound; stay well below it. */
const RAW_MAX_BYTES = UNPACKED_MAX_BYTES / 2;
/** Aim a little below the unit: the next message may compress a little worse. */
const AIM = 0.92;

export function createPacker(options: PackerOptions): Packer {
  // Sealed bytes a byte of lines. Events of a home compress to about a tenth, and base64 adds a third.
  let ratio = 0.2;
  const targetBytes = () => Math.min(RAW_MAX_BYTES, (SQS_BILLING_UNIT_BYTES * AIM) / ratio);

  function seal(records: readonly SpooledRecord[]): { message: string; last: number } {
    const first = records[0]?.n ?? 0;
    const last = records.at(-1)?.n ?? 0;
    const { homeId, relayId, key, clock } = options;
    const sentAt = new Date(clock.nowMs()).toISOString();
    const lines = records.map(({ line }) => line);
    return { message: sealLines(lines, { homeId, relayId, key, first, last, sentAt }), last };
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
    pack(records) {
      let { count, bytes } = frontOf(records, targetBytes());
      for (;;) {
        const { message, last } = seal(records.slice(0, count));
        learn(message.length, bytes);
        if (message.length <= SQS_BILLING_UNIT_BYTES) return { fits: true, message, count, last };
        if (count === 1) {
          const fits = message.length <= SQS_MESSAGE_MAX_BYTES;
          return fits ? { fits, message, count, last } : { fits, n: last, bytes: message.length };
        }
        const fewer = Math.floor(((count * SQS_BILLING_UNIT_BYTES) / message.length) * AIM);
        count = Math.max(1, Math.min(count - 1, fewer));
        bytes = records.slice(0, count).reduce((sum, { line }) => sum + Buffer.byteLength(line), 0);
      }
    },
  };
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
