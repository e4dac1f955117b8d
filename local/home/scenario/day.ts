import { writeComings } from "../generate/comings.ts";
import {
  createDayWriter,
  type DayPlan,
  type DayWriter,
  type PutOptions,
  type Standing,
} from "../generate/day-writer.ts";
import { writeMotion } from "../generate/motion.ts";
import { writeSun } from "../generate/surroundings.ts";
import { ROOMS, type Room } from "../house/areas.ts";
import type { House } from "../house/house.ts";
import { calendarOf } from "../people/calendar.ts";
import { type Presence, presenceOf } from "../people/presence.ts";
import { dayOfPeople } from "../people/residents.ts";
import type { Zone } from "../people/zone.ts";
import type { Token } from "../planted/routine.ts";
import { attributesIn, type Moment, type Stage } from "./act.ts";
import { writeDisturbances } from "./disturbances.ts";
import { writeBoundPlants, writeFreePlants } from "./plants.ts";
import type { Scenario } from "./types.ts";

/** What reaches over the end of a day. */
interface Late {
  readonly at: number;
  readonly token: Token;
  readonly options: PutOptions;
}

export interface Handover {
  readonly standing: ReadonlyMap<string, Standing>;
  readonly late: readonly Late[];
}

export interface ScenarioDay extends DayPlan {
  /** By routine: how often it could have happened. */
  readonly opportunities: ReadonlyMap<string, number>;
  readonly handover: Handover;
}

/** Of the family's habits only how people move is taken over: motion, doors, phones, persons. */
const SEEN = /^(binary_sensor|person|device_tracker|zone)\./;

const nobody = (): Presence => ({
  moves: [],
  seen: new Map<Room, number[]>(ROOMS.map((room) => [room, []])),
  occupied: new Map(),
});

/** The calendar of a scenario: the vacations are its own. */
function calendarIn({ seed, vacation }: Scenario, day: number) {
  const calendar = { ...calendarOf(seed, day), vacation: "home" as const };
  if (!vacation || day < vacation[0] || day > vacation[1]) return calendar;
  const state = day === vacation[0] ? "leaving" : day === vacation[1] ? "returning" : "away";
  return { ...calendar, vacation: state, hasGuests: false, hasOuting: false } as const;
}

interface Written {
  readonly at: number;
  readonly state: string;
}

/** One day of a scenario. The same scenario, day and handover always give the same. */
export function scenarioDay(
  house: House,
  zone: Zone,
  { scenario, day, before }: { readonly scenario: Scenario; readonly day: number; readonly before: Handover },
): ScenarioDay {
  const calendar = calendarIn(scenario, day);
  const plain = createDayWriter(house, zone, day, { calendar, standing: before.standing });
  const written = new Map<string, Written[]>();
  const late: Late[] = [];
  const writer: DayWriter = {
    ...plain,
    put(at, entityId, state, options) {
      const list = written.get(entityId) ?? [];
      list.push({ at, state });
      written.set(entityId, list);
      plain.put(at, entityId, state, options);
    },
  };
  const people = dayOfPeople(writer);
  const presence = scenario.isEmpty ? nobody() : presenceOf(writer, people);
  const opportunities = new Map<string, number>();
  const stage: Stage = {
    writer,
    presence,
    put(wanted, target, options = {}) {
      // What would be before 04:00 is done a while after it.
      const at = wanted < writer.startsAt ? writer.startsAt + 60 + (wanted % 1500) : wanted;
      const whole = { ...attributesIn(target), ...options };
      if (at < writer.endsAt - 1) return writer.put(at, target.entity_id, target.state, whole);
      late.push({ at, token: target, options: whole });
    },
    opportunity: (id, count) => opportunities.set(id, (opportunities.get(id) ?? 0) + count),
    moments: (target) => momentsOf(written.get(target.entity_id) ?? [], target.state),
  };
  for (const one of before.late) stage.put(one.at, one.token, one.options);
  writeFreePlants(stage, scenario.plants);
  for (const minutes of presence.seen.values()) (minutes as number[]).sort((a, b) => a - b);
  const sightings = writeMotion(writer, presence);
  writeSun(writer);
  if (!scenario.isEmpty) {
    const seen: DayWriter = {
      ...writer,
      put: (at, entityId, ...rest) => SEEN.test(entityId) && writer.put(at, entityId, ...rest),
    };
    writeComings(seen, people, presence);
  }
  writeDisturbances(stage, scenario, sightings);
  writeBoundPlants(stage, scenario.plants);
  const plan = writer.finish();
  return { ...plan, opportunities, handover: { standing: plan.ends, late } };
}

function momentsOf(written: readonly Written[], state: string): Moment[] {
  const inOrder = [...written].sort((a, b) => a.at - b.at);
  return inOrder.flatMap((one, index) => {
    if (one.state !== state) return [];
    const end = inOrder.find((other, at) => at > index && other.state !== state);
    return [{ at: one.at, ...(end && { until: end.at }) }];
  });
}
