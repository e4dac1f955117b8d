import type { Random } from "../../../lib/base/random.ts";
import { seededRandom } from "../../../lib/base/random.ts";
import { floatSecondsToUs, formatIsoUs } from "../../../lib/base/time.ts";
import { type Attributes, attributesOf } from "../house/attributes.ts";
import type { House } from "../house/house.ts";
import { type Calendar, calendarOf } from "../people/calendar.ts";
import { type SunTimes, sunPosition, sunTimes } from "../people/sun.ts";
import { DAY_BEGINS_MINUTE, wallClock, type Zone } from "../people/zone.ts";
import { type PlantedRoutine, routineOf } from "../routines.ts";
import { mix, mixText, ulidAt } from "./chance.ts";
import { happensAt } from "./occurrence.ts";
import { type Rest, restOf } from "./rest.ts";

/** Home Assistant's context of a change. */
export interface Context {
  readonly id: string;
  readonly parent_id: string | null;
  readonly user_id: string | null;
}

/** One change of one entity's state or attributes. */
export interface HomeChange {
  /** Seconds since 1970, finer than a microsecond, as `time.time()` of a current Home Assistant. */
  readonly at: number;
  readonly entityId: string;
  readonly state: string;
  readonly attributes: Attributes;
  readonly context: Context;
  /** False: only attributes changed. */
  readonly isStateChange: boolean;
}

/** When a planted routine really happened: the truth, hit by hit. */
export interface Occurrence {
  readonly routineId: string;
  readonly day: number;
  /** Seconds since 1970 of the target's change. */
  readonly at: number;
}

export interface DayPlan {
  readonly day: number;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly calendar: Calendar;
  readonly changes: readonly HomeChange[];
  readonly occurrences: readonly Occurrence[];
  readonly anomaly?: string;
  /** How every entity is that has changed, when the day ends. */
  readonly ends: ReadonlyMap<string, Standing>;
}

/** How an entity stands: its state, the attributes of that state as JSON, and since when (seconds since 1970). */
export interface Standing {
  readonly state: string;
  readonly attributes: string;
  readonly at: number;
}

/** What a day takes over instead of what follows from seed and calendar. */
export interface DayStart {
  readonly calendar?: Calendar;
  /** Entities that are not at rest at 04:00. */
  readonly standing?: ReadonlyMap<string, Standing>;
}

interface Wish {
  readonly at: number;
  readonly entityId: string;
  readonly state: string;
  readonly ofState: Attributes | undefined;
  readonly context: Context;
  readonly routineId?: string;
}

export interface PutOptions {
  /** Attributes of the state; left out: those of rest. */
  readonly attributes?: Attributes;
  /** Left out: a context of its own, as of a device that was touched. */
  readonly context?: Context;
  /** When this change is the target of a planted routine. */
  readonly routineId?: string;
}

/** One day in the making: what the parts of the generator write into. */
export interface DayWriter {
  readonly house: House;
  readonly day: number;
  readonly calendar: Calendar;
  readonly startsAt: number;
  readonly endsAt: number;
  /** Seconds since 1970 of a minute of this day's wall clock (240 to 1680). */
  readonly at: (minute: number) => number;
  readonly minuteOf: (at: number) => number;
  /** Sunrise, sunset and noon as minutes of the wall clock. */
  readonly sunMinutes: SunTimes;
  isDark(at: number): boolean;
  /** Chance of its own for each purpose, so that one part never changes another's. */
  random(purpose: string): Random;
  context(at: number, cause?: { readonly parent?: Context; readonly isUser?: boolean }): Context;
  /** Wishes a state. Nothing comes of it when the entity is so already by then. */
  put(at: number, entityId: string, state: string, options?: PutOptions): void;
  /** Minute of today's occurrence of a clock routine; the same each time it is asked. */
  happens(routineId: string): number | undefined;
  routine(routineId: string): PlantedRoutine;
  finish(anomaly?: string): DayPlan;
}

const GAP_SECONDS = 0.000_02;

export function createDayWriter(house: House, zone: Zone, day: number, start: DayStart = {}): DayWriter {
  const seed = mix(house.seed, day);
  const calendar = start.calendar ?? calendarOf(house.seed, day);
  const at = wallClock(zone, day);
  const [startsAt, endsAt] = [at(DAY_BEGINS_MINUTE), wallClock(zone, day + 1)(DAY_BEGINS_MINUTE)];
  const minuteOf = (moment: number) => DAY_BEGINS_MINUTE + (moment - startsAt) / 60;
  const sun = sunTimes(day);
  const sunMinutes = { rising: minuteOf(sun.rising), setting: minuteOf(sun.setting), noon: minuteOf(sun.noon) };
  const wishes: Wish[] = [];
  let contexts = 0;
  const context: DayWriter["context"] = (moment, { parent, isUser } = {}) => ({
    id: ulidAt(moment * 1000, mix(seed, ++contexts)),
    parent_id: parent?.id ?? null,
    user_id: isUser ? house.userId : null,
  });
  const random = (purpose: string) => seededRandom(mixText(seed, purpose));
  return {
    house,
    day,
    calendar,
    startsAt,
    endsAt,
    at,
    minuteOf,
    sunMinutes,
    isDark: (moment) => sunPosition(moment).elevation < 2,
    random,
    context,
    put(moment, entityId, state, options = {}) {
      wishes.push({
        at: moment,
        entityId,
        state,
        ofState: options.attributes,
        context: options.context ?? context(moment),
        ...(options.routineId !== undefined && { routineId: options.routineId }),
      });
    },
    happens: (id) => happensAt(routineOf(id), calendar, { random: random(`routine ${id}`), sunMinutes }),
    routine: routineOf,
    finish: (anomaly) => ({
      day,
      startsAt,
      endsAt,
      calendar,
      ...settle(house, { day, startsAt, endsAt, calendar, ...start }, wishes),
      ...(anomaly !== undefined && { anomaly }),
    }),
  };
}

/** Orders the wishes and lets them happen one after the other: who wants what is so already changes nothing. */
function settle(
  house: House,
  bounds: Omit<DayStart, "calendar"> & {
    readonly day: number;
    readonly startsAt: number;
    readonly endsAt: number;
    readonly calendar: Calendar;
  },
  wishes: readonly Wish[],
): { changes: HomeChange[]; occurrences: Occurrence[]; ends: ReadonlyMap<string, Standing> } {
  const now = new Map<string, Standing>(bounds.standing);
  const rests = new Map<string, Rest>();
  const changes: HomeChange[] = [];
  const occurrences: Occurrence[] = [];
  const inOrder = wishes
    .filter((wish) => wish.at >= bounds.startsAt && wish.at < bounds.endsAt - 1)
    .sort((a, b) => a.at - b.at);
  for (const wish of inOrder) {
    const entity = house.byId.get(wish.entityId);
    if (!entity) throw new Error(`The day's plan wishes "${wish.entityId}" to change: the house has no such entity.`);
    const rest = rests.get(wish.entityId) ?? restOf(entity, bounds.calendar);
    rests.set(wish.entityId, rest);
    const before = now.get(wish.entityId) ?? {
      state: rest.state,
      attributes: JSON.stringify(rest.ofState ?? {}),
      at: bounds.startsAt,
    };
    const ofState = wish.ofState ?? (wish.state === rest.state ? rest.ofState : undefined) ?? {};
    const attributes = JSON.stringify(ofState);
    const isStateChange = before.state !== wish.state;
    if (!isStateChange && before.attributes === attributes) continue;
    const at = Math.max(wish.at, before.at + GAP_SECONDS);
    now.set(wish.entityId, { state: wish.state, attributes, at });
    changes.push({
      at,
      entityId: wish.entityId,
      state: wish.state,
      attributes: attributesOf(entity, ofState),
      context: wish.context,
      isStateChange,
    });
    if (wish.routineId !== undefined) occurrences.push({ routineId: wish.routineId, day: bounds.day, at });
  }
  changes.sort((a, b) => a.at - b.at);
  return { changes, occurrences, ends: now };
}

/** The text that Home Assistant writes of a moment. */
export const isoOf = (at: number): string => formatIsoUs(floatSecondsToUs(at));
