import type { Attributes } from "../house/attributes.ts";
import { attributesOf } from "../house/attributes.ts";
import type { Entity, House } from "../house/house.ts";
import { calendarOf } from "../people/calendar.ts";
import type { Zone } from "../people/zone.ts";
import { createDayBook } from "./day-book.ts";
import type { Context, DayPlan } from "./day-writer.ts";
import { restOf } from "./rest.ts";
import type { Sensor } from "./sensors.ts";

/** A row of the past, as a recorder would have it. `state` null: the entity was removed. */
export interface Row {
  readonly at: number;
  readonly changedAt: number;
  readonly state: string | null;
  readonly attributes: Attributes;
  /** Absent: one of its own, that nothing else has. */
  readonly context?: Context;
}

/** What the generator says happened, from `startsAt` on; a pure function of house, rate and time, made when asked for. */
export interface Past {
  readonly startsAt: number;
  /** The plan of a day, from a cache of a few days. */
  day(number: number): DayPlan;
  dayAt(moment: number): DayPlan;
  /** Rows of one entity with `from < at < to`, ascending, one after the other. */
  rows(entity: Entity, from: number, to: number): Iterable<Row>;
  /** The first row of an entity. */
  first(entity: Entity): Row;
  /** The last row at or before `moment`; undefined before the start. */
  stateAt(entity: Entity, moment: number): Row | undefined;
}

/** Readings that are looked back over for the moment when a state began. */
const READINGS_BACK = 500;

/** Since when the state of reading `k` is what it is; not before `begin`. */
function changedAt(sensor: Sensor, k: number, begin: number): number {
  if (sensor.stateChanges === "always") return sensor.at(k);
  if (sensor.stateChanges === "never") return begin;
  const { state } = sensor.read(k);
  let since = k;
  while (sensor.read(since - 1).state === state) {
    if (sensor.at(since - 1) <= begin) return begin;
    since--;
    if (since < k - READINGS_BACK) break;
  }
  return sensor.at(since);
}

function readingAt(sensor: Sensor, moment: number, begin: number): Row | undefined {
  const last = sensor.firstAfter(moment) - 1;
  const at = sensor.at(last);
  return at <= begin ? undefined : { at, changedAt: changedAt(sensor, last, begin), ...sensor.read(last) };
}

/** The readings with `after < at < to`. */
function* readings(
  sensor: Sensor,
  span: { readonly after: number; readonly to: number; readonly begin: number },
): Generator<Row> {
  let k = sensor.firstAfter(span.after);
  for (let since = changedAt(sensor, k, span.begin); sensor.at(k) < span.to; k++) {
    const reading = sensor.read(k);
    if (sensor.stateChanges !== "never" && sensor.read(k - 1).state !== reading.state) since = sensor.at(k);
    yield { at: sensor.at(k), changedAt: since, ...reading };
  }
}

export function createPast(options: {
  readonly house: House;
  readonly zone: Zone;
  readonly sensors: readonly Sensor[];
  /** Seconds since 1970 of the first row of every entity: Home Assistant started then. */
  readonly startsAt: number;
}): Past {
  const { house, zone, startsAt } = options;
  const sensors = new Map(options.sensors.map((sensor) => [sensor.entity.id, sensor]));
  const book = createDayBook(house, zone, startsAt);
  /** Entities start one after the other, within a few milliseconds. */
  const firstAt = (entity: Entity) => startsAt + 0.000_37 * (1 + house.live.indexOf(entity));
  const first = (entity: Entity): Row => {
    const at = firstAt(entity);
    const sensor = sensors.get(entity.id);
    if (sensor) return { at, changedAt: at, ...sensor.read(sensor.firstAfter(at) - 1) };
    const rest = restOf(entity, calendarOf(house.seed, book.numberAt(at)));
    return { at, changedAt: at, state: rest.state, attributes: attributesOf(entity, rest.ofState) };
  };
  const stateAt = (entity: Entity, moment: number): Row | undefined => {
    const begin = firstAt(entity);
    if (moment < begin) return undefined;
    const sensor = sensors.get(entity.id);
    if (sensor) return readingAt(sensor, moment, begin) ?? first(entity);
    const { last, stateAt: since } = book.lastBefore(entity, moment, begin);
    if (!last) return first(entity);
    const { at, state, attributes, context } = last;
    return { at, changedAt: since ?? begin, state, attributes, context };
  };
  return {
    startsAt,
    first,
    day: book.day,
    dayAt: (moment) => book.day(book.numberAt(moment)),
    stateAt,
    *rows(entity, from, to) {
      const begin = first(entity);
      if (begin.at > from && begin.at < to) yield begin;
      const after = Math.max(from, begin.at);
      const sensor = sensors.get(entity.id);
      if (sensor) return yield* readings(sensor, { after, to, begin: begin.at });
      let since = stateAt(entity, after)?.changedAt ?? begin.at;
      for (let number = book.numberAt(after); number <= book.numberAt(to); number++)
        for (const change of book.changesOf(entity, number)) {
          if (change.at <= after || change.at >= to) continue;
          if (change.isStateChange) since = change.at;
          const { at, state, attributes, context } = change;
          yield { at, changedAt: since, state, attributes, context };
        }
    },
  };
}
