import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import { type BlockTags, type Body, entitiesOf, readBody } from "./body.ts";
import { ByteReader, ByteWriter, MAX_ROWS } from "./bytes.ts";
import { damaged } from "./damaged.ts";
import { type BlockFilter, Decoder } from "./decode.ts";
import { Encoder } from "./encode.ts";
import { HEADER_BYTES, MAGIC, MARK_BY_TIME, VERSION } from "./layout.ts";

/** Differences of times below it are exact. */
const FAR_US = 2 ** 52;
const LEVEL = 1;
/** About what a row takes before compression. */
const ROW_BYTES = 48;

export interface BlockOptions {
  /** zstd's level, 1 to 19. Default 1: each further one costs more time than it saves bytes, as long as blocks are written at full speed. */
  readonly level?: number;
}

/** A block that was opened: what its header says, and its events. */
export interface Block {
  readonly homeId: string;
  readonly count: number;
  /** Of the first and the last event by time. */
  readonly minUs: Microseconds;
  readonly maxUs: Microseconds;
  /**
   * The wanted events, in the block's order. Events share attributes and weather: nobody may change them.
   * @throws HearthlineError `store_damaged`
   */
  events(filter?: BlockFilter): HomeEvent[];
  /** `events` for someone who asks for one span after another, each where the last one ended or later: it reads on from there. Others cost what `events` does. */
  reader(): (filter?: BlockFilter) => HomeEvent[];
  /** The entities of which some event has all these tags, in no order. */
  entityIds(tags: BlockTags): string[];
}

/**
 * Some events of one home, at least one, as bytes that stand alone: versioned, with a checksum, compressed. In the order in which they are given; by time is smallest.
 * Gives back every member exactly; attributes and weather as JSON has them (-0 is 0).
 */
export function encodeBlock(events: readonly HomeEvent[], { level = LEVEL }: BlockOptions = {}): Buffer {
  const [first] = events;
  if (!first) throw new RangeError("A block of no events was asked for; wanted is at least one.");
  const encoder = new Encoder(events.length, checkTimes(events, first.homeId));
  for (const event of events) encoder.add(event);
  const body = new ByteWriter(events.length * ROW_BYTES + 4096);
  encoder.write(body);
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const packed = zstdCompressSync(body.written(), { params });
  const home = Buffer.from(first.homeId, "utf16le");
  const block = new ByteWriter(HEADER_BYTES + home.length + packed.length + encoder.random.length);
  block.u32((VERSION << 16) | MAGIC);
  block.u32(0);
  block.u32(events.length);
  block.f64(encoder.minUs);
  block.f64(encoder.maxUs);
  block.u32(body.length);
  block.u32(packed.length);
  block.u32(encoder.random.length);
  block.u8(encoder.marks);
  block.u32(home.length);
  block.raw(home);
  block.raw(packed);
  block.raw(encoder.random);
  const bytes = block.written();
  block.patchU32(4, crc32(bytes.subarray(8)));
  return bytes;
}

/** Whether some time is far away. @throws TypeError for what is no time, or of another home: it would not come back */
function checkTimes(events: readonly HomeEvent[], homeId: string): boolean {
  let isFar = false;
  for (const { homeId: home, atUs, lastChangedUs } of events) {
    if (!Number.isSafeInteger(atUs) || !Number.isSafeInteger(lastChangedUs)) {
      throw new TypeError(
        `An event is at "${atUs}", last changed at "${lastChangedUs}"; wanted are whole microseconds.`,
      );
    }
    if (home !== homeId) throw new TypeError(`A block is of home "${homeId}" and got an event of home "${home}".`);
    if (Math.abs(atUs) >= FAR_US || Math.abs(lastChangedUs) >= FAR_US) isFar = true;
  }
  return isFar;
}

/**
 * Reads the header and checks the checksum. What is asked for decompresses the block; its columns (about 100 bytes a row) are kept as long as it is.
 * The bytes must not change meanwhile.
 * @throws HearthlineError `store_damaged` (also for a version that this program does not know)
 */
export function openBlock(bytes: Uint8Array): Block {
  const reader = new ByteReader(bytes);
  const kind = reader.u32();
  if ((kind & 0xffff) !== MAGIC) throw damaged("it does not begin as one");
  if (kind >>> 16 !== VERSION) throw damaged(`it is of version ${kind >>> 16}, this program knows ${VERSION}`);
  const checksum = reader.u32();
  if (crc32(bytes.subarray(8)) !== checksum) throw damaged("its checksum is wrong");
  const count = reader.u32();
  const [minUs, maxUs] = [reader.f64(), reader.f64()];
  const [length, packedLength, randomLength] = [reader.u32(), reader.u32(), reader.u32()];
  const marks = reader.u8();
  const homeId = reader.raw(reader.u32()).toString("utf16le");
  if (count > MAX_ROWS) throw damaged(`it should hold ${count} events`);
  const packed = reader.raw(packedLength);
  const random = reader.raw(randomLength);
  const head = { homeId, count, marks, random };
  let body: Body | undefined;
  const unpacked = (): Body => {
    body ??= readBody(new ByteReader(unpack(packed, length)), head);
    return body;
  };
  const isOutside = ({ fromUs, toUs }: BlockFilter): boolean =>
    (fromUs !== undefined && maxUs < fromUs) || (toUs !== undefined && minUs >= toUs);
  return {
    homeId,
    count,
    minUs,
    maxUs,
    events: (filter = {}) => (isOutside(filter) ? [] : new Decoder(unpacked(), filter.entityIds).events(filter)),
    reader: () => {
      const open = readOn((entityIds) => new Decoder(unpacked(), entityIds), (marks & MARK_BY_TIME) !== 0);
      return (filter = {}) => (isOutside(filter) ? [] : open(filter));
    },
    entityIds: (tags) => entitiesOf(unpacked(), tags),
  };
}

/** One decoder as long as it can go on. */
function readOn(open: (entityIds: BlockFilter["entityIds"]) => Decoder, isByTime: boolean) {
  let decoder: Decoder | undefined;
  let untilUs = Number.NEGATIVE_INFINITY;
  let of: BlockFilter["entityIds"];
  return (filter: BlockFilter): HomeEvent[] => {
    const { fromUs = Number.NEGATIVE_INFINITY, toUs = Number.POSITIVE_INFINITY, entityIds } = filter;
    const isNext = isByTime && entityIds === of && fromUs >= untilUs;
    const known = isNext ? decoder : undefined;
    const own = known ?? open(entityIds);
    // One that fails is not where it says.
    decoder = undefined;
    const events = own.events(filter);
    // A span that ends before it begins brings nobody back.
    [decoder, untilUs, of] = [own, known ? Math.max(untilUs, toUs) : toUs, entityIds];
    return events;
  };
}

function unpack(packed: Uint8Array, length: number): Uint8Array {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, length) });
  } catch (thrown) {
    throw damaged("it cannot be decompressed", thrown);
  }
}

/** All events of a block. @throws HearthlineError `store_damaged` */
export const decodeBlock = (bytes: Uint8Array): HomeEvent[] => openBlock(bytes).events();
