import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HearthlineError } from "../../base/errors.ts";
import type { HomeEvent } from "../../event/index.ts";
import { createRollup, decodeRollup, encodeRollup, type Rollup, type RollupBuilder } from "../../series/index.ts";

const HOUR_US = 3_600_000_000;
const LEVEL = 3;
/** States of Home Assistant's length make 50 KB of a day. What others have put in that is larger is asked of the events. */
const DAY_BYTES_MAX = 1_000_000;

/** As zlib has it; and what a frame takes at most beside what it holds, where that cannot be made smaller. */
const CHUNK_BYTES = 16_384;
const MORE_BYTES = 512;

/** The hours of a day of some entities, from their events in order. */
export interface DayRollups {
  add(event: HomeEvent): void;
  /**
   * Each entity's day as bytes: its hours, each led by its length (four bytes, little-endian), compressed. null: ask the events. Entities are named as SQLite keeps
   * them, in UTF-8; of several that come to one name only the events know which is which.
   */
  finish(): Map<string, Uint8Array | null>;
}

interface Hour {
  number: number;
  builder: RollupBuilder;
  readonly parts: Uint8Array[];
}

export function createDayRollups(): DayRollups {
  const hours = new Map<string, Hour>();
  return {
    add: (event) => {
      const number = Math.floor(event.atUs / HOUR_US);
      let hour = hours.get(event.entityId);
      if (!hour) {
        hour = { number, builder: createRollup(), parts: [] };
        hours.set(event.entityId, hour);
      } else if (hour.number !== number) {
        endHour(hour);
        hour.number = number;
        hour.builder = createRollup();
      }
      hour.builder.add(event);
    },
    finish: () => {
      const days = new Map<string, Uint8Array | null>();
      for (const [entityId, hour] of hours) {
        endHour(hour);
        const name = entityId.toWellFormed();
        days.set(name, name === entityId && !days.has(name) ? packDay(hour.parts) : null);
      }
      return days;
    },
  };
}

function endHour({ builder, parts }: Hour): void {
  const rollup = builder.finish();
  if (rollup) parts.push(encodeRollup(rollup));
}

function packDay(parts: readonly Uint8Array[]): Uint8Array | null {
  const pieces = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    return [length, part];
  });
  const bytes = Buffer.concat(pieces);
  if (bytes.length > DAY_BYTES_MAX) return null;
  // Without a checksum a bit that has turned in the file is a wrong sum.
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  // By itself it takes 16 KB for each entity, most of which have some hundred bytes.
  return zstdCompressSync(bytes, { params, chunkSize: Math.min(CHUNK_BYTES, bytes.length + MORE_BYTES) });
}

/** @throws HearthlineError `store_damaged` */
export function unpackDay(body: Uint8Array): Rollup[] {
  let bytes: Buffer;
  try {
    bytes = zstdDecompressSync(body, { maxOutputLength: DAY_BYTES_MAX });
  } catch (thrown) {
    throw damaged(thrown);
  }
  const parts: Rollup[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw damaged();
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) throw damaged();
    parts.push(decodeRollup(bytes.subarray(at + 4, end)));
    at = end;
  }
  return parts;
}

const damaged = (cause?: unknown): HearthlineError =>
  new HearthlineError(
    "store_damaged",
    "The rollups of a day cannot be read; wanted is a backup of the file, or the day's rollups deleted, so that they are made again.",
    { cause },
  );
