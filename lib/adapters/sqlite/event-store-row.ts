import {
  DAY_PARTS,
  type DayPart,
  EVENT_KINDS,
  EVENT_SOURCES,
  type EventKind,
  type EventSource,
  type HomeEvent,
  type Quality,
  type Weather,
} from "../../event/index.ts";

/** What the events of a series share. */
type Tags = readonly [
  areaId: string | null,
  deviceId: string | null,
  domain: string,
  deviceClass: string | null,
  unit: string | null,
  origin: string,
];

const QUALITIES: readonly Quality[] = ["ok", "unknown", "unavailable"];

/** How the typed value is kept: most often it is the state read as a number, which takes no byte at all. */
const VALUE = { none: 0, fromState: 1, false: 2, true: 3, column: 4 } as const;

// `flags`, from the lowest bit.
const KIND_BITS = 3;
const SOURCE_SHIFT = 3;
const QUALITY_SHIFT = 5;
const DAY_PART_SHIFT = 7;
const VALUE_SHIFT = 9;
/** `lasted` holds microseconds, not seconds. */
const LASTED_US = 1 << 12;
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

/** undefined: no event can be made of the row. No program of ours wrote it so. */
export function eventOf(homeId: string, row: EventRow): HomeEvent | undefined {
  try {
    const event = decodeRow(homeId, row);
    return isWhole(event) ? event : undefined;
  } catch {
    return undefined;
  }
}

/** The tables of version 1 took any type in any column. */
function isWhole(event: HomeEvent): boolean {
  const {
    atUs,
    lastChangedUs,
    kind,
    source,
    quality,
    value,
    secondsInOldState: seconds = 0,
    context,
    attributes,
  } = event;
  const texts = [event.entityId, event.state, event.oldState ?? "", event.domain, event.origin];
  return (
    Number.isSafeInteger(atUs) &&
    Number.isSafeInteger(lastChangedUs) &&
    typeof seconds === "number" &&
    [undefined, "number", "boolean"].includes(value === undefined ? undefined : typeof value) &&
    kind !== undefined &&
    source !== undefined &&
    quality !== undefined &&
    [...texts, context.id, context.parentId ?? "", context.userId ?? ""].every((text) => typeof text === "string") &&
    typeof attributes === "object" &&
    attributes !== null
  );
}

function decodeRow(homeId: string, row: EventRow): HomeEvent {
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

const decodeLocal = (local: number | string, atUs: number): string =>
  typeof local === "string" ? local.slice(1) : localText(atUs, local);

const two = (value: number): string => String(value).padStart(2, "0");

function localText(atUs: number, offsetMinutes: number): string {
  const atMs = Math.floor(atUs / 1000);
  const wall = new Date(atMs + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const away = Math.abs(offsetMinutes);
  return `${wall}${String(atUs - atMs * 1000).padStart(3, "0")}${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}
