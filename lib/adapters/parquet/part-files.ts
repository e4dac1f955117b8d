import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import { type EventFile, openEventFile } from "./file-reader.ts";
import { hashOf, type PartName } from "./names.ts";
import type { ObjectStore } from "./ports.ts";
import { WeightedCache } from "./weighted-cache.ts";

/** What a day file says of itself beside its rows. */
export interface PartNotes {
  /** Digests of the names of segments and day files whose events are in it. */
  readonly covers: ReadonlySet<string>;
  /** The row groups with which its slices begin: each slice holds the events of some time, sorted by entity, and lies before the next. */
  readonly slices: readonly number[];
  readonly entities: ReadonlySet<string>;
  readonly areas: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
}

export interface Part extends PartNotes {
  readonly part: PartName;
  readonly file: EventFile;
}

/** An object that was listed is gone: somebody has put another in its place, and a new listing names it. */
export class ObjectGone extends Error {}

/** Files up to this size are fetched by one request. */
const WHOLE_BYTES = 512 * 1024;
/** Of day files, kept for the next reading. */
const CACHE_BYTES = 64 * 1024 * 1024;

export interface PartFiles {
  /** @throws ObjectGone; HearthlineError `store_damaged` */
  open(part: PartName): Promise<Part>;
  forget(): void;
}

/** Day files are never changed under their name, so what was read of one is good for ever. */
export function createPartFiles(objects: ObjectStore): PartFiles {
  const ranges = new WeightedCache<Uint8Array>(CACHE_BYTES);
  const parts = new WeightedCache<Promise<Part>>(CACHE_BYTES / 2);

  async function fetch(part: PartName, start: number, end: number): Promise<Uint8Array> {
    const key = `${start} ${end} ${part.name}`;
    const known = ranges.get(key);
    if (known) return known;
    const bytes = await objects.get(part.name, { start, end });
    if (!bytes) throw new ObjectGone(part.name);
    if (bytes.length !== end - start) {
      const what = `The object "${part.name}" in the ${objects.place} gave ${bytes.length} bytes from ${start} on; wanted were ${end - start}.`;
      throw new HearthlineError("store_damaged", what);
    }
    ranges.set(key, bytes, bytes.length);
    return bytes;
  }

  async function load(part: PartName): Promise<Part> {
    const isSmall = part.bytes <= WHOLE_BYTES;
    const file = await openEventFile({
      name: `"${part.name}" in the ${objects.place}`,
      byteLength: part.bytes,
      verify: (ending) => {
        if (hashOf(ending) !== part.endingHash) throw new Error("its ending is not the one that its name says.");
      },
      read: async (start, end) =>
        isSmall ? (await fetch(part, 0, part.bytes)).subarray(start, end) : fetch(part, start, end),
    });
    return { part, file, ...notesOf(part.name, file.more) };
  }

  return {
    open: (part) => {
      const known = parts.get(part.name);
      if (known) return known;
      const opening = load(part);
      parts.set(part.name, opening, 16 * 1024);
      opening.catch(() => parts.delete(part.name));
      return opening;
    },
    forget: () => {
      ranges.clear();
      parts.clear();
    },
  };
}

/** As the file's metadata carries them. */
export function textsOf(notes: PartNotes): Readonly<Record<string, string>> {
  const { covers, slices, entities, areas, devices } = notes;
  const index = JSON.stringify({ entities: [...entities], areas: [...areas], devices: [...devices] });
  return {
    covers: [...covers].join(" "),
    slices: slices.join(" "),
    index: zstdCompressSync(Buffer.from(index)).toString("base64"),
  };
}

interface Index {
  readonly entities: readonly string[];
  readonly areas: readonly string[];
  readonly devices: readonly string[];
}

function notesOf(name: string, { covers = "", slices = "", index = "" }: Readonly<Record<string, string>>): PartNotes {
  try {
    const found = JSON.parse(zstdDecompressSync(Buffer.from(index, "base64")).toString()) as Index;
    return {
      covers: new Set(covers === "" ? [] : covers.split(" ")),
      slices: slices === "" ? [] : slices.split(" ").map(Number),
      entities: new Set(found.entities),
      areas: new Set(found.areas),
      devices: new Set(found.devices),
    };
  } catch (thrown) {
    const what = `The notes of the day file "${name}" cannot be read: ${messageOf(thrown)}`;
    throw new HearthlineError("store_damaged", what, { cause: thrown });
  }
}
