import type { Token } from "../../patterns/types.ts";
import type { EntityLine, LinesDay } from "../lines/days.ts";

/** How often a target follows a trigger, and how often it would by chance. */
export interface Chance {
  /** Changes of the target with a firing of the trigger within the window before; one for each firing. */
  readonly count: number;
  readonly days: number;
  /** By chance: the target's changes of an hour fall anywhere in it, the trigger's windows cover a part of it. */
  readonly expected: number;
  readonly ofTarget: number;
  /** Beginnings of the trigger within the window after the target: the other way round. */
  readonly reverse: number;
}

export interface Pairing {
  readonly trigger: Track;
  readonly target: Track;
  readonly windowSeconds: number;
  /** Count what automations did to the target too. */
  readonly withAutomations: boolean;
}

/** One token through all days, for walking over it many times. */
export interface Track {
  readonly days: readonly (DayOfTrack | undefined)[];
}

/** Columns, as hot loops like them: by change to the state the second of the day, its act, and whether an automation made it. */
interface Columns {
  readonly at: Float64Array;
  readonly acts: Int32Array;
  readonly isAutomated: Uint8Array;
}

interface DayOfTrack {
  readonly changes: Columns;
  /** Of these, those that count as a trigger's. */
  readonly firings: Columns;
  /** By window: seconds of each hour that the windows after the firings cover. Filled when asked for. */
  readonly coverage: Map<number, readonly number[]>;
}

export function trackOf(days: readonly LinesDay[], { entityId, state }: Token): Track {
  return {
    days: days.map(({ entities }) => {
      const line = entities.get(entityId);
      const places = line?.byState.get(state);
      if (!line || !places) return undefined;
      const changes = columnsOf(line, places);
      const firings = firingsOf(line, state);
      return { changes, firings: firings === places ? changes : columnsOf(line, firings), coverage: new Map() };
    }),
  };
}

function columnsOf(line: EntityLine, places: readonly number[]): Columns {
  const size = places.length;
  const columns = { at: new Float64Array(size), acts: new Int32Array(size), isAutomated: new Uint8Array(size) };
  for (let index = 0; index < size; index++) {
    const place = places[index] ?? 0;
    columns.at[index] = line.at[place] ?? 0;
    columns.acts[index] = line.acts[place] ?? 0;
    columns.isAutomated[index] = Number(line.isAutomated[place] ?? false);
  }
  return columns;
}

/** After so long without a firing, the next one is somebody's coming, not his staying. */
export const QUIET_SECONDS = 300;

const HOUR_SECONDS = 3600;
/** Of a day of 25 hours, and the windows that reach over its end. */
const HOURS = 26;

/** Places of the firings that count: what automations did is nobody's act. */
export const firingsOf = (line: EntityLine | undefined, state: string): readonly number[] => {
  const places = line?.byState.get(state) ?? [];
  return line?.role === "target" ? places.filter((place) => !line.isAutomated[place]) : places;
};

/** Seconds that the union of the firings' windows covers, by hour of the day. */
function coverageOf({ firings, coverage }: DayOfTrack, windowSeconds: number): readonly number[] {
  const there = coverage.get(windowSeconds);
  if (there) return there;
  const hours = new Array<number>(HOURS).fill(0);
  let until = 0;
  for (const at of firings.at) {
    let from = Math.max(at, until);
    until = at + windowSeconds;
    while (from < until) {
      const hour = Math.floor(from / HOUR_SECONDS);
      const to = Math.min(until, (hour + 1) * HOUR_SECONDS);
      hours[hour] = (hours[hour] ?? 0) + to - from;
      from = to;
    }
  }
  coverage.set(windowSeconds, hours);
  return hours;
}

/** Nights look at the same history cut by a day and by two: sums are remembered as they were that many days before the end, and one more. */
const REMEMBERED_DAYS = 3;

/** Of all days, and as it was a day before the end, two and so on, as far as is remembered. */
export type ChanceByCut = readonly [Chance, ...Chance[]];

/** Complexity: O(changes of both). */
export function chanceOf({ trigger, target, windowSeconds, withAutomations }: Pairing): ChanceByCut {
  const sums = { count: 0, days: 0, expected: 0, ofTarget: 0, reverse: 0 };
  const size = target.days.length;
  const remembered: Chance[] = [];
  for (let index = 0; index < size; index++) {
    if (size - index <= REMEMBERED_DAYS) remembered.unshift({ ...sums });
    const followed = target.days[index];
    if (!followed) continue;
    const before = sums.count;
    const fired = trigger.days[index];
    if (fired) addDay(sums, { followed, fired, windowSeconds, withAutomations });
    else for (const automated of followed.changes.isAutomated) if (withAutomations || automated === 0) sums.ofTarget++;
    if (sums.count > before) sums.days++;
  }
  return [sums, ...remembered];
}

interface DayOfPair {
  readonly followed: DayOfTrack;
  readonly fired: DayOfTrack;
  readonly windowSeconds: number;
  readonly withAutomations: boolean;
}

type Sums = { -readonly [Member in keyof Chance]: number };

function addDay(sums: Sums, { followed, fired, windowSeconds, withAutomations }: DayOfPair): void {
  const { at: targetAt, acts: targetActs, isAutomated } = followed.changes;
  const { at: firedAt, acts: firedActs } = fired.firings;
  const hours = coverageOf(fired, windowSeconds);
  const firings = firedAt.length;
  let next = 0;
  let used = -1;
  for (let place = 0; place < targetAt.length; place++) {
    if (!withAutomations && isAutomated[place] === 1) continue;
    const at = targetAt[place] ?? 0;
    sums.ofTarget++;
    sums.expected += (hours[Math.floor(at / HOUR_SECONDS)] ?? 0) / HOUR_SECONDS;
    while (next < firings && (firedAt[next] ?? 0) <= at) next++;
    const last = next - 1;
    const act = targetActs[place] ?? 0;
    const lastAt = firedAt[last] ?? Number.NEGATIVE_INFINITY;
    if (last >= 0 && last !== used && at - lastAt <= windowSeconds && !(act !== 0 && firedActs[last] === act)) {
      sums.count++;
      used = last;
    }
    if (next >= firings || (act !== 0 && firedActs[next] === act)) continue;
    const nextAt = firedAt[next] ?? 0;
    if (nextAt - lastAt > QUIET_SECONDS && nextAt - at <= windowSeconds) sums.reverse++;
  }
}
