import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HearthlineError } from "../../base/errors.ts";
import type { HomeEvent } from "../../event/index.ts";
import { createRollup, decodeRollup, encodeRollup, type Rollup, type RollupBuilder } from "../../series/index.ts";

const HOUR_US = 3_600_000_000;
const LEVEL = 3;
/** A rollup of the longest state with several sums; a day has 24. */
const DAY_BYTES_MAX = 1_000_000;

/** The hours of a day of some entities, from their events in order. */
export interface DayRollups {
  add(event: HomeEvent): void;
  /** Each entity's day as bytes: its hours, each led by its length (four bytes, little-endian), compressed. */
  finish(): Map<string, Uint8Array>;
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
      const days = new Map<string, Uint8Array>();
      for (const [entityId, hour] of hours) {
        endHour(hour);
        days.set(entityId, packDay(hour.parts));
      }
      return days;
    },
  };
}

function endHour({ builder, parts }: Hour): void {
  const rollup = builder.finish();
  if (rollup) parts.push(encodeRollup(rollup));
}

function packDay(parts: readonly Uint8Array[]): Uint8Array {
  const pieces = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    return [length, part];
  });
  return zstdCompressSync(Buffer.concat(pieces), { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
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
