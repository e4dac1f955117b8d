import { between, exponential } from "../generate/chance.ts";
import type { DayWriter } from "../generate/day-writer.ts";
import { ROOMS, type Room } from "../house/areas.ts";
import type { DayOfPeople } from "./residents.ts";
import type { Place, Stay } from "./stays.ts";

/** Somebody's way from one place to the next, and when (minutes). */
export interface Move {
  readonly who: string;
  readonly at: number;
  readonly from: Place;
  readonly to: Place;
}

/** A stretch in which somebody who is awake is in a room, in minutes. */
export interface Occupied {
  readonly from: number;
  readonly to: number;
  readonly people: number;
}

export interface Presence {
  readonly moves: readonly Move[];
  /** When each room's sensor sees somebody, in minutes, ascending. */
  readonly seen: ReadonlyMap<Room, readonly number[]>;
  readonly occupied: ReadonlyMap<Room, readonly Occupied[]>;
}

const UPSTAIRS: readonly Place[] = ["landing", "bedroom", "kids_room", "bathroom"];
/** Minutes between two sightings of somebody awake. */
const RESTLESSNESS: Readonly<Record<Room, number>> = {
  hall: 0.7,
  landing: 0.7,
  kitchen: 1.6,
  bathroom: 1.2,
  living_room: 5.5,
  study: 6.5,
  bedroom: 3,
  kids_room: 3.5,
};
const ASLEEP_MINUTES = 110;
/** Seconds for a passage through hall or landing. */
const PASSAGE = [5, 12] as const;

/** The rooms in between: everything goes through the hall, upstairs through the landing as well. */
function passages(from: Place, to: Place): Room[] {
  if (from === to) return [];
  const isUp = (place: Place) => UPSTAIRS.includes(place);
  const between: Room[] =
    isUp(from) && isUp(to) ? ["landing"] : isUp(from) ? ["landing", "hall"] : isUp(to) ? ["hall", "landing"] : ["hall"];
  // The terrace is behind the kitchen.
  if (from === "outside" || to === "outside") return from === "kitchen" || to === "kitchen" ? [] : ["kitchen"];
  return between.filter((room) => room !== from && room !== to);
}

/** Follows everybody through the house. */
export function presenceOf(writer: DayWriter, people: DayOfPeople): Presence {
  const random = writer.random("presence");
  const seen = new Map<Room, number[]>(ROOMS.map((room) => [room, []]));
  const see = (room: Room, minute: number) => seen.get(room)?.push(minute);
  const moves: Move[] = [];
  const awake = new Map<Room, Stay[]>(ROOMS.map((room) => [room, []]));
  for (const [who, stays] of people.stays) {
    let before: Stay | undefined;
    for (const stay of stays) {
      const from: Place = before?.place ?? stay.place;
      if (before && from !== stay.place) {
        moves.push({ who, at: stay.from, from, to: stay.place });
        let seconds = 0;
        for (const room of passages(from, stay.place)) {
          see(room, stay.from + seconds / 60);
          seconds += between(random, ...PASSAGE);
        }
      }
      before = stay;
      if (stay.place === "away" || stay.place === "outside") continue;
      if (!stay.isAsleep) awake.get(stay.place)?.push(stay);
      const mean = stay.isAsleep ? ASLEEP_MINUTES : RESTLESSNESS[stay.place];
      if (!stay.isAsleep) see(stay.place, stay.from + between(random, 0.1, 0.35));
      for (let at = stay.from + 0.4 + exponential(random, mean); at < stay.to; at += 0.1 + exponential(random, mean))
        see(stay.place, at);
    }
  }
  for (const room of ROOMS) {
    // A sensor sees something that is not there about once in four days.
    if (random() < 0.03) see(room, between(random, 250, 1670));
    seen.get(room)?.sort((a, b) => a - b);
  }
  moves.sort((a, b) => a.at - b.at);
  return { moves, seen, occupied: new Map(ROOMS.map((room) => [room, union(awake.get(room) ?? [])])) };
}

/** Stays of several people in one room as stretches in which the room is not empty; a gap under half a minute is none. */
function union(stays: readonly Stay[]): Occupied[] {
  const result: Occupied[] = [];
  for (const stay of [...stays].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && stay.from <= last.to + 0.5)
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, stay.to), people: last.people + 1 };
    else result.push({ from: stay.from, to: stay.to, people: 1 });
  }
  return result;
}

/** Whether the room holds somebody awake. */
export const isOccupied = (presence: Presence, room: Room, minute: number): boolean =>
  presence.occupied.get(room)?.some((stretch) => stretch.from <= minute && minute < stretch.to) ?? false;
