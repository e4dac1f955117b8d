import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { HearthlineError } from "../base/errors.ts";

/**
 * The file, all numbers little-endian (docs/backup.md describes it for readers of other programs):
 *
 *   header  64 bytes
 *   frame   36 bytes, then its payload; numbered from 0; the first is of the section `manifest`, the last of `end`
 *   ...
 *   tail    40 bytes, and nothing behind it
 *
 * Every bit is under a CRC-32 (of the header, of each frame) and under the SHA-256 in the tail; the number in a frame finds chunks that are missing,
 * doubled or in another order.
 */
export const MAGIC = Buffer.from("\x89HLBK\r\n\x1a", "latin1");
const END_MARK = Buffer.from("HLBKEND\n", "latin1");

export const FORMAT_MAJOR = 1;
export const FORMAT_MINOR = 0;
export const HEADER_BYTES = 64;
export const FRAME_HEAD_BYTES = 36;
export const TAIL_BYTES = 40;
/** Of one chunk, stored or unfolded: what a reader must be able to hold. Ours are about 2 MiB; only a crafted file comes near. */
export const CHUNK_MAX_BYTES = 16 * 1024 * 1024;

const SECTION_BYTES = 16;
const SECTION_NAME = /^[a-z][a-z0-9-]{0,15}$/;
const FLAG_SEALED = 1;

/** How the key follows from the passphrase. */
export interface ScryptSettings {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

export interface Header {
  readonly major: number;
  readonly minor: number;
  /** Absent: the file is not sealed. `check`: 16 bytes by which a wrong passphrase is known. */
  readonly seal?: ScryptSettings & { readonly check: Uint8Array };
}

export interface FrameHead {
  readonly number: number;
  readonly section: string;
  /** Lines in the payload. */
  readonly items: number;
  readonly unpackedBytes: number;
  readonly storedBytes: number;
  readonly crc: number;
}

export const damaged = (name: string, what: string): HearthlineError =>
  new HearthlineError("backup_damaged", `The backup "${name}" is damaged: ${what}. Wanted is a whole file.`);

export function encodeHeader({ major, minor, seal }: Header): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16LE(major, 8);
  bytes.writeUInt16LE(minor, 10);
  bytes.writeUInt32LE(seal ? FLAG_SEALED : 0, 12);
  if (seal) {
    bytes.set([seal.logN, seal.r, seal.p], 16);
    bytes.set(seal.salt, 20);
    bytes.set(seal.check, 36);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** @throws HearthlineError `backup_damaged`, `backup_version_unknown` */
export function decodeHeader(bytes: Uint8Array, name: string): Header {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC))
    throw damaged(name, "it does not begin as a backup of Hearthline does");
  if (crc32(header.subarray(0, 60)) !== header.readUInt32LE(60))
    throw damaged(name, "its header is not as it was written");
  const [major, minor, flags] = [header.readUInt16LE(8), header.readUInt16LE(10), header.readUInt32LE(12)];
  if (major !== FORMAT_MAJOR || flags > FLAG_SEALED)
    throw new HearthlineError(
      "backup_version_unknown",
      `The backup "${name}" has format ${major}.${minor}, flags ${flags}; this program reads ${FORMAT_MAJOR}.x. Wanted is the Hearthline that wrote it, or a newer one.`,
    );
  if (flags === 0) return { major, minor };
  const [logN = 0, r = 0, p = 0] = header.subarray(16, 19);
  return { major, minor, seal: { logN, r, p, salt: header.subarray(20, 36), check: header.subarray(36, 52) } };
}

/** The head of a frame but for its checksum, which `finishHead` adds: it is what a seal covers beside the payload. */
export function encodeHead(head: Omit<FrameHead, "crc">): Buffer {
  if (!SECTION_NAME.test(head.section)) throw new Error(`"${head.section}" is no name of a section`);
  const bytes = Buffer.alloc(FRAME_HEAD_BYTES);
  bytes.writeUInt32LE(head.number, 0);
  bytes.write(head.section, 4, "latin1");
  bytes.writeUInt32LE(head.items, 4 + SECTION_BYTES);
  bytes.writeUInt32LE(head.unpackedBytes, 24);
  bytes.writeUInt32LE(head.storedBytes, 28);
  return bytes;
}

export function finishHead(head: Buffer, payload: Uint8Array): Buffer {
  head.writeUInt32LE(frameCrc(head, payload), 32);
  return head;
}

export const frameCrc = (head: Uint8Array, payload: Uint8Array): number => crc32(payload, crc32(head.subarray(0, 32)));

/** @throws HearthlineError `backup_damaged` */
export function decodeHead(bytes: Uint8Array, name: string): FrameHead {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const section = head
    .subarray(4, 4 + SECTION_BYTES)
    .toString("latin1")
    .replace(/\0+$/, "");
  const decoded = {
    number: head.readUInt32LE(0),
    section,
    items: head.readUInt32LE(20),
    unpackedBytes: head.readUInt32LE(24),
    storedBytes: head.readUInt32LE(28),
    crc: head.readUInt32LE(32),
  };
  if (!SECTION_NAME.test(section)) throw damaged(name, `chunk ${decoded.number} has no name that a section may have`);
  if (decoded.unpackedBytes > CHUNK_MAX_BYTES || decoded.storedBytes > CHUNK_MAX_BYTES)
    throw damaged(name, `chunk ${decoded.number} says that it has more than ${CHUNK_MAX_BYTES} bytes`);
  return decoded;
}

export const encodeTail = (sha256: Uint8Array): Buffer => Buffer.concat([END_MARK, sha256]);

/** The SHA-256 of all that stands before the tail. @throws HearthlineError `backup_damaged` */
export function decodeTail(bytes: Uint8Array, name: string): Buffer {
  const tail = Buffer.from(bytes);
  if (tail.length !== TAIL_BYTES || !tail.subarray(0, END_MARK.length).equals(END_MARK))
    throw damaged(name, "it does not end as a backup does: it was cut short, or something was added");
  return tail.subarray(END_MARK.length);
}

export const createDigest = () => createHash("sha256");
