import type { HomeEvent } from "../../event/index.ts";
import { type ByteWriter, IntColumn } from "./bytes.ts";
import { type Columns, columnsFor } from "./columns-for.ts";
import { type Decimal, decimalValue, parseDecimal } from "./decimal.ts";
import * as layout from "./layout.ts";
import { CHANGED, CONTEXT, LASTED, OLD_STATE, STATE, VALUE } from "./layout.ts";
import { LocalTimes } from "./local-time.ts";
import { JsonMemory, TextTable } from "./texts.ts";
import { parseUlid, RANDOM_BYTES } from "./ulid.ts";

/** What the encoder remembers of an entity from its row before. */
interface EntityMemory {
  /** The last event itself: comparing with it is quicker than looking its texts up. */
  event: HomeEvent;
  series: number;
  attributes: number;
  readonly attributesMemory: JsonMemory;
  /** Of the last state that was a decimal. */
  mantissa: number;
  decimals: number;
  /** The state as a number; NaN when it is no plain decimal. */
  number: number;
}

/** Takes events one by one into columns. Only one at a time: see `columnsFor`. */
export class Encoder {
  readonly #columns: Columns;
  readonly #values: number[] = [];
  readonly #lastedDoubles: number[] = [];
  readonly #names = new TextTable();
  readonly #states = new TextTable();
  readonly #json = new TextTable();
  readonly #series = new Map<string, number>();
  readonly #entities = new Map<string, EntityMemory>();
  readonly #localTimes = new LocalTimes();
  readonly #decimal: Decimal = { mantissa: 0, decimals: 0 };
  #random: Buffer;
  #randomLength = 0;
  #seriesRows: number[] = [];
  #lastUs = 0;
  #lastId = "";
  #lastParent = "";
  #hasWeather = false;
  readonly #weatherMemory = new JsonMemory();
  #lastOffset = Number.NaN;
  #isByTime = true;
  minUs = Number.POSITIVE_INFINITY;
  maxUs = Number.NEGATIVE_INFINITY;

  readonly #isFar: boolean;

  /** `isFar`: some time is so far away that differences of two may not be exact; then times stand as they are. */
  constructor(count: number, isFar: boolean) {
    this.#isFar = isFar;
    this.#columns = columnsFor(count);
    this.#random = Buffer.allocUnsafe(2 * RANDOM_BYTES * count);
  }

  add(event: HomeEvent): void {
    const columns = this.#columns;
    const { atUs } = event;
    if (atUs < this.#lastUs && this.maxUs >= this.minUs) this.#isByTime = false;
    if (atUs < this.minUs) this.minUs = atUs;
    if (atUs > this.maxUs) this.maxUs = atUs;
    columns.times.push(this.#isFar ? atUs : atUs - this.#lastUs);
    this.#lastUs = atUs;
    const before = this.#entities.get(event.entityId);
    const memory = before ?? newMemory(event);
    if (before === undefined) this.#entities.set(event.entityId, memory);
    memory.series = before && sameTags(before.event, event) ? before.series : this.#seriesOf(event);
    columns.series.push(memory.series);
    const flags =
      (layout.KIND_CODES[event.kind] << layout.KIND_AT) |
      (layout.SOURCE_CODES[event.source] << layout.SOURCE_AT) |
      (layout.QUALITY_CODES[event.quality] << layout.QUALITY_AT) |
      (layout.DAY_PART_CODES[event.dayPart] << layout.DAY_PART_AT) |
      // Before the state, which overwrites what is remembered.
      (this.#oldState(event, before) << layout.OLD_STATE_AT) |
      (this.#state(event, memory, before !== undefined) << layout.STATE_AT) |
      (this.#value(event, memory) << layout.VALUE_AT) |
      (this.#lasted(event, before) << layout.LASTED_AT) |
      (this.#changed(event, before) << layout.CHANGED_AT) |
      this.#contextBits(event) |
      this.#attributes(event, memory, before !== undefined) |
      this.#weather(event) |
      this.#localTime(event);
    columns.flags.push(flags);
    memory.event = event;
  }

  write(writer: ByteWriter): void {
    for (const table of [this.#names, this.#states, this.#json]) table.write(writer);
    const series = new IntColumn(this.#seriesRows.length);
    for (const code of this.#seriesRows) series.push(code);
    writer.ints(series);
    for (const name of layout.COLUMNS) writer.ints(this.#columns[name]);
    writer.doubles(this.#values);
    writer.doubles(this.#lastedDoubles);
  }

  get marks(): number {
    return (this.#isByTime ? layout.MARK_BY_TIME : 0) | (this.#isFar ? layout.MARK_FAR : 0);
  }

  get random(): Uint8Array {
    return this.#random.subarray(0, this.#randomLength);
  }

  #seriesOf(event: HomeEvent): number {
    const { entityId, areaId, deviceId, domain, deviceClass, unit, origin } = event;
    const names = this.#names;
    const codes = [entityId, areaId, deviceId, domain, deviceClass, unit, origin].map((name) =>
      name === undefined ? 0 : names.codeOf(name) + 1,
    );
    const key = codes.join();
    let code = this.#series.get(key);
    if (code === undefined) {
      code = this.#series.size;
      this.#series.set(key, code);
      this.#seriesRows.push(...codes);
    }
    return code;
  }

  #oldState({ oldState }: HomeEvent, before: EntityMemory | undefined): number {
    if (oldState === undefined) return OLD_STATE.none;
    if (before && oldState === before.event.state) return OLD_STATE.before;
    this.#columns.oldStates.push(this.#states.codeOf(oldState));
    return OLD_STATE.table;
  }

  #state({ state }: HomeEvent, memory: EntityMemory, isKnown: boolean): number {
    if (isKnown && state === memory.event.state) return STATE.before;
    const decimal = this.#decimal;
    if (!parseDecimal(state, decimal)) {
      memory.number = Number.NaN;
      this.#columns.states.push(this.#states.codeOf(state));
      return STATE.table;
    }
    const { mantissa, decimals } = decimal;
    this.#columns.mantissas.push(mantissa - (decimals === memory.decimals ? memory.mantissa : 0));
    this.#columns.decimals.push(decimals - memory.decimals);
    memory.mantissa = mantissa;
    memory.decimals = decimals;
    memory.number = decimalValue(mantissa, decimals);
    return STATE.decimal;
  }

  #value({ value, state }: HomeEvent, { number }: EntityMemory): number {
    if (value === undefined) return VALUE.none;
    if (typeof value === "boolean") return value ? VALUE.yes : VALUE.no;
    if (Object.is(value, Number.isNaN(number) ? Number(state) : number)) return VALUE.fromState;
    this.#values.push(value);
    return VALUE.column;
  }

  #lasted({ secondsInOldState: seconds, lastChangedUs }: HomeEvent, before: EntityMemory | undefined): number {
    if (seconds === undefined) return LASTED.none;
    if (before && Object.is(seconds, (lastChangedUs - before.event.lastChangedUs) / 1e6)) return LASTED.sinceBefore;
    const us = Math.round(seconds * 1e6);
    if (Number.isSafeInteger(us) && !Object.is(us, -0) && us / 1e6 === seconds) {
      this.#columns.lasted.push(us);
      return LASTED.micros;
    }
    this.#lastedDoubles.push(seconds);
    return LASTED.column;
  }

  #changed({ atUs, lastChangedUs }: HomeEvent, before: EntityMemory | undefined): number {
    if (lastChangedUs === atUs) return CHANGED.now;
    if (before && lastChangedUs === before.event.lastChangedUs) return CHANGED.before;
    this.#columns.changed.push(this.#isFar ? lastChangedUs : atUs - lastChangedUs);
    return CHANGED.column;
  }

  #contextBits({ context, atUs }: HomeEvent): number {
    const { id, parentId, userId } = context;
    let bits = (id === this.#lastId ? CONTEXT.last : this.#id(id, atUs)) << layout.CONTEXT_AT;
    this.#lastId = id;
    if (parentId !== undefined) {
      bits |= (parentId === this.#lastParent ? CONTEXT.last : this.#id(parentId, atUs)) << layout.PARENT_AT;
      this.#lastParent = parentId;
    }
    if (userId === undefined) return bits;
    this.#columns.users.push(this.#names.codeOf(userId));
    return bits | layout.USER_BIT;
  }

  #id(id: string, atUs: number): number {
    const ulidMs = parseUlid(id, this.#random, this.#randomLength);
    if (ulidMs < 0) {
      this.#columns.ids.push(this.#names.codeOf(id));
      return CONTEXT.table;
    }
    this.#randomLength += RANDOM_BYTES;
    this.#columns.ulidTimes.push(ulidMs - Math.floor(atUs / 1000));
    return CONTEXT.ulid;
  }

  #attributes({ attributes }: HomeEvent, memory: EntityMemory, isKnown: boolean): number {
    if (isKnown && memory.attributesMemory.isSame(attributes)) return 0;
    memory.attributesMemory.set(attributes);
    const code = this.#json.codeOf(JSON.stringify(attributes));
    this.#columns.attributes.push(code - memory.attributes);
    memory.attributes = code;
    return layout.ATTRIBUTES_BIT;
  }

  #weather({ weather }: HomeEvent): number {
    if (weather === undefined ? !this.#hasWeather : this.#hasWeather && this.#weatherMemory.isSame(weather)) return 0;
    this.#hasWeather = weather !== undefined;
    this.#weatherMemory.set(weather);
    this.#columns.weather.push(weather === undefined ? 0 : this.#json.codeOf(JSON.stringify(weather)) + 1);
    return layout.WEATHER_BIT;
  }

  #localTime({ atUs, localTime }: HomeEvent): number {
    const offset = this.#localTimes.offsetOf(atUs, localTime);
    if (offset === this.#lastOffset) return 0;
    this.#lastOffset = offset;
    // Even: minutes; odd: a text of the names' table, of this row alone.
    this.#columns.offsets.push(Number.isNaN(offset) ? 2 * this.#names.codeOf(localTime) + 1 : 2 * offset);
    return layout.OFFSET_BIT;
  }
}

const newMemory = (event: HomeEvent): EntityMemory => ({
  event,
  series: 0,
  attributes: 0,
  attributesMemory: new JsonMemory(),
  mantissa: 0,
  decimals: 0,
  number: Number.NaN,
});

const sameTags = (a: HomeEvent, b: HomeEvent): boolean =>
  a.areaId === b.areaId &&
  a.deviceId === b.deviceId &&
  a.domain === b.domain &&
  a.deviceClass === b.deviceClass &&
  a.unit === b.unit &&
  a.origin === b.origin;
