import type { Microseconds } from "../../base/time.ts";
import { domainOf, type HomeEvent } from "../../event/index.ts";
import { ABSENT, bytesOf, cellOf, hashOf, isHashed, jsonOf, textOf } from "./cells.ts";
import { RECORD_MAX_BYTES } from "./limits.ts";

/** A record as WriteRecords takes it; what all of a request share stands in its CommonAttributes. */
export interface WireRecord {
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
  readonly MeasureValues: readonly Measure[];
  /** Microseconds. */
  readonly Time: string;
}

interface Measure {
  readonly Name: string;
  readonly Value: string;
  readonly Type: "VARCHAR" | "DOUBLE" | "BOOLEAN";
}

/**
 * One event is one record of measure `event`: its dimensions (home, entity, removed) and its time are the natural key, everything else is a measure, so that
 * an event of another area stays the same record. Texts that people ask for have columns; the rest is JSON in `doc`. What does not fit a record's 2 KB
 * goes to records of measure `part` beside it, named by the hash of the text: they never overwrite those of another version.
 * `number` and `flag` are for people's own SQL; they are not read back (a measure that a new version leaves out may keep its old value).
 */
export interface EncodedEvent {
  readonly head: WireRecord;
  readonly parts: readonly WireRecord[];
}

/** Columns with a text of the event, and how many bytes of it they take before it moves to the document. */
const TEXT_COLUMNS = {
  kind: ["kind", 20],
  source: ["source", 20],
  quality: ["quality", 20],
  state: ["state", 800],
  unit: ["unit", 128],
  area: ["areaId", 128],
  device: ["deviceId", 128],
  domain: ["domain", 128],
  device_class: ["deviceClass", 128],
  origin: ["origin", 20],
} as const satisfies Record<string, readonly [keyof HomeEvent, number]>;
type TextColumn = keyof typeof TEXT_COLUMNS;
const TEXT_COLUMN_NAMES = Object.keys(TEXT_COLUMNS) as TextColumn[];

/** How long a text may be in a column; the same limit makes the cell of a filter. */
export const maxBytesOf = (column: TextColumn): number => TEXT_COLUMNS[column][1];

const KEY_COLUMNS = ["time", "entity", "removed"];
export const ALL_COLUMNS = [...KEY_COLUMNS, ...TEXT_COLUMN_NAMES, "value", "doc"];
/** Enough for `aggregate` and the times of `stats`. */
export const SLIM_COLUMNS = [...KEY_COLUMNS, "kind", "source", "quality", "state", "value", "origin"];
export const PART_COLUMNS = ["part", "text"];

const TIME_BYTES = 8;
const NUMBER_BYTES = 8;
/** `doc` of an event in parts: a tilde, the hash of the text, a dot, how many parts. */
const PARTS = /^~([0-9a-f]{32})\.(\d{1,6})$/;
const PARTS_MAX_BYTES = 40;

/** undefined: its names alone are too long for a record. */
export function encodeEvent(event: HomeEvent): EncodedEvent | undefined {
  const { entityId, atUs, value } = event;
  const cells = TEXT_COLUMN_NAMES.map((name) => varchar(name, cellOf(event[TEXT_COLUMNS[name][0]], maxBytesOf(name))));
  const measures = [...cells, varchar("value", value === undefined ? ABSENT : numberText(value)), ...typed(value)];
  const key = [dimension("entity", cellOf(entityId)), dimension("removed", String(event.kind === "removed"))];
  const Time = String(atUs);
  const room =
    RECORD_MAX_BYTES - recordBytes(event.homeId, "event", { Dimensions: key, MeasureValues: measures, Time });
  const doc = jsonOf(documentOf(event, cells));
  const docBytes = bytesOf("doc") + bytesOf(doc);
  if (docBytes <= room) {
    return { head: { Dimensions: key, MeasureValues: [...measures, varchar("doc", doc)], Time }, parts: [] };
  }
  const partKey = [dimension("entity", cellOf(entityId))];
  const partName = (name: string) => [...partKey, dimension("part", name)];
  const empty = { Dimensions: partName("0".repeat(PARTS_MAX_BYTES)), MeasureValues: [varchar("text", "")], Time };
  const partRoom = RECORD_MAX_BYTES - recordBytes(event.homeId, "part", empty);
  if (room < bytesOf("doc") + PARTS_MAX_BYTES || partRoom < PARTS_MAX_BYTES) return undefined;
  const hash = hashOf(doc);
  const parts = cut(doc, partRoom);
  return {
    head: { Dimensions: key, MeasureValues: [...measures, varchar("doc", `${ABSENT}${hash}.${parts.length}`)], Time },
    parts: parts.map((text, index) => {
      return { Dimensions: partName(`${hash}.${index}`), MeasureValues: [varchar("text", text)], Time };
    }),
  };
}

/** JSON knows the sign of nothing, JSON.stringify does not write it. */
const numberText = (value: number | boolean): string => (Object.is(value, -0) ? "-0" : JSON.stringify(value));

const varchar = (Name: string, Value: string): Measure => ({ Name, Value, Type: "VARCHAR" });
const dimension = (Name: string, Value: string) => ({ Name, Value });

function typed(value: HomeEvent["value"]): Measure[] {
  if (typeof value === "number") return [{ Name: "number", Value: JSON.stringify(value), Type: "DOUBLE" }];
  return typeof value === "boolean" ? [{ Name: "flag", Value: String(value), Type: "BOOLEAN" }] : [];
}

/** As the guide counts: names and texts in UTF-8, 8 bytes a time and a number. */
function recordBytes(homeId: string, measureName: string, record: WireRecord): number {
  const dimensions = [dimension("home", cellOf(homeId)), ...record.Dimensions];
  const names = dimensions.reduce((sum, { Name, Value }) => sum + bytesOf(Name) + bytesOf(Value), 0);
  const measures = record.MeasureValues.reduce(
    (sum, { Name, Value, Type }) => sum + bytesOf(Name) + (Type === "VARCHAR" ? bytesOf(Value) : NUMBER_BYTES),
    0,
  );
  return TIME_BYTES + bytesOf("measure_name") + bytesOf(measureName) + names + measures;
}

/** What no column has. */
function documentOf(event: HomeEvent, cells: readonly Measure[]): object {
  const { homeId, entityId, atUs, value, lastChangedUs, ...rest } = event;
  const document: Record<string, unknown> = { ...rest, ...(lastChangedUs !== atUs && { lastChangedUs }) };
  TEXT_COLUMN_NAMES.forEach((name, index) => {
    if (!isHashed(cells[index]?.Value ?? "")) delete document[TEXT_COLUMNS[name][0]];
  });
  return document;
}

/** Slices of at most so many bytes, between characters. The text is well-formed: JSON escapes what is not. */
function cut(text: string, maxBytes: number): string[] {
  const slices: string[] = [];
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) {
    let to = Math.min(bytes.length, from + maxBytes);
    // Bytes 10xxxxxx go on with the character before.
    while (((bytes[to] ?? 0) & 0xc0) === 0x80) to--;
    slices.push(bytes.toString("utf8", from, to));
    from = to;
  }
  return slices;
}

/** A row as the answer gives it: `time` in microseconds, all else texts. */
export interface EventRow {
  readonly atUs: Microseconds;
  readonly texts: Readonly<Record<string, string>>;
}

/** The names of the parts that the row's document is in; undefined: it is in the row. */
export function partNamesOf({ texts }: EventRow): readonly string[] | undefined {
  const match = PARTS.exec(texts.doc ?? "");
  return match ? Array.from({ length: Number(match[2]) }, (_, index) => `${match[1]}.${index}`) : undefined;
}

/** `document`: the text that the parts make together, where `partNamesOf` names some. */
export function decodeEvent(homeId: string, { atUs, texts }: EventRow, document = texts.doc ?? "{}"): HomeEvent {
  const event: Record<string, unknown> = { homeId, entityId: textOf(texts.entity ?? ""), atUs, lastChangedUs: atUs };
  for (const name of TEXT_COLUMN_NAMES) {
    const cell = texts[name] ?? ABSENT;
    const text = isHashed(cell) ? undefined : textOf(cell);
    if (text !== undefined) event[TEXT_COLUMNS[name][0]] = text;
  }
  const { value = ABSENT } = texts;
  if (value !== ABSENT) event.value = JSON.parse(value);
  return Object.assign(event, JSON.parse(document)) as unknown as HomeEvent;
}

/** From a row of `SLIM_COLUMNS`: enough to be aggregated, what was not read is empty. undefined: a text of it is in the document. */
export function decodeSlim(homeId: string, row: EventRow): HomeEvent | undefined {
  if (SLIM_COLUMNS.some((name) => isHashed(row.texts[name] ?? ""))) return undefined;
  const event = decodeEvent(homeId, row, "{}");
  const unread = { localTime: "", dayPart: "night", context: { id: "" }, attributes: {} } as const;
  return { ...event, ...unread, domain: domainOf(event.entityId) };
}
