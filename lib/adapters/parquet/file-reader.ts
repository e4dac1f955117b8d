import { crc32, zstdDecompressSync } from "node:zlib";
import { type FileMetaData, parquetMetadata, parquetScan } from "hyparquet";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import type { HomeEvent } from "../../event/index.ts";
import { COLUMN_NAMES, type ColumnName, type Columns } from "./columns.ts";
import { type FileNote, type GroupNote, NOTE_KEY } from "./file-writer.ts";
import { eventsOf } from "./rows.ts";

/** A file whose bytes come in parts. */
export interface EventFileSource {
  /** For errors, quoted. */
  readonly name: string;
  readonly byteLength: number;
  /** Throws if all bytes behind the last row group are not those that were written; asked before they are believed. */
  verify?(ending: Uint8Array): void;
  /** Exactly the bytes from `start` to `end`, the last not included. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** An event file whose footer was read. */
export interface EventFile {
  readonly groups: readonly GroupNote[];
  /** What its writer wrote at the end. */
  readonly more: Readonly<Record<string, string>>;
  /** Of one row group, in the order of the file; `entityIds`: only of these, for which the rows must be sorted by entity. @throws HearthlineError `store_damaged` */
  events(group: number, entityIds?: ReadonlySet<string>): Promise<HomeEvent[]>;
}

/** What is read of a file's end at once: nearly every footer fits. */
const FOOTER_BYTES = 64 * 1024;
const TAIL_BYTES = 8;
/** The magic number before the first row group. */
const HEAD_BYTES = 4;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The library's own reading of text drops a byte order mark, and its times end at milliseconds. */
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes),
  timestampFromMicroseconds: (micros: bigint) => Number(micros),
};
const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)) };

/**
 * Opens a file that `createEventFileWriter` has written.
 * @throws HearthlineError `store_damaged`: cut off, or no such file; and what `source.read` throws
 */
export async function openEventFile(given: EventFileSource): Promise<EventFile> {
  const source: EventFileSource = {
    ...given,
    read: (start, end) =>
      given.read(start, end).catch((thrown) => {
        throw new SourceError(thrown);
      }),
  };
  const { metadata, note } = await guarded(source.name, () => footerOf(source));
  return {
    groups: note.groups,
    more: note.more,
    events: (group, entityIds) =>
      guarded(source.name, async () => {
        const rows = await openGroup(source, { metadata, note, group });
        return entityIds ? eventsOfEntities(rows, entityIds) : eventsOf(await rows.columns(0, rows.count));
      }),
  };
}

/** What the source has thrown: no fault of the bytes. */
class SourceError extends Error {
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    super("The source failed.");
    this.thrown = thrown;
  }
}

async function guarded<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof SourceError) throw thrown.thrown;
    if (isHearthlineError(thrown) && thrown.code !== "store_damaged") throw thrown;
    const what = `The Parquet file ${name} cannot be read: ${messageOf(thrown)}`;
    throw new HearthlineError("store_damaged", what, { cause: thrown });
  }
}

async function footerOf(source: EventFileSource) {
  const { byteLength } = source;
  if (byteLength < 2 * TAIL_BYTES) throw new Error(`it has ${byteLength} bytes.`);
  let bytes = await source.read(Math.max(0, byteLength - FOOTER_BYTES), byteLength);
  const tail = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - TAIL_BYTES, TAIL_BYTES);
  if (tail.getUint32(4, true) !== 0x31524150) throw new Error("its end is missing.");
  const needed = tail.getUint32(0, true) + TAIL_BYTES;
  if (needed > byteLength) throw new Error(`its footer would have ${needed} bytes, the file has ${byteLength}.`);
  if (needed > bytes.length) bytes = await source.read(byteLength - needed, byteLength);
  const metadata = parquetMetadata(Uint8Array.from(bytes.subarray(bytes.length - needed)));
  const behind =
    byteLength - metadata.row_groups.reduce((last, group) => Math.max(last, spanOf(group).end), HEAD_BYTES);
  if (behind < needed) throw new Error("its row groups reach into its footer.");
  if (behind > bytes.length) bytes = await source.read(byteLength - behind, byteLength);
  const ending = Uint8Array.from(bytes.subarray(bytes.length - behind));
  source.verify?.(ending);
  const value = metadata.key_value_metadata?.find(({ key }) => key === NOTE_KEY)?.value;
  if (value === undefined) throw new Error(`it says nothing under "${NOTE_KEY}": another program wrote it.`);
  const note = JSON.parse(value) as FileNote;
  if (note.v !== 1) {
    const what = `The Parquet file ${source.name} has version ${String(note.v)}; this program reads version 1.`;
    throw new HearthlineError("store_incompatible", what);
  }
  if (note.groups.length !== metadata.row_groups.length) throw new Error("its notes do not fit its row groups.");
  return { metadata, note };
}

/** Where a row group's bytes are. */
function spanOf({ columns }: FileMetaData["row_groups"][number]): { readonly start: number; readonly end: number } {
  let [start, end] = [Number.POSITIVE_INFINITY, 0];
  for (const { meta_data: chunk } of columns) {
    if (!chunk) throw new Error("a row group does not say where its columns are.");
    const first = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
    start = Math.min(start, first);
    end = Math.max(end, first + Number(chunk.total_compressed_size));
  }
  return { start, end };
}

interface GroupRows {
  readonly count: number;
  column(name: ColumnName, from: number, to: number): Promise<ArrayLike<unknown>>;
  columns(from: number, to: number): Promise<Columns>;
}

async function openGroup(
  source: EventFileSource,
  { metadata, note, group }: { metadata: FileMetaData; note: FileNote; group: number },
): Promise<GroupRows> {
  const row = metadata.row_groups[group];
  const said = note.groups[group];
  if (!row || !said) throw new Error(`it has no row group ${group}.`);
  const { start, end } = spanOf(row);
  const bytes = await source.read(start, end);
  if (crc32(bytes) !== said.crc) throw new Error(`row group ${group} has other bytes than were written.`);
  const file = {
    byteLength: source.byteLength,
    slice: async (from: number, to = source.byteLength) => {
      const isHere = from >= start && to <= end;
      const part = isHere ? bytes.subarray(from - start, to - start) : await source.read(from, to);
      return Uint8Array.from(part).buffer;
    },
  };
  const only = { ...metadata, row_groups: [row], num_rows: row.num_rows };
  const scan = await parquetScan({ file, metadata: only, compressors, parsers });
  const column = (name: ColumnName, rowStart: number, rowEnd: number) =>
    scan.readColumn({ column: name, rowStart, rowEnd });
  return {
    count: said.rows,
    column,
    columns: async (from, to) => {
      const read = await Promise.all(COLUMN_NAMES.map(async (name) => [name, await column(name, from, to)]));
      return Object.fromEntries(read) as Columns;
    },
  };
}

/** So many stretches of rows are read one by one; for more, all rows are. */
const STRETCHES_MAX = 8;

async function eventsOfEntities(rows: GroupRows, entityIds: ReadonlySet<string>): Promise<HomeEvent[]> {
  const names = (await rows.column("entity_id", 0, rows.count)) as ArrayLike<string>;
  const stretches: { readonly from: number; to: number }[] = [];
  for (let row = 0; row < rows.count; row++) {
    if (!entityIds.has(names[row] ?? "")) continue;
    const last = stretches.at(-1);
    // Of an entity all rows, so that the row before is the event before.
    if (last && last.to === row) last.to = row + 1;
    else stretches.push({ from: row, to: row + 1 });
  }
  if (stretches.length > STRETCHES_MAX) {
    const chosen = stretches.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, step) => from + step));
    return eventsOf(await rows.columns(0, rows.count), chosen);
  }
  const read: HomeEvent[] = [];
  for (const { from, to } of stretches) for (const event of eventsOf(await rows.columns(from, to))) read.push(event);
  return read;
}
