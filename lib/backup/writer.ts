import { promisify } from "node:util";
import { constants, zstdCompress } from "node:zlib";
import { HearthlineError } from "../base/errors.ts";
import { END, type End } from "./contents.ts";
import {
  CHUNK_MAX_BYTES,
  createDigest,
  encodeHead,
  encodeHeader,
  encodeTail,
  FORMAT_MAJOR,
  FORMAT_MINOR,
  finishHead,
  type ScryptSettings,
} from "./format.ts";
import type { BackupSink } from "./ports.ts";
import { type Seal, sealedBytes } from "./seal.ts";

/** A chunk is closed when its lines have so many characters: what is held in memory, and lost to nobody, is one chunk. */
const CHUNK_CHARACTERS = 2 * 1024 * 1024;
const LEVEL = 3;
const compress = promisify(zstdCompress);

export interface BackupWriter {
  /** Adds lines to a section, the manifest first. A line holds no line break. */
  add(section: string, lines: readonly string[]): Promise<void>;
  /** Writes the end, with what each section holds; the file is whole then. How many bytes it has, and its SHA-256 in hex, by which it is known. */
  finish(end: Omit<End, "sections">): Promise<{ readonly bytes: number; readonly id: string }>;
}

interface Counts {
  chunks: number;
  items: number;
  bytes: number;
}

export interface WriterOptions {
  readonly sink: BackupSink;
  readonly seal?: { readonly settings: ScryptSettings; readonly seal: Seal } | undefined;
}

export function createBackupWriter({ sink, seal }: WriterOptions): BackupWriter {
  const digest = createDigest();
  const sections = new Map<string, Counts>();
  let bytes = 0;
  let number = 0;
  let open: { section: string; lines: string[]; characters: number } | undefined;

  async function put(part: Uint8Array): Promise<void> {
    digest.update(part);
    bytes += part.length;
    await sink.write(part);
  }

  async function close(): Promise<void> {
    if (!open) return;
    const { section, lines } = open;
    open = undefined;
    if (number === 0) {
      const { settings, seal: sealed } = seal ?? {};
      const header = { major: FORMAT_MAJOR, minor: FORMAT_MINOR };
      await put(encodeHeader(settings && sealed ? { ...header, seal: { ...settings, check: sealed.check } } : header));
    }
    const text = Buffer.from(lines.join("\n"));
    const packed = await compress(text, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
    const storedBytes = seal ? sealedBytes(packed.length) : packed.length;
    if (text.length > CHUNK_MAX_BYTES || storedBytes > CHUNK_MAX_BYTES)
      throw new HearthlineError(
        "record_malformed",
        `A chunk of the section "${section}" has ${text.length} bytes; at most ${CHUNK_MAX_BYTES} can be kept.`,
      );
    const head = encodeHead({ number, section, items: lines.length, unpackedBytes: text.length, storedBytes });
    const payload = seal ? seal.seal.seal(packed, head, number) : packed;
    await put(finishHead(head, payload));
    await put(payload);
    number++;
    const counts = sections.get(section) ?? { chunks: 0, items: 0, bytes: 0 };
    counts.chunks++;
    counts.items += lines.length;
    counts.bytes += text.length;
    sections.set(section, counts);
  }

  async function add(section: string, lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      if (open && (open.section !== section || open.characters >= CHUNK_CHARACTERS)) await close();
      open ??= { section, lines: [], characters: 0 };
      open.lines.push(line);
      open.characters += line.length + 1;
    }
  }

  return {
    add,
    async finish(end) {
      await close();
      await add(END, [JSON.stringify({ ...end, sections: Object.fromEntries(sections) })]);
      await close();
      const sha256 = digest.digest();
      const tail = encodeTail(sha256);
      await sink.write(tail);
      return { bytes: bytes + tail.length, id: sha256.toString("hex") };
    },
  };
}
