import type { SQLInputValue } from "node:sqlite";
import {
  DAY_PARTS,
  type DayPart,
  EVENT_KINDS,
  EVENT_SOURCES,
  type EventKind,
  type EventSource,
  type HomeEvent,
  type Quality,
  rankOf,
  type Weather,
} from "../../event/index.ts";

/** What a row needs from the id tables. */
export interface RowIds {
  readonly home: number;
  readonly entity: number;
  readonly series: number;
  readonly user: number | null;
  readonly attributes: number | null;
  readonly weather: number | null;
}

/** What the events of a series share. */
export type Tags = readonly [
  areaId: string | null,
  deviceId: string | null,
  domain: string,
  deviceClass: string | null,
  unit: string | null,
  origin: string,
];

export const tagsOf = (event: HomeEvent): Tags => [
  event.areaId ?? null,
  event.deviceId ?? null,
  event.domain,
  event.deviceClass ?? null,
  event.unit ?? null,
  event.origin,
];

const QUALITIES: readonly Quality[] = ["ok", "unknown", "unavailable"];

/** How the typed value is kept: most often it is the state read as a number, which takes no byte at all. */
const VALUE = { none: 0, fromState: 1, false: 2, true: 3, column: 4 } as const;

// `flags`, from the lowest bit. New members take new bits or new numbers: rows of older programs must keep their meaning.
const KIND_BITS = 3;
const SOURCE_SHIFT = 3;
const QUALITY_SHIFT = 5;
const DAY_PART_SHIFT = 7;
const VALUE_SHIFT = 9;
/** `lasted` holds microseconds, not seconds. */
const LASTED_US = 1 << 12;
/** The rank stands highest and alone, so that SQL can compare it. */
export const RANK_SHIFT = 13;

const EVENT_COLUMNS = [
  ["home", "at_us", "entity", "removed"],
  ["series", "flags", "unchanged_us", "state", "value", "old_state", "lasted", "local"],
  ["context", "parent", "user", "attributes", "weather"],
].flat();

/** Writes one row by `encodeRow`; of two at one key the higher rank stays, of equal ranks the later write. */
export const UPSERT_EVENT = `
  INSERT INTO event (${EVENT_COLUMNS.join(", ")}) VALUES (${EVENT_COLUMNS.map(() => "?").join(", ")})
  ON CONFLICT (home, at_us, entity, removed) DO UPDATE SET
  ${EVENT_COLUMNS.slice(4)
    .map((name) => `${name} = excluded.${name}`)
    .join(", ")}
  WHERE (excluded.flags >> ${RANK_SHIFT}) >= (event.flags >> ${RANK_SHIFT})`;

/** Parameters of UPSERT_EVENT. A lone surrogate, which UTF-8 cannot hold, is stored as U+FFFD. */
export function encodeRow(event: HomeEvent, ids: RowIds): SQLInputValue[] {
  const { value, secondsInOldState: seconds, context } = event;
  const mode = valueMode(event);
  const lastedUs = seconds === undefined ? null : Math.round(seconds * 1e6);
  const isExact = lastedUs !== null && lastedUs / 1e6 === seconds;
  const flags =
    EVENT_KINDS.indexOf(event.kind) |
    (EVENT_SOURCES.indexOf(event.source) << SOURCE_SHIFT) |
    (QUALITIES.indexOf(event.quality) << QUALITY_SHIFT) |
    (DAY_PARTS.indexOf(event.dayPart) << DAY_PART_SHIFT) |
    (mode << VALUE_SHIFT) |
    (isExact ? LASTED_US : 0) |
    (rankOf(event) << RANK_SHIFT);
  return [
    ids.home,
    event.atUs,
    ids.entity,
    event.kind === "removed" ? 1 : 0,
    ids.series,
    flags,
    event.atUs - event.lastChangedUs,
    event.state,
    mode === VALUE.column ? Number(value) : null,
    event.oldState ?? null,
    isExact ? lastedUs : (seconds ?? null),
    encodeLocal(event.localTime, event.atUs),
    context.id,
    context.parentId ?? null,
    ids.user,
    ids.attributes,
    ids.weather,
  ];
}

function valueMode({ value, state }: HomeEvent): number {
  if (value === undefined) return VALUE.none;
  if (typeof value === "boolean") return value ? VALUE.true : VALUE.false;
  return Object.is(Number(state), value) ? VALUE.fromState : VALUE.column;
}

/** A row with what its ids stand for, in this order. */
export type EventRow = readonly [
  at_us: number,
  removed: number,
  flags: number,
  unchanged_us: number,
  state: string,
  value: number | null,
  old_state: string | null,
  lasted: number | null,
  local: number | string,
  context: string,
  parent: string | null,
  entity: string,
  tags: string,
  user: string | null,
  attributes: string | null,
  weather: string | null,
];

/** The members of an EventRow, for SELECT. */
export const ROW_COLUMNS = `e.at_us, e.removed, e.flags, e.unchanged_us, e.state, e.value, e.old_state, e.lasted, e.local, e.context, e.parent,
  n.name, s.tags, tu.body, ta.body, tw.body`;

/** CROSS JOIN keeps SQLite from any other order than events first. */
export const ROW_TABLES = `event e CROSS JOIN entity n ON n.id = e.entity CROSS JOIN series s ON s.id = e.series
  LEFT JOIN text tu ON tu.id = e.user LEFT JOIN text ta ON ta.id = e.attributes LEFT JOIN text tw ON tw.id = e.weather`;

export function decodeRow(homeId: string, row: EventRow): HomeEvent {
  const [atUs, , flags, unchangedUs, state, value, oldState, lasted, local, contextId, parentId] = row;
  const [entityId, tags, userId, attributes, weather] = row.slice(11) as unknown as [string, ...(string | null)[]];
  const [areaId, deviceId, domain, deviceClass, unit, origin] = JSON.parse(tags ?? "[]") as Tags;
  const typed = decodeValue((flags >> VALUE_SHIFT) & 7, state, value);
  return {
    homeId,
    entityId,
    atUs,
    lastChangedUs: atUs - unchangedUs,
    kind: EVENT_KINDS[flags & ((1 << KIND_BITS) - 1)] as EventKind,
    source: EVENT_SOURCES[(flags >> SOURCE_SHIFT) & 3] as EventSource,
    state,
    ...(typed !== undefined && { value: typed }),
    ...(unit !== null && { unit }),
    quality: QUALITIES[(flags >> QUALITY_SHIFT) & 3] as Quality,
    ...(oldState !== null && { oldState }),
    ...(lasted !== null && { secondsInOldState: flags & LASTED_US ? lasted / 1e6 : lasted }),
    ...(areaId !== null && { areaId }),
    ...(deviceId !== null && { deviceId }),
    domain,
    ...(deviceClass !== null && { deviceClass }),
    localTime: decodeLocal(local, atUs),
    dayPart: DAY_PARTS[(flags >> DAY_PART_SHIFT) & 3] as DayPart,
    origin,
    context: { id: contextId, ...(parentId !== null && { parentId }), ...(userId != null && { userId }) },
    attributes: attributes == null ? {} : (JSON.parse(attributes) as Record<string, unknown>),
    ...(weather != null && { weather: JSON.parse(weather) as Weather }),
  };
}

function decodeValue(mode: number, state: string, column: number | null): number | boolean | undefined {
  if (mode === VALUE.fromState) return Number(state);
  if (mode === VALUE.column) return column ?? undefined;
  return mode === VALUE.none ? undefined : mode === VALUE.true;
}

/** Local time is the moment and an offset: kept as minutes of offset, or, of a text written in another way, as `=` and the text. */
function encodeLocal(text: string, atUs: number): number | string {
  const offset = /([+-])(\d\d):(\d\d)$/.exec(text);
  if (!offset) return `=${text}`;
  const minutes = (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === "-" ? -1 : 1);
  return localText(atUs, minutes) === text ? minutes : `=${text}`;
}

const decodeLocal = (local: number | string, atUs: number): string =>
  typeof local === "string" ? local.slice(1) : localText(atUs, local);

const two = (value: number): string => String(value).padStart(2, "0");

function localText(atUs: number, offsetMinutes: number): string {
  const atMs = Math.floor(atUs / 1000);
  const wall = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const away = Math.abs(offsetMinutes);
  return `${wall}${String(atUs - atMs * 1000).padStart(3, "0")}${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}
