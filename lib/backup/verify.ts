import { isDeepStrictEqual } from "node:util";
import type { Microseconds } from "../base/time.ts";
import { compareEvents, type HomeEvent } from "../event/index.ts";
import { createTiles, type Tile } from "../series/index.ts";
import type { End, Manifest } from "./contents.ts";
import * as contents from "./contents.ts";
import { damaged } from "./format.ts";
import type { BackupSource } from "./ports.ts";
import { type Chunk, type OpenedBackup, openBackup } from "./reader.ts";

/** How far a pass over a file or a store has come. */
export interface BackupProgress {
  readonly step: "waiting" | "writing" | "verifying" | "restoring" | "comparing";
  readonly rows: number;
  /** 0 to 1. */
  readonly fraction: number;
}

export interface PassOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** What a whole file holds. */
export interface BackupContents {
  /** SHA-256 of its content, in hex. */
  readonly id: string;
  readonly bytes: number;
  readonly isSealed: boolean;
  readonly manifest: Manifest;
  /** What every section holds, in the order of their first chunks. */
  readonly sections: End["sections"];
  /** Items of the table, by kind. */
  readonly kinds: End["kinds"];
  /** Every event that the file's ledger calls arrived is in the file. */
  readonly settled: boolean;
  /** Messages for the store that had been set aside: their events are in no store. */
  readonly setAside: number;
  /** Names and values, as text. */
  readonly settings: Readonly<Record<string, string>>;
  readonly events: { readonly count: number; readonly firstUs?: Microseconds; readonly lastUs?: Microseconds };
  readonly tiles: readonly Tile[];
  /** Of a newer version; each is whole, what it means is not known here. */
  readonly unknownSections: readonly string[];
}

/** A sealed file without its passphrase: every byte is as it was written, what is inside was not looked at. */
export interface SealedContents {
  readonly id: string;
  readonly bytes: number;
  readonly isSealed: true;
  readonly manifest?: undefined;
}

/**
 * Reads a whole file and proves it: each chunk, their order and number, the SHA-256, and that the events make the tiles that were written down with them. Touches nothing else.
 * @throws HearthlineError `backup_damaged`, `backup_version_unknown`, `backup_unreadable`
 */
export async function verifyBackup(
  source: BackupSource,
  options: PassOptions & { readonly passphrase?: string | undefined } = {},
): Promise<BackupContents | SealedContents> {
  const opened = await openBackup(source, options.passphrase);
  return opened.isReadable ? verifyOpened(source, opened, options) : verifySealed(source, opened, options);
}

async function verifySealed(
  source: BackupSource,
  { id, chunks }: OpenedBackup,
  options: PassOptions,
): Promise<SealedContents> {
  for await (const { position } of chunks()) step(source, options, { rows: 0, position });
  return { id, bytes: source.bytes, isSealed: true };
}

function step(
  { bytes }: BackupSource,
  { signal, onProgress }: PassOptions,
  at: { rows: number; position: number },
): void {
  signal?.throwIfAborted();
  onProgress?.({ step: "verifying", rows: at.rows, fraction: at.position / bytes });
}

export async function verifyOpened(
  source: BackupSource,
  opened: OpenedBackup,
  options: PassOptions,
): Promise<BackupContents> {
  const { name, bytes } = source;
  const isSealed = opened.header.seal !== undefined;
  const check = createChecker(name, isSealed);
  for await (const chunk of opened.chunks()) {
    check.take(chunk);
    step(source, options, { rows: check.rows(), position: chunk.position });
  }
  return { ...check.finish(), id: opened.id, bytes, isSealed };
}

/** A line that is what its section holds. */
const createNeed =
  (name: string) =>
  <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw damaged(name, `it holds a line that is ${what}`);
    return value;
  };

/** Counts the events, and proves that they ascend. */
function createEventCheck(name: string) {
  const need = createNeed(name);
  const tiles = createTiles(contents.TILE_WIDTH_US);
  let count = 0;
  let first: HomeEvent | undefined;
  let last: HomeEvent | undefined;
  return {
    count: () => count,
    take(line: string, homeId: string): void {
      const event = need(contents.readEvent(line, homeId), "no event");
      if (last && compareEvents(last, event) >= 0)
        throw damaged(name, `the event of "${event.entityId}" at ${event.atUs} is not behind the one before it`);
      tiles.add(event);
      first ??= event;
      last = event;
      count++;
    },
    finish: () => ({ tiles: tiles.finish(), count, firstUs: first?.atUs, lastUs: last?.atUs }),
  };
}

/** Takes chunk after chunk; at the end all must be as the file's own last line says. */
function createChecker(name: string, isSealed: boolean) {
  const need = createNeed(name);
  const sections = new Map<string, { chunks: number; items: number; bytes: number }>();
  const kinds: Record<string, number> = {};
  const settings: Record<string, string> = {};
  const written: Tile[] = [];
  const events = createEventCheck(name);
  let manifest: Manifest | undefined;
  let end: End | undefined;

  function takeItem(line: string, isSecret: boolean): void {
    const { kind } = need(contents.readItem(line, isSecret), "no item of the table");
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }

  const takers: Readonly<Record<string, (line: string) => void>> = {
    [contents.MANIFEST]: (line) => {
      manifest = need(contents.readManifest(line), "no manifest");
    },
    [contents.SETTINGS]: (line) => {
      Object.assign(settings, need(contents.readSettings(line), "no settings"));
    },
    [contents.TABLE]: (line) => takeItem(line, false),
    [contents.SECRETS]: (line) => takeItem(line, true),
    [contents.EVENTS]: (line) => events.take(line, manifest?.home_id ?? ""),
    [contents.TILES]: (line) => {
      written.push(need(contents.readTile(line), "no tile"));
    },
    [contents.END]: (line) => {
      end = need(contents.readEnd(line), "no end");
    },
  };

  return {
    rows: events.count,
    take(chunk: Chunk): void {
      const { section, items } = chunk;
      const { lines, bytes } = chunk.lines();
      if (section === contents.SECRETS && !isSealed) throw damaged(name, "it is not sealed and holds secrets");
      const take = takers[section];
      if (take) for (const line of lines) take(line);
      if (section === contents.END) return;
      const { chunks = 0, ...before } = sections.get(section) ?? { items: 0, bytes: 0 };
      sections.set(section, { chunks: chunks + 1, items: before.items + items, bytes: before.bytes + bytes });
    },
    finish() {
      const { tiles, count, firstUs, lastUs } = events.finish();
      const { settled, waited_seconds, set_aside } = need(end, "no end");
      const ends = {
        ...(firstUs !== undefined && { first_us: firstUs }),
        ...(lastUs !== undefined && { last_us: lastUs }),
      };
      const found: End = { settled, waited_seconds, set_aside, sections: Object.fromEntries(sections), kinds, ...ends };
      if (!isDeepStrictEqual(found, end)) throw damaged(name, "it holds other numbers of things than its end says");
      if (!isDeepStrictEqual(written, tiles)) throw damaged(name, "its events are not those that its tiles tell of");
      return {
        manifest: need(manifest, "no manifest"),
        ...{ sections: found.sections, kinds, settled, setAside: set_aside, settings, tiles },
        events: { count, ...(firstUs !== undefined && { firstUs }), ...(lastUs !== undefined && { lastUs }) },
        unknownSections: [...sections.keys()].filter((section) => !contents.isKnown(section)),
      };
    },
  };
}
