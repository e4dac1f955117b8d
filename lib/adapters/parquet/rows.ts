import { HearthlineError } from "../../base/errors.ts";
import type { HomeEvent } from "../../event/index.ts";
import { LocalTimes } from "../../series/columns/local-time.ts";
import { COLUMN_NAMES, type ColumnName, type Columns } from "./columns.ts";

/** What is said by the row before and by other columns is left out; rows must be sorted by entity for that to be worth it. Or each row says all by itself. */
export type RowForm = "dense" | "plain";

/** The events as columns, exactly: `eventsOf` gives them back. */
export function columnsOf(events: readonly HomeEvent[], form: RowForm): Columns {
  const columns = Object.fromEntries(COLUMN_NAMES.map((name) => [name, new Array(events.length)])) as Record<
    ColumnName,
    unknown[]
  >;
  const texts = new Map<object, string>();
  const textOf = (value: object): string => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const made = JSON.stringify(value);
    texts.set(value, made);
    return made;
  };
  const localTimes = new LocalTimes();
  let previous: HomeEvent | undefined;
  for (const [row, event] of events.entries()) {
    const { value, weather, context } = event;
    const offset = localTimes.offsetOf(event.atUs, event.localTime);
    const isLocalKnown = !Number.isNaN(offset);
    const isOldKnown = form === "dense" && previous !== undefined && saysOld(previous, event);
    columns.home_id[row] = event.homeId;
    columns.entity_id[row] = event.entityId;
    columns.last_updated[row] = BigInt(event.atUs);
    if (form === "plain" || event.lastChangedUs !== event.atUs) columns.last_changed[row] = BigInt(event.lastChangedUs);
    columns.kind[row] = event.kind;
    columns.source[row] = event.source;
    columns.state[row] =
      form === "dense" && typeof value === "number" && String(value) === event.state ? undefined : event.state;
    columns.value[row] = typeof value === "number" ? value : undefined;
    columns.value_bool[row] = typeof value === "boolean" ? value : undefined;
    columns.unit[row] = event.unit;
    columns.quality[row] = event.quality;
    columns.old_state[row] = isOldKnown ? undefined : event.oldState;
    columns.seconds_in_old_state[row] = isOldKnown ? undefined : event.secondsInOldState;
    columns.old_from_previous[row] = isOldKnown;
    columns.area_id[row] = event.areaId;
    columns.device_id[row] = event.deviceId;
    columns.domain[row] = event.domain;
    columns.device_class[row] = event.deviceClass;
    columns.local_time[row] = form === "dense" && isLocalKnown ? undefined : event.localTime;
    columns.utc_offset_minutes[row] = isLocalKnown ? offset : undefined;
    columns.day_part[row] = event.dayPart;
    columns.origin[row] = event.origin;
    columns.context_id[row] = context.id;
    columns.context_parent_id[row] = context.parentId;
    columns.context_user_id[row] = context.userId;
    columns.attributes[row] = textOf(event.attributes);
    columns.weather[row] = weather && textOf(weather);
    columns.exact[row] = isWellFormed(event) ? undefined : JSON.stringify(event);
    previous = event;
  }
  return columns;
}

/** What a change says of the state before it, when the row before is that state. */
function saysOld(previous: HomeEvent, event: HomeEvent): boolean {
  if (previous.entityId !== event.entityId || previous.homeId !== event.homeId) return false;
  return event.oldState === previous.state && event.secondsInOldState === secondsAfter(previous, event);
}

const secondsAfter = (previous: HomeEvent, event: Pick<HomeEvent, "kind" | "lastChangedUs">): number | undefined =>
  event.kind === "change" ? (event.lastChangedUs - previous.lastChangedUs) / 1e6 : undefined;

/** UTF-8 cannot write a lone surrogate; JSON escapes it (so attributes and weather are safe). */
function isWellFormed(event: HomeEvent): boolean {
  const { state, oldState, unit, areaId, deviceId, deviceClass, origin, context } = event;
  const texts = [state, oldState, unit, areaId, deviceId, deviceClass, origin, context.id, context.parentId];
  return (
    texts.every((text) => text === undefined || text.isWellFormed()) &&
    (context.userId?.isWellFormed() ?? true) &&
    event.localTime.isWellFormed()
  );
}

/** An event that is being put together. */
type Draft = { -readonly [Member in keyof HomeEvent]: HomeEvent[Member] };
type Texts = ArrayLike<string>;
type OptionalTexts = ArrayLike<string | null | undefined>;

/** Rows of one row group as events again. `chosen`: only these rows, ascending; what the row before says is known all the same. */
export function eventsOf(columns: Columns, chosen?: readonly number[]): HomeEvent[] {
  const objects = new Map<string, Readonly<Record<string, unknown>>>();
  const parsed = (text: string) => {
    const known = objects.get(text);
    if (known) return known;
    const made = JSON.parse(text) as Readonly<Record<string, unknown>>;
    objects.set(text, made);
    return made;
  };
  const rows: Rows = { columns, parsed, localTimes: new LocalTimes() };
  const count = chosen?.length ?? columns.last_updated.length;
  const events = new Array<HomeEvent>(count);
  for (let index = 0; index < count; index++) events[index] = eventOf(rows, chosen ? (chosen[index] ?? 0) : index);
  return events;
}

interface Rows {
  readonly columns: Columns;
  readonly localTimes: LocalTimes;
  readonly parsed: (text: string) => Readonly<Record<string, unknown>>;
}

function eventOf({ columns, parsed, localTimes }: Rows, row: number): HomeEvent {
  const exact = (columns.exact as OptionalTexts)[row];
  if (typeof exact === "string") return JSON.parse(exact) as HomeEvent;
  const text = (name: ColumnName): string => (columns[name] as Texts)[row] ?? missing(row, name);
  const atUs = (columns.last_updated as ArrayLike<number>)[row] ?? missing(row, "last_updated");
  const localTime = (columns.local_time as OptionalTexts)[row];
  const event: Draft = {
    homeId: text("home_id"),
    entityId: text("entity_id"),
    atUs,
    lastChangedUs: (columns.last_changed as ArrayLike<number | null | undefined>)[row] ?? atUs,
    kind: text("kind") as HomeEvent["kind"],
    source: text("source") as HomeEvent["source"],
    state: stateOf(columns, row) ?? missing(row, "state"),
    quality: text("quality") as HomeEvent["quality"],
    domain: text("domain"),
    localTime: localTime ?? localTimes.text(atUs, offsetOf(columns, row)),
    dayPart: text("day_part") as HomeEvent["dayPart"],
    origin: text("origin"),
    context: contextOf(columns, row),
    attributes: parsed(text("attributes")),
  };
  const value = (columns.value[row] ?? columns.value_bool[row]) as number | boolean | null | undefined;
  if (value != null) event.value = value;
  const optional = (name: ColumnName) => (columns[name] as OptionalTexts)[row];
  const [unit, areaId, deviceId] = [optional("unit"), optional("area_id"), optional("device_id")];
  const [deviceClass, weather] = [optional("device_class"), optional("weather")];
  if (unit != null) event.unit = unit;
  if (areaId != null) event.areaId = areaId;
  if (deviceId != null) event.deviceId = deviceId;
  if (deviceClass != null) event.deviceClass = deviceClass;
  if (weather != null) event.weather = parsed(weather) as unknown as NonNullable<HomeEvent["weather"]>;
  setOld(event, columns, row);
  return event;
}

function missing(row: number, name: ColumnName): never {
  throw new HearthlineError("store_damaged", `Row ${row} has no "${name}".`);
}

const offsetOf = (columns: Columns, row: number): number =>
  (columns.utc_offset_minutes as ArrayLike<number | null | undefined>)[row] ?? missing(row, "utc_offset_minutes");

function contextOf(columns: Columns, row: number): HomeEvent["context"] {
  const id = (columns.context_id as Texts)[row] ?? missing(row, "context_id");
  const parentId = (columns.context_parent_id as OptionalTexts)[row];
  const userId = (columns.context_user_id as OptionalTexts)[row];
  if (parentId == null && userId == null) return { id };
  return { id, ...(parentId != null && { parentId }), ...(userId != null && { userId }) };
}

/** A number's text is left out where JavaScript would write it so. */
function stateOf(columns: Columns, row: number): string | undefined {
  const state = columns.state[row];
  if (typeof state === "string") return state;
  const value = columns.value[row];
  return typeof value === "number" ? String(value) : undefined;
}

function setOld(event: Draft, columns: Columns, row: number): void {
  if (columns.old_from_previous[row] !== true) {
    const oldState = (columns.old_state as OptionalTexts)[row];
    const seconds = (columns.seconds_in_old_state as ArrayLike<number | null | undefined>)[row];
    if (oldState != null) event.oldState = oldState;
    if (seconds != null) event.secondsInOldState = seconds;
    return;
  }
  // The state before is the row before.
  const before = row - 1;
  const beforeUs = (columns.last_changed[before] ?? columns.last_updated[before]) as number | undefined;
  event.oldState = stateOf(columns, before) ?? missing(before, "state");
  if (event.kind !== "change") return;
  event.secondsInOldState = (event.lastChangedUs - (beforeUs ?? missing(before, "last_updated"))) / 1e6;
}
