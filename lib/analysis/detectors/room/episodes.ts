import { tokenOf } from "../lines/rows.ts";
import { byText } from "../order.ts";
import type { DayFacts, Occurrence } from "../types.ts";

/** A room's day: when it was in use, and what people switched there. */
export interface RoomRow {
  readonly area: string;
  /** By hour of the local wall clock (24 counts): how many episodes reached into it. */
  readonly hours: readonly number[];
  /** Tokens, ascending. */
  readonly names: readonly string[];
  /** Of things switched shortly after one another: the slot of five minutes of the local wall clock (0 to 287), how often, and their places in `names`, in order. */
  readonly bursts: readonly (readonly number[])[];
}

/** Things that people switched in one room shortly after one another, in order. */
export interface Burst {
  readonly slot: number;
  readonly n: number;
  readonly tokens: readonly string[];
}

export const SLOT_MINUTES = 5;
/** A longer pause ends what belongs together. */
export const BURST_GAP_SECONDS = 90;
/** A room stays in use for so long after the last movement. */
const HOLD_SECONDS = 600;
const PRESENCE: ReadonlySet<string> = new Set(["motion", "occupancy", "presence", "moving"]);
/** What comes later in a burst is left out; of a day, what comes after so many bursts (a very large home: about 100 KB). */
export const MOST_TOKENS = 8;
const MOST_BURSTS = 1000;

const HOUR_US = 3_600e6;
const HOURS = 24;

/** A day's rows. Complexity: O(occurrences). */
export function roomRows(facts: DayFacts): readonly RoomRow[] {
  const byArea = new Map<string, Occurrence[]>();
  for (const occurrence of facts.occurrences) {
    const { areaId, role, actor, deviceClass } = occurrence;
    if (areaId === undefined || actor !== "person") continue;
    if (role !== "target" && !PRESENCE.has(deviceClass ?? "")) continue;
    const list = byArea.get(areaId);
    if (list) list.push(occurrence);
    else byArea.set(areaId, [occurrence]);
  }
  let left = MOST_BURSTS;
  const rows = [...byArea].map(([area, list]): RoomRow => {
    const bursts = burstsOf(list).slice(0, left);
    left -= bursts.length;
    return packRoom(area, hoursOf(list), bursts);
  });
  return mergeRooms([rows]);
}

function hoursOf(list: readonly Occurrence[]): readonly number[] {
  const hours = new Array<number>(HOURS).fill(0);
  const count = (from: Occurrence, untilUs: number) => {
    const hour = Math.floor(from.minute / 60);
    const left = HOUR_US - (from.minute % 60) * 60e6;
    const more = Math.min(HOURS - 1, Math.max(0, Math.ceil((untilUs - from.atUs - left) / HOUR_US)));
    for (let step = 0; step <= more; step++) hours[(hour + step) % HOURS] = (hours[(hour + step) % HOURS] ?? 0) + 1;
  };
  const present = new Set<string>();
  let first: Occurrence | undefined;
  let untilUs = 0;
  for (const occurrence of list) {
    const { atUs, entityId, state, role } = occurrence;
    if (first && present.size === 0 && atUs > untilUs) {
      count(first, untilUs);
      first = undefined;
    }
    first ??= occurrence;
    if (role === "sensor" && state === "on") present.add(entityId);
    else present.delete(entityId);
    untilUs = atUs + HOLD_SECONDS * 1e6;
  }
  if (first) count(first, untilUs);
  return hours;
}

function burstsOf(list: readonly Occurrence[]): Burst[] {
  const rows: Burst[] = [];
  let tokens: string[] = [];
  let begin: Occurrence | undefined;
  let last: Occurrence | undefined;
  const close = () => {
    if (begin && tokens.length > 0)
      rows.push({
        slot: Math.floor(begin.minute / SLOT_MINUTES),
        tokens: tokens.slice(0, MOST_TOKENS),
        n: 1,
      });
    tokens = [];
    begin = undefined;
  };
  for (const occurrence of list) {
    if (occurrence.role !== "target") continue;
    if (last && occurrence.atUs - last.atUs > BURST_GAP_SECONDS * 1e6) close();
    // A group or a scene is one thing that was switched.
    const isOneAct = last?.act === occurrence.act;
    last = occurrence;
    if (isOneAct) continue;
    begin ??= occurrence;
    // Of an entity that was switched to and fro, the end.
    tokens = tokens.filter((token) => !token.startsWith(`${occurrence.entityId}=`));
    tokens.push(tokenOf(occurrence.entityId, occurrence.state));
  }
  close();
  return rows;
}

function packRoom(area: string, hours: readonly number[], bursts: readonly Burst[]): RoomRow {
  const names = [...new Set(bursts.flatMap(({ tokens }) => tokens))].sort();
  const placeOf = new Map(names.map((name, place) => [name, place]));
  const sums = new Map<string, number[]>();
  for (const { slot, n, tokens } of bursts) {
    const places = tokens.map((token) => placeOf.get(token) ?? 0);
    const key = [slot, ...places].join(" ");
    const there = sums.get(key);
    if (there) there[1] = (there[1] ?? 0) + n;
    else sums.set(key, [slot, n, ...places]);
  }
  const order = [...sums].sort(([a], [b]) => byText(a, b));
  return { area, hours, names, bursts: order.map(([, burst]) => burst) };
}

export const burstsIn = ({ names, bursts }: RoomRow): Burst[] =>
  bursts.map(([slot = 0, n = 0, ...places]) => ({ slot, n, tokens: places.map((place) => names[place] ?? "") }));

/** Sums of what is the same. Bounded by what rooms are used for: bursts of the same things at the same time of day are one. */
export function mergeRooms(parts: Iterable<readonly RoomRow[]>): readonly RoomRow[] {
  const rooms = new Map<string, { hours: readonly number[]; bursts: Burst[] }>();
  for (const part of parts)
    for (const row of part) {
      const room = rooms.get(row.area) ?? { hours: new Array<number>(HOURS).fill(0), bursts: [] };
      room.hours = room.hours.map((count, hour) => count + (row.hours[hour] ?? 0));
      room.bursts.push(...burstsIn(row));
      rooms.set(row.area, room);
    }
  return [...rooms].sort(([a], [b]) => byText(a, b)).map(([area, { hours, bursts }]) => packRoom(area, hours, bursts));
}
