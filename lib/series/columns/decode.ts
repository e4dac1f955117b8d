import type { HomeEvent, Weather } from "../../event/index.ts";
import { at, type Body, type Columns, type Entity, type SeriesRow, seriesRows } from "./body.ts";
import { decimalValue, formatDecimal } from "./decimal.ts";
import * as layout from "./layout.ts";
import { CHANGED, CONTEXT, LASTED, OLD_STATE, STATE, VALUE } from "./layout.ts";
import { LocalTimes } from "./local-time.ts";
import { formatUlid, RANDOM_BYTES } from "./ulid.ts";

/** Which rows of a block are wanted; what is absent excludes nothing. */
export interface BlockFilter {
  readonly entityIds?: readonly string[];
  /** Included. */
  readonly fromUs?: number;
  /** Not included. */
  readonly toUs?: number;
}

/** A context id, not made into text before somebody wants it. `atMs` below 0: `at` is a number of the names' table. */
interface Id {
  atMs: number;
  at: number;
}

type Draft = { -readonly [K in keyof HomeEvent]: HomeEvent[K] };
type DraftContext = { -readonly [K in keyof HomeEvent["context"]]: HomeEvent["context"][K] };
/** Goes once through the rows of a body, in as many calls as the caller likes. Objects are made of the wanted rows only; of an entity that is not wanted nothing is worked out. */
export class Decoder {
  readonly #body: Body;
  readonly #columns: Readonly<Columns>;
  readonly #rows: SeriesRow[];
  readonly #localTimes = new LocalTimes();
  readonly #id: Id = { atMs: -1, at: -1 };
  readonly #parent: Id = { atMs: -1, at: -1 };
  /** The next row, and the time of the one before. */
  #next = 0;
  #atUs = 0;
  // How many of each column are used up.
  #changed = 0;
  #decimals = 0;
  #states = 0;
  #oldStates = 0;
  #lasted = 0;
  #lastedDoubles = 0;
  #ulids = 0;
  #ids = 0;
  #users = 0;
  #attributes = 0;
  #weathers = 0;
  #offsets = 0;
  #values = 0;
  #weather = 0;
  #offset = 0;

  constructor(body: Body, entityIds: readonly string[] | undefined) {
    this.#body = body;
    this.#columns = body.columns;
    this.#rows = seriesRows(body, entityIds && new Set(entityIds));
  }

  /** Of the rows that no call has come to yet: where rows are ordered by time those before `toUs`, else all. */
  events({ fromUs = Number.NEGATIVE_INFINITY, toUs = Number.POSITIVE_INFINITY }: BlockFilter): HomeEvent[] {
    const { count, marks, columns } = this.#body;
    const { times, flags, series } = columns;
    const isByTime = (marks & layout.MARK_BY_TIME) !== 0;
    const isFar = (marks & layout.MARK_FAR) !== 0;
    const events: HomeEvent[] = [];
    for (; this.#next < count; this.#next++) {
      const row = this.#next;
      const atUs = isFar ? at(times, row) : this.#atUs + at(times, row);
      if (isByTime && atUs >= toUs) break;
      this.#atUs = atUs;
      const bits = at(flags, row);
      const tags = at(this.#rows, at(series, row));
      if (!tags.entity.isWanted) this.#skip(bits, atUs);
      else {
        const event = this.#row(bits, atUs, { tags, isFar, isWanted: atUs >= fromUs && atUs < toUs });
        if (event) events.push(event);
      }
    }
    return events;
  }

  /** Uses up a row's numbers. */
  #skip(bits: number, atUs: number): void {
    const state = (bits >> layout.STATE_AT) & 3;
    if (state === STATE.decimal) this.#decimals++;
    else if (state === STATE.table) this.#states++;
    if (((bits >> layout.VALUE_AT) & 7) === VALUE.column) this.#values++;
    if (((bits >> layout.OLD_STATE_AT) & 3) === OLD_STATE.table) this.#oldStates++;
    const lasted = (bits >> layout.LASTED_AT) & 3;
    if (lasted === LASTED.micros) this.#lasted++;
    else if (lasted === LASTED.column) this.#lastedDoubles++;
    if (((bits >> layout.CHANGED_AT) & 3) === CHANGED.column) this.#changed++;
    this.#context(bits, atUs);
    if (bits & layout.USER_BIT) this.#users++;
    if (bits & layout.ATTRIBUTES_BIT) this.#attributes++;
    if (bits & layout.WEATHER_BIT) this.#weather = at(this.#columns.weather, this.#weathers++);
    if (bits & layout.OFFSET_BIT) this.#offset = at(this.#columns.offsets, this.#offsets++);
  }

  #row(bits: number, atUs: number, row: { tags: SeriesRow; isFar: boolean; isWanted: boolean }): HomeEvent | undefined {
    const { tags, isFar, isWanted } = row;
    const { entity } = tags;
    // The order matters: each reads what the row before left, then leaves its own.
    const oldState = this.#oldState(bits, { entity, isWanted });
    this.#state(bits, entity);
    const value = this.#value(bits, entity);
    const lastChangedUs = this.#lastChanged(bits, { atUs, entity, isFar });
    const seconds = this.#seconds(bits, lastChangedUs - entity.lastChangedUs);
    entity.lastChangedUs = lastChangedUs;
    this.#context(bits, atUs);
    const user = bits & layout.USER_BIT ? at(this.#columns.users, this.#users++) : -1;
    if (bits & layout.ATTRIBUTES_BIT) entity.attributes += at(this.#columns.attributes, this.#attributes++);
    if (bits & layout.WEATHER_BIT) this.#weather = at(this.#columns.weather, this.#weathers++);
    if (bits & layout.OFFSET_BIT) this.#offset = at(this.#columns.offsets, this.#offsets++);
    if (!isWanted) return undefined;
    const event: Draft = {
      homeId: this.#body.homeId,
      entityId: entity.entityId,
      atUs,
      lastChangedUs,
      kind: at(layout.KINDS, (bits >> layout.KIND_AT) & 7),
      source: at(layout.SOURCES, (bits >> layout.SOURCE_AT) & 3),
      state: textOf(entity),
      quality: at(layout.QUALITIES, (bits >> layout.QUALITY_AT) & 3),
      domain: tags.domain,
      localTime: this.#localTime(atUs),
      dayPart: at(layout.DAY_PARTS, (bits >> layout.DAY_PART_AT) & 3),
      origin: tags.origin,
      context: this.#contextOf(bits, user),
      attributes: this.#json(entity.attributes) as HomeEvent["attributes"],
    };
    if (value !== undefined) event.value = value;
    if (tags.unit !== undefined) event.unit = tags.unit;
    if (oldState !== undefined) event.oldState = oldState;
    if (seconds !== undefined) event.secondsInOldState = seconds;
    if (tags.areaId !== undefined) event.areaId = tags.areaId;
    if (tags.deviceId !== undefined) event.deviceId = tags.deviceId;
    if (tags.deviceClass !== undefined) event.deviceClass = tags.deviceClass;
    if (this.#weather > 0) event.weather = this.#json(this.#weather - 1) as Weather;
    return event;
  }

  #oldState(bits: number, { entity, isWanted }: { entity: Entity; isWanted: boolean }): string | undefined {
    const mode = (bits >> layout.OLD_STATE_AT) & 3;
    if (mode === OLD_STATE.none) return undefined;
    if (mode === OLD_STATE.before) return isWanted ? textOf(entity) : undefined;
    return at(this.#body.states, at(this.#columns.oldStates, this.#oldStates++));
  }

  #state(bits: number, entity: Entity): void {
    const mode = (bits >> layout.STATE_AT) & 3;
    if (mode === STATE.decimal) {
      const index = this.#decimals++;
      const mantissa = at(this.#columns.mantissas, index);
      const more = at(this.#columns.decimals, index);
      entity.mantissa = more === 0 ? entity.mantissa + mantissa : mantissa;
      entity.decimals += more;
      entity.state = undefined;
      entity.isDecimal = true;
    } else if (mode === STATE.table) {
      entity.state = at(this.#body.states, at(this.#columns.states, this.#states++));
      entity.isDecimal = false;
    }
  }

  #value(bits: number, entity: Entity): number | boolean | undefined {
    const mode = (bits >> layout.VALUE_AT) & 7;
    if (mode === VALUE.none) return undefined;
    if (mode === VALUE.fromState) {
      return entity.isDecimal ? decimalValue(entity.mantissa, entity.decimals) : Number(entity.state);
    }
    return mode === VALUE.column ? at(this.#body.values, this.#values++) : mode === VALUE.yes;
  }

  #lastChanged(bits: number, row: { atUs: number; entity: Entity; isFar: boolean }): number {
    const mode = (bits >> layout.CHANGED_AT) & 3;
    if (mode === CHANGED.now) return row.atUs;
    if (mode === CHANGED.before) return row.entity.lastChangedUs;
    const changed = at(this.#columns.changed, this.#changed++);
    return row.isFar ? changed : row.atUs - changed;
  }

  #seconds(bits: number, sinceBeforeUs: number): number | undefined {
    const mode = (bits >> layout.LASTED_AT) & 3;
    if (mode === LASTED.none) return undefined;
    if (mode === LASTED.sinceBefore) return sinceBeforeUs / 1e6;
    if (mode === LASTED.micros) return at(this.#columns.lasted, this.#lasted++) / 1e6;
    return at(this.#body.lastedDoubles, this.#lastedDoubles++);
  }

  #context(bits: number, atUs: number): void {
    this.#take((bits >> layout.CONTEXT_AT) & 3, atUs, this.#id);
    this.#take((bits >> layout.PARENT_AT) & 3, atUs, this.#parent);
  }

  #take(mode: number, atUs: number, into: Id): void {
    if (mode === CONTEXT.ulid) {
      into.at = this.#ulids * RANDOM_BYTES;
      into.atMs = Math.floor(atUs / 1000) + at(this.#columns.ulidTimes, this.#ulids++);
    } else if (mode === CONTEXT.table) {
      into.at = at(this.#columns.ids, this.#ids++);
      into.atMs = -1;
    }
  }

  #contextOf(bits: number, user: number): HomeEvent["context"] {
    const context: DraftContext = { id: this.#idText(this.#id) };
    if ((bits >> layout.PARENT_AT) & 3) context.parentId = this.#idText(this.#parent);
    if (user >= 0) context.userId = at(this.#body.names, user);
    return context;
  }

  #idText({ atMs, at: index }: Id): string {
    if (atMs >= 0) return formatUlid(atMs, this.#body.random, index);
    return index < 0 ? "" : at(this.#body.names, index);
  }

  #localTime(atUs: number): string {
    const offset = this.#offset;
    if (offset % 2 !== 0) return at(this.#body.names, (offset - 1) / 2);
    return this.#localTimes.text(atUs, offset / 2);
  }

  #json(code: number): unknown {
    let value = this.#body.parsed[code];
    if (value === undefined) {
      value = JSON.parse(at(this.#body.json, code));
      this.#body.parsed[code] = value;
    }
    return value;
  }
}

/** The entity's state. Text is only made of decimals that somebody wants to see. */
function textOf(entity: Entity): string {
  entity.state ??= formatDecimal(entity.mantissa, entity.decimals);
  return entity.state;
}
