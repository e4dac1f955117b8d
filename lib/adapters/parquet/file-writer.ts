import { constants, crc32, zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { HomeEvent } from "../../event/index.ts";
import { COLUMN_NAMES, type ColumnName, SCHEMA } from "./columns.ts";
import { columnsOf, type RowForm } from "./rows.ts";

/** What the file says of each of its row groups under the key `hearthline`, beside what Parquet itself says. */
export interface GroupNote {
  readonly rows: number;
  /** CRC-32 of the group's bytes. */
  readonly crc: number;
  readonly minUs: number;
  readonly maxUs: number;
  /** The first and the last entity by name; names as JavaScript orders them. */
  readonly firstEntity: string;
  readonly lastEntity: string;
}

/** The value of the key `hearthline` in the file's metadata, as JSON. */
export interface FileNote {
  readonly v: 1;
  readonly groups: readonly GroupNote[];
  /** What its writer wants to know again. */
  readonly more: Readonly<Record<string, string>>;
}

export const NOTE_KEY = "hearthline";

export interface EventFileOptions {
  /** Takes the file's bytes in order; what it throws ends the writing. */
  readonly sink: (bytes: Uint8Array) => Promise<void>;
  /** `plain` (default): each row stands for itself. `dense`: for rows sorted by entity. */
  readonly form?: RowForm;
  /** Default 16,384. */
  readonly rowGroupRows?: number;
  /** Of zstd, 1 to 19. Default 9. */
  readonly level?: number;
}

export interface EventFileWriter {
  /** Rows come out in the order in which they were given. Memory: one row group. */
  write(events: readonly HomeEvent[]): Promise<void>;
  /** Ends the row group, if one is open. */
  endGroup(): Promise<void>;
  /** Row groups that were ended so far. */
  groupCount(): number;
  /** Writes the rest and the footer, and gives all bytes behind the last row group. A file without rows is a good one too. */
  finish(more?: Readonly<Record<string, string>>): Promise<Uint8Array>;
}

const ROW_GROUP_ROWS = 16_384;
const LEVEL = 9;
/** Of the least and the greatest text of a column: names of entities begin alike, and what is cut off rules nothing out. */
const BOUND_BYTES = 64;
/** About, before compression: one entity's rows are read without all others. */
const PAGE_BYTES = 32 * 1024;

/** What readers filter by: of the others a footer need not tell. */
const WITH_STATISTICS: ReadonlySet<ColumnName> = new Set([
  ...(["home_id", "entity_id", "last_updated", "kind", "value", "value_bool"] as const),
  ...(["area_id", "device_id", "domain", "device_class"] as const),
]);
/** Neighbours differ by little. */
const ENCODINGS: Partial<Record<ColumnName, "DELTA_BINARY_PACKED" | "DELTA_BYTE_ARRAY">> = {
  last_updated: "DELTA_BINARY_PACKED",
  last_changed: "DELTA_BINARY_PACKED",
};

/** Writes events as one Parquet file, row group by row group, compressed with zstd. */
export function createEventFileWriter(options: EventFileOptions): EventFileWriter {
  const { sink, form = "plain", rowGroupRows = ROW_GROUP_ROWS, level = LEVEL } = options;
  const out = new ByteWriter(1 << 16);
  const parquet = new ParquetWriter({
    writer: out,
    schema: SCHEMA,
    codec: "ZSTD",
    compressors: {
      ZSTD: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
    },
    statisticsTruncateLength: BOUND_BYTES,
    createdBy: "hearthline",
  });
  const groups: GroupNote[] = [];
  let waiting: HomeEvent[] = [];

  /** What was written since the last time. */
  function take(): Uint8Array {
    const bytes = Uint8Array.from(new Uint8Array(out.buffer, 0, out.index));
    out.index = 0;
    return bytes;
  }

  async function writeGroup(events: readonly HomeEvent[]): Promise<void> {
    const columns = columnsOf(events, form);
    const columnData = COLUMN_NAMES.map((name) => {
      const encoding = ENCODINGS[name];
      return {
        name,
        data: columns[name] as unknown[],
        statistics: WITH_STATISTICS.has(name),
        ...(encoding && { encoding }),
      };
    });
    const head = take();
    if (head.length > 0) await sink(head);
    await parquet.write({ columnData, rowGroupSize: events.length, pageSize: PAGE_BYTES });
    const bytes = take();
    groups.push({ ...boundsOf(events), rows: events.length, crc: crc32(bytes) });
    await sink(bytes);
  }

  async function endGroup(): Promise<void> {
    const events = waiting;
    waiting = [];
    if (events.length > 0) await writeGroup(events);
  }

  return {
    async write(events) {
      let from = 0;
      while (from < events.length) {
        const until = from + rowGroupRows - waiting.length;
        for (const event of events.slice(from, until)) waiting.push(event);
        if (waiting.length === rowGroupRows) await endGroup();
        from = until;
      }
    },
    endGroup,
    groupCount: () => groups.length,
    async finish(more = {}) {
      await endGroup();
      const note: FileNote = { v: 1, groups, more };
      parquet.kvMetadata = [{ key: NOTE_KEY, value: JSON.stringify(note) }];
      await parquet.finish();
      const ending = take();
      await sink(ending);
      return ending;
    },
  };
}

function boundsOf(events: readonly HomeEvent[]): Omit<GroupNote, "rows" | "crc"> {
  const [first] = events;
  let [minUs, maxUs] = [first?.atUs ?? 0, first?.atUs ?? 0];
  let [firstEntity, lastEntity] = [first?.entityId ?? "", first?.entityId ?? ""];
  for (const { atUs, entityId } of events) {
    if (atUs < minUs) minUs = atUs;
    if (atUs > maxUs) maxUs = atUs;
    if (entityId < firstEntity) firstEntity = entityId;
    if (entityId > lastEntity) lastEntity = entityId;
  }
  return { minUs, maxUs, firstEntity, lastEntity };
}
