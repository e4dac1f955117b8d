import type { LostEvents } from "../../relay/ports.ts";
import { crc32c } from "./crc32c.ts";
import { type JournalFile, type JournalFiles, writeAll } from "./files.ts";

/**
 * The file `state`, version 1: what is not in the segments. Two slots of 128 KiB, written in turn and in place, so that one is always whole;
 * both are written when the file is made, so that a full disk cannot refuse them later: losses can be noted when nothing else can be written.
 *
 * Slot: magic "HLstate\n" (8) | version u16 | 0 u16 | generation u32 | JSON bytes u32 | CRC32C u32 of bytes 0..20 and the JSON | JSON (KeptState).
 * The whole slot with the higher generation counts.
 */
export const STATE_NAME = "state";
const STATE_VERSION = 1;
const MAGIC = "HLstate\n";
const SLOT_BYTES = 131_072;
const SLOT_HEAD_BYTES = 24;
/** Fills what was never written. */
const BLANK = 0x20;

/** Numbers that are gone, both ends included. */
export type Hole = readonly [first: number, last: number];

/** A loss that no record in a segment says yet. */
export interface PendingLoss extends LostEvents {
  readonly sink?: string;
}

export interface KeptState {
  readonly home_id: string;
  readonly relay_id: string;
  /** A number that was given; the last one only when `clean`. */
  readonly last: number;
  readonly revision: number;
  readonly losses: number;
  readonly cursors: Readonly<Record<string, number>>;
  /** Not in any segment, and said to be lost (or in `pending`). */
  readonly holes: readonly Hole[];
  readonly pending: readonly PendingLoss[];
  /** The first number of the segment that is written to. */
  readonly active?: number;
  /** Written at the end: nothing came after it. */
  readonly clean: boolean;
  /** Records of an earlier format are being taken over: begin again. */
  readonly taking: boolean;
}

export type StateRead =
  | { readonly is: "good"; readonly state: KeptState }
  | { readonly is: "newer"; readonly version: number }
  | { readonly is: "missing" | "damaged" };

/** The file's two slots. Not for two calls at once. */
export class StateFile {
  readonly #files: JournalFiles;
  #file: JournalFile | undefined;
  #generation = 0;

  constructor(files: JournalFiles) {
    this.#files = files;
  }

  async read(): Promise<StateRead> {
    let file: JournalFile;
    try {
      file = await this.#files.open(STATE_NAME, "read");
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code === "ENOENT") return { is: "missing" };
      throw thrown;
    }
    try {
      const bytes = Buffer.alloc(2 * SLOT_BYTES);
      const length = await file.read(bytes, 0, bytes.length);
      return this.#newer([
        bytes.subarray(0, Math.min(length, SLOT_BYTES)),
        bytes.subarray(SLOT_BYTES, Math.max(length, SLOT_BYTES)),
      ]);
    } finally {
      await file.close();
    }
  }

  /** Durable when it resolves. After a failure the state before it, or this one, is on the disk. */
  async write(state: KeptState): Promise<void> {
    const slot = encodeSlot(state, this.#generation + 1);
    this.#file ??= await this.#openOrMake(slot);
    await writeAll(this.#file, slot, ((this.#generation + 1) % 2) * SLOT_BYTES);
    await this.#file.sync();
    this.#generation += 1;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #openOrMake(slot: Buffer): Promise<JournalFile> {
    const has = (await this.#files.list()).find(({ name }) => name === STATE_NAME);
    if (has && has.bytes >= 2 * SLOT_BYTES) return this.#files.open(STATE_NAME, "write");
    const file = has ? await this.#files.open(STATE_NAME, "write") : await this.#files.create(STATE_NAME);
    try {
      // Bytes that are no zeros: a hole in a file is no room on the disk.
      const whole = Buffer.alloc(2 * SLOT_BYTES, BLANK);
      slot.copy(whole, ((this.#generation + 1) % 2) * SLOT_BYTES);
      await writeAll(file, whole, 0);
      await file.sync();
      await this.#files.syncFolder();
      return file;
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  #newer(slots: readonly Buffer[]): StateRead {
    const read = slots.map(decodeSlot).filter((slot) => slot !== undefined);
    const best = read.sort((a, b) => b.generation - a.generation)[0];
    if (!best) return { is: slots[0]?.length === 0 ? "missing" : "damaged" };
    this.#generation = best.generation;
    if (best.state === undefined) return { is: "newer", version: best.version };
    // What cannot be read may have been the newer one: an orderly end that the older one tells of is not the last word.
    const isSure = read.length === slots.length || slots.some(isBlank);
    return { is: "good", state: isSure ? best.state : { ...best.state, clean: false } };
  }
}

const isBlank = (slot: Buffer): boolean => slot.subarray(0, SLOT_HEAD_BYTES).every((byte) => byte === BLANK);

function encodeSlot(state: KeptState, generation: number): Buffer {
  const json = Buffer.from(JSON.stringify(state));
  const slot = Buffer.alloc(SLOT_HEAD_BYTES + json.length);
  if (slot.length > SLOT_BYTES) throw new RangeError(`The spool's state of ${slot.length} bytes is too long.`);
  slot.write(MAGIC, 0, "latin1");
  slot.writeUInt16LE(STATE_VERSION, 8);
  slot.writeUInt32LE(generation, 12);
  slot.writeUInt32LE(json.length, 16);
  json.copy(slot, SLOT_HEAD_BYTES);
  slot.writeUInt32LE(crcOf(slot, json.length), 20);
  return slot;
}

function decodeSlot(slot: Buffer): { generation: number; version: number; state?: KeptState } | undefined {
  if (slot.length < SLOT_HEAD_BYTES || slot.toString("latin1", 0, 8) !== MAGIC) return undefined;
  const length = slot.readUInt32LE(16);
  if (length > slot.length - SLOT_HEAD_BYTES || slot.readUInt32LE(20) !== crcOf(slot, length)) return undefined;
  const [version, generation] = [slot.readUInt16LE(8), slot.readUInt32LE(12)];
  if (version > STATE_VERSION) return { version, generation };
  const json = slot.toString("utf8", SLOT_HEAD_BYTES, SLOT_HEAD_BYTES + length);
  return { version, generation, state: JSON.parse(json) as KeptState };
}

/** Of the head before the CRC, and of the JSON. */
const crcOf = (slot: Buffer, jsonBytes: number): number => {
  const head = crc32c(slot, 0, 20);
  const json = crc32c(slot, SLOT_HEAD_BYTES, SLOT_HEAD_BYTES + jsonBytes);
  // Both have to be right; the sum of two CRCs tells as much as one over both.
  return (head ^ json) >>> 0;
};
