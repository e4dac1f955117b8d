import { zstdDecompressSync } from "node:zlib";
import { END, MANIFEST } from "./contents.ts";
import {
  createDigest,
  damaged,
  decodeHead,
  decodeHeader,
  decodeTail,
  FRAME_HEAD_BYTES,
  type FrameHead,
  frameCrc,
  HEADER_BYTES,
  type Header,
  TAIL_BYTES,
} from "./format.ts";
import type { BackupSource } from "./ports.ts";
import { openSeal, type Seal } from "./seal.ts";

/** One chunk of a section, proved by its checksum. */
export interface Chunk {
  readonly section: string;
  readonly items: number;
  /** Bytes of the file up to the end of this chunk. */
  readonly position: number;
  /** Unfolds it. @throws HearthlineError `backup_damaged` */
  lines(): { readonly lines: readonly string[]; readonly bytes: number };
}

export interface OpenedBackup {
  readonly header: Header;
  /** SHA-256 of the file's content, in hex, as its tail says: what it is known by. */
  readonly id: string;
  /** It is not sealed, or the passphrase was given. */
  readonly isReadable: boolean;
  /**
   * All chunks in order, or those of some sections; the others are then skipped unread. When all are read, the SHA-256 is proved at the end.
   * @throws HearthlineError `backup_damaged`
   */
  chunks(only?: ReadonlySet<string>): AsyncGenerator<Chunk>;
}

/** @throws HearthlineError `backup_damaged`, `backup_version_unknown`, `backup_unreadable` (a passphrase that does not fit) */
export async function openBackup(source: BackupSource, passphrase?: string): Promise<OpenedBackup> {
  const { name, bytes: size } = source;
  const headerBytes = await source.read(0, HEADER_BYTES);
  const header = decodeHeader(headerBytes, name);
  const end = size - TAIL_BYTES;
  const sha256 = decodeTail(await source.read(Math.max(0, end), TAIL_BYTES), name);
  const seal = passphrase === undefined ? undefined : await openSeal(header, passphrase, name);

  async function* chunks(only?: ReadonlySet<string>): AsyncGenerator<Chunk> {
    const digest = createDigest().update(headerBytes);
    let position = HEADER_BYTES;
    let section = "";
    for (let number = 0; position < end; number++) {
      const headBytes = await source.read(position, FRAME_HEAD_BYTES);
      if (position + FRAME_HEAD_BYTES > end) throw damaged(name, `it ends within the head of chunk ${number}`);
      const head = decodeHead(headBytes, name);
      checkOrder(head, { number, before: section, name });
      section = head.section;
      const start = position + FRAME_HEAD_BYTES;
      position = start + head.storedBytes;
      if (position > end) throw damaged(name, `it ends within chunk ${number}`);
      if (only && !only.has(section)) continue;
      const payload = await source.read(start, head.storedBytes);
      if (payload.length < head.storedBytes || frameCrc(headBytes, payload) !== head.crc)
        throw damaged(name, `chunk ${number} (${section}) is not as it was written`);
      digest.update(headBytes).update(payload);
      yield { section, items: head.items, position, lines: () => unfold(head, payload, { headBytes, seal, name }) };
    }
    if (section !== END) throw damaged(name, "its last chunk is missing");
    if (!only && !digest.digest().equals(sha256)) throw damaged(name, "its SHA-256 is another one");
  }

  return { header, id: sha256.toString("hex"), isReadable: !header.seal || seal !== undefined, chunks };
}

function checkOrder(
  { number: found, section }: FrameHead,
  place: { number: number; before: string; name: string },
): void {
  const { number, before, name } = place;
  if (found !== number) throw damaged(name, `chunk ${found} stands where chunk ${number} is wanted`);
  if ((section === MANIFEST) !== (number === 0)) throw damaged(name, "the manifest is not its first chunk");
  if (before === END) throw damaged(name, "something stands behind its end");
}

interface Around {
  readonly headBytes: Uint8Array;
  readonly seal: Seal | undefined;
  readonly name: string;
}

function unfold({ number, items, unpackedBytes }: FrameHead, payload: Uint8Array, { headBytes, seal, name }: Around) {
  const packed = seal ? seal.open(payload, headBytes, number) : payload;
  let unpacked: Buffer;
  try {
    // Never more than the head says, which is bounded: a small chunk cannot unfold to a large one.
    unpacked = zstdDecompressSync(packed, { maxOutputLength: Math.max(1, unpackedBytes) });
  } catch {
    throw damaged(name, `chunk ${number} cannot be unfolded`);
  }
  const lines = unpacked.toString("utf8").split("\n");
  if (unpacked.length !== unpackedBytes || lines.length !== items)
    throw damaged(
      name,
      `chunk ${number} holds ${lines.length} lines in ${unpacked.length} bytes, its head says ${items} in ${unpackedBytes}`,
    );
  return { lines, bytes: unpacked.length };
}
