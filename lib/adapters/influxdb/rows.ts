import { HearthlineError } from "../../base/errors.ts";
import { type Microseconds, parseIsoUs } from "../../base/time.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import { CODED_STATE, charactersIn, GONE, membersOf, valueIn } from "./flags.ts";
import type { Series } from "./influxql.ts";
import { membersIn } from "./more.ts";
import { decodeName } from "./names.ts";

/** A point as it came, its key read. */
export interface Row {
  readonly atUs: Microseconds;
  readonly entityId: string;
  readonly isRemoval: boolean;
  readonly rank: number;
  readonly flags: number;
  readonly cells: readonly unknown[];
  /** Where each column stands in `cells`. */
  readonly columns: ReadonlyMap<string, number>;
}

/** Columns of a question, beside `time`: the key, what windows look at, all. */
export const KEY_COLUMNS = ["entity_id", "rank", "flags"];
export const SAMPLE_COLUMNS = [...KEY_COLUMNS, "state", "value"];
export const ALL_COLUMNS = [...SAMPLE_COLUMNS, "area", "device", "domain", "more"];

export function rowsOf(series: readonly Series[]): Row[] {
  return series.flatMap(({ columns: names, tags, values }) => {
    const columns = new Map(names.map((name, index) => [name, index]));
    const time = columns.get("time") ?? 0;
    const cellOf = (cells: readonly unknown[], name: string): unknown => tags?.[name] ?? cells[columns.get(name) ?? -1];
    return values.map((cells) => {
      // Every row of ours has them. One without is somebody else's, and as good as not there.
      const flags = Number(cellOf(cells, "flags") ?? GONE);
      const rankTag = String(cellOf(cells, "rank"));
      const isRemoval = rankTag.startsWith("r");
      const entityId = decodeName(String(cellOf(cells, "entity_id")));
      const rank = Number(isRemoval ? rankTag.slice(1) : rankTag);
      return { atUs: timeOf(cells[time]), entityId, isRemoval, rank, flags, cells, columns };
    });
  });
}

const timeOf = (cell: unknown): Microseconds => (typeof cell === "number" ? cell : parseIsoUs(String(cell)));

/** Orders rows as `compareEvents` orders their events; works on anything with a key. */
export const compareRows = (a: Row, b: Row): number => compareEvents(placeOf(a) as HomeEvent, placeOf(b) as HomeEvent);

const placeOf = ({ atUs, entityId, isRemoval }: Row): Pick<HomeEvent, "atUs" | "entityId" | "kind"> => ({
  atUs,
  entityId,
  kind: isRemoval ? "removed" : "change",
});

/** Of the rows of whole moments, in any order, one for each natural key, the one of the highest rank; sorted. */
export function winnersOf(rows: readonly Row[]): Row[] {
  const sorted = rows.toSorted((a, b) => compareRows(a, b) || b.rank - a.rank);
  return sorted.filter((row, index) => {
    const before = sorted[index - 1];
    return !before || compareRows(before, row) !== 0;
  });
}

export const cellOf = (row: Row, name: string): unknown => row.cells[row.columns.get(name) ?? -1];
const textOf = (row: Row, name: string): string => String(cellOf(row, name) ?? "");
const optionalName = (text: string): string | undefined => (text === "" ? undefined : decodeName(text));

/** False: it only marks where an event was pruned, or is somebody else's. */
export const isThere = (row: Row): boolean => (row.flags & GONE) === 0;

/** @throws HearthlineError `store_damaged` when somebody else has written it */
export function eventOf(homeId: string, row: Row, more = textOf(row, "more")): HomeEvent {
  const { atUs, entityId, flags } = row;
  const areaId = optionalName(textOf(row, "area"));
  const deviceId = optionalName(textOf(row, "device"));
  try {
    return {
      ...{ ...sampleOf(homeId, row), domain: decodeName(textOf(row, "domain")) },
      ...(areaId !== undefined && { areaId }),
      ...(deviceId !== undefined && { deviceId }),
      dayPart: membersOf(flags).dayPart,
      ...membersIn(more, atUs),
    };
  } catch (thrown) {
    const what = `InfluxDB's point of "${entityId}" at ${atUs} us is not as this program writes it; did somebody else write to "hearthline_events"?`;
    throw new HearthlineError("store_damaged", what, { cause: thrown });
  }
}

/** An event of which only the key and what windows look at are there. */
export interface SampleEvent extends HomeEvent {
  /** Of its fields as they were written. */
  readonly characters: number;
}

/** Read with SAMPLE_COLUMNS, or, for `stats`, with KEY_COLUMNS. */
export function sampleEventOf(homeId: string, row: Row): SampleEvent {
  return { ...sampleOf(homeId, row), ...NOTHING_ELSE, lastChangedUs: row.atUs, characters: charactersIn(row.flags) };
}

const NOTHING_ELSE = { domain: "", localTime: "", context: { id: "" }, attributes: {} } as const;

function sampleOf(homeId: string, row: Row) {
  const { atUs, entityId, flags } = row;
  const text = textOf(row, "state");
  const value = valueIn(flags, cellOf(row, "value"));
  const state = flags & CODED_STATE && text !== "" ? (JSON.parse(text) as string) : text;
  return { homeId, entityId, atUs, ...membersOf(flags), state, ...(value !== undefined && { value }) };
}
