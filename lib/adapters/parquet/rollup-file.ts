import { crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { HomeEvent } from "../../event/index.ts";
import { createRollup, decodeRollup, encodeRollup, type Rollup, type RollupBuilder } from "../../series/index.ts";

/*
 * A day's rollups: per entity one part for each hour in which it had events, compressed per entity. The hours are those of the home's clock (of the day's first
 * event), so that hours of a zone of half hours are no cut parts. Layout, little-endian: u32 magic, u32 CRC-32 of all that follows, u32 length of the index,
 * the index (zstd of JSON `[[entity id, bytes], ...]`), then each entity's parts in the order of the index (zstd of u32 length and `encodeRollup`, again and again).
 */

const MAGIC = 0x31_52_4c_48;
const HEAD_BYTES = 12;
const HOUR_US = 3_600_000_000;
const MINUTE_US = 60_000_000;

export interface DayRollup {
  /** The entity's next event; entities in any order among each other. */
  add(event: HomeEvent): void;
  finish(): Uint8Array;
}

export function createDayRollup(): DayRollup {
  const entities = new Map<string, { hour: number; open: RollupBuilder; parts: Uint8Array[] }>();
  let offsetUs: number | undefined;

  return {
    add: (event) => {
      offsetUs ??= (offsetMinutesOf(event.localTime) ?? 0) * MINUTE_US;
      const hour = Math.floor((event.atUs + offsetUs) / HOUR_US);
      let entity = entities.get(event.entityId);
      if (!entity) {
        entity = { hour, open: createRollup(), parts: [] };
        entities.set(event.entityId, entity);
      }
      if (entity.hour !== hour) {
        end(entity);
        entity.hour = hour;
        entity.open = createRollup();
      }
      entity.open.add(event);
    },
    finish: () => {
      const index: [string, number][] = [];
      const bodies: Uint8Array[] = [];
      for (const [entityId, entity] of [...entities].sort(([a], [b]) => (a < b ? -1 : 1))) {
        end(entity);
        const body = zstdCompressSync(Buffer.concat(entity.parts.flatMap((part) => [lengthOf(part), part])));
        index.push([entityId, body.length]);
        bodies.push(body);
      }
      const told = zstdCompressSync(Buffer.from(JSON.stringify(index)));
      const rest = Buffer.concat([lengthOf(told), told, ...bodies]);
      const head = Buffer.alloc(HEAD_BYTES - 4);
      head.writeUInt32LE(MAGIC, 0);
      head.writeUInt32LE(crc32(rest), 4);
      return new Uint8Array(Buffer.concat([head, rest]));
    },
  };
}

function end(entity: { readonly open: RollupBuilder; readonly parts: Uint8Array[] }): void {
  const part = entity.open.finish();
  if (part) entity.parts.push(encodeRollup(part));
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length, 0);
  return length;
}

/** Minutes east of Greenwich by the end of an ISO text. */
function offsetMinutesOf(localTime: string): number | undefined {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(localTime) ?? [];
  return sign === undefined ? undefined : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** The parts of one entity, ascending; empty: it had no events that day. @throws HearthlineError `store_damaged` */
export type RollupParts = (entityId: string) => readonly Rollup[];

/** @throws HearthlineError `store_damaged` */
export function openDayRollup(name: string, bytes: Uint8Array): RollupParts {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const damaged = (what: string, cause?: unknown) =>
    new HearthlineError("store_damaged", `The rollups "${name}" cannot be read: ${what}.`, { cause });
  if (buffer.length < HEAD_BYTES || buffer.readUInt32LE(0) !== MAGIC) throw damaged("they do not begin as such");
  if (crc32(buffer.subarray(8)) !== buffer.readUInt32LE(4)) throw damaged("their checksum is wrong");
  const places = new Map<string, Buffer>();
  try {
    const indexEnd = HEAD_BYTES + buffer.readUInt32LE(8);
    const index = zstdDecompressSync(buffer.subarray(HEAD_BYTES, indexEnd)).toString();
    let at = indexEnd;
    for (const [entityId, length] of JSON.parse(index) as [string, number][]) {
      places.set(entityId, buffer.subarray(at, at + length));
      at += length;
    }
  } catch (thrown) {
    throw damaged(messageOf(thrown), thrown);
  }
  return (entityId) => {
    const place = places.get(entityId);
    if (!place) return [];
    const body = zstdDecompressSync(place);
    const parts: Rollup[] = [];
    for (let at = 0; at < body.length; ) {
      const length = body.readUInt32LE(at);
      parts.push(decodeRollup(body.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    return parts;
  };
}
