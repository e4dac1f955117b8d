import type { Entity, House } from "../house/house.ts";
import { dayNumberOf, type Zone } from "../people/zone.ts";
import { generateDay } from "./day.ts";
import type { DayPlan, HomeChange } from "./day-writer.ts";

/** Days kept in memory. A day is two to three thousand changes, about one megabyte. */
export const CACHED_DAYS = 6;
/** An entity that nothing happened to for so long is taken to be at rest since the start; of so many days the last changes are kept. */
const LOOK_BACK_DAYS = 40;

/** What a day leaves behind: of each entity its last change, and when its state last became another. */
type DaySummary = ReadonlyMap<string, { readonly last: HomeChange; readonly stateAt: number | undefined }>;

/** The days of people and automations, made when they are asked for. */
export interface DayBook {
  day(number: number): DayPlan;
  numberAt(moment: number): number;
  changesOf(entity: Entity, number: number): readonly HomeChange[];
  /** The last change in (`begin`, `moment`], and since when the state is what it is; both may be missing. */
  lastBefore(
    entity: Entity,
    moment: number,
    begin: number,
  ): { readonly last: HomeChange | undefined; readonly stateAt: number | undefined };
}

/** Keeps what was made, the oldest goes first. */
function bounded<T>(limit: number, make: (number: number) => T): (number: number) => T {
  const kept = new Map<number, T>();
  return (number) => {
    const value = kept.get(number) ?? make(number);
    kept.delete(number);
    kept.set(number, value);
    for (const oldest of kept.keys()) {
      if (kept.size <= limit) break;
      kept.delete(oldest);
    }
    return value;
  };
}

function summarized(plan: DayPlan): DaySummary {
  const summary = new Map<string, { last: HomeChange; stateAt: number | undefined }>();
  for (const change of plan.changes) {
    const before = summary.get(change.entityId);
    summary.set(change.entityId, { last: change, stateAt: change.isStateChange ? change.at : before?.stateAt });
  }
  return summary;
}

/** `startsAt`: nothing before it is looked for. */
export function createDayBook(house: House, zone: Zone, startsAt: number): DayBook {
  const day = bounded(CACHED_DAYS, (number) => generateDay(house, zone, number));
  const summaryOf = bounded(LOOK_BACK_DAYS, (number) => summarized(day(number)));
  const numberAt = (moment: number) => dayNumberOf(zone, moment * 1000);
  const firstDay = numberAt(startsAt);
  const changesOf = (entity: Entity, number: number) => day(number).changes.filter((one) => one.entityId === entity.id);
  return {
    day,
    numberAt,
    changesOf,
    lastBefore(entity, moment, begin) {
      const today = numberAt(moment);
      let last: HomeChange | undefined;
      for (let number = today; number >= Math.max(firstDay, today - LOOK_BACK_DAYS + 1); number--) {
        const isWhole = number < today && number > firstDay;
        const some = isWhole ? [] : changesOf(entity, number).filter((one) => one.at <= moment && one.at > begin);
        const found = isWhole ? summaryOf(number).get(entity.id) : undefined;
        last ??= isWhole ? found?.last : some.at(-1);
        const stateAt = isWhole ? found?.stateAt : some.findLast((one) => one.isStateChange)?.at;
        if (stateAt !== undefined) return { last, stateAt };
      }
      return { last, stateAt: undefined };
    },
  };
}
