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

interface DayOfTrack {
  readonly line: EntityLine;
  /** Places of its changes to the state. */
  readonly places: readonly number[];
  /** Of these, those that count as a trigger's. */
  readonly firings: readonly number[];
  /** By window: seconds of each hour that the windows after the firings cover. Filled when asked for. */
  readonly coverage: Map<number, readonly number[]>;
}

export function trackOf(days: readonly LinesDay[], { entityId, state }: Token): Track {
  return {
    days: days.map(({ entities }) => {
      const line = entities.get(entityId);
      const places = line?.byState.get(state);
      if (!line || !places) return undefined;
      return { line, places, firings: firingsOf(line, state), coverage: new Map() };
    }),
  };
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
function coverageOf({ line, firings, coverage }: DayOfTrack, windowSeconds: number): readonly number[] {
  const there = coverage.get(windowSeconds);
  if (there) return there;
  const hours = new Array<number>(HOURS).fill(0);
  let until = 0;
  for (const place of firings) {
    const at = line.at[place] ?? 0;
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

/** Complexity: O(changes of both). */
export function chanceOf({ trigger, target, windowSeconds, withAutomations }: Pairing): Chance {
  const sums = { count: 0, days: 0, expected: 0, ofTarget: 0, reverse: 0 };
  for (let index = 0; index < target.days.length; index++) {
    const followed = target.days[index];
    if (!followed) continue;
    const before = sums.count;
    const fired = trigger.days[index];
    if (fired) addDay(sums, { followed, fired, windowSeconds, withAutomations });
    else for (const place of followed.places) if (withAutomations || !followed.line.isAutomated[place]) sums.ofTarget++;
    if (sums.count > before) sums.days++;
  }
  return sums;
}

interface DayOfPair {
  readonly followed: DayOfTrack;
  readonly fired: DayOfTrack;
  readonly windowSeconds: number;
  readonly withAutomations: boolean;
}

type Sums = { -readonly [Member in keyof Chance]: number };

function addDay(sums: Sums, { followed, fired, windowSeconds, withAutomations }: DayOfPair): void {
  const { line: target, places } = followed;
  const { line: trigger, firings } = fired;
  const hours = coverageOf(fired, windowSeconds);
  let next = 0;
  let used = -1;
  for (const place of places) {
    if (!withAutomations && target.isAutomated[place]) continue;
    const at = target.at[place] ?? 0;
    sums.ofTarget++;
    sums.expected += (hours[Math.floor(at / HOUR_SECONDS)] ?? 0) / HOUR_SECONDS;
    while (next < firings.length && (trigger.at[firings[next] ?? 0] ?? 0) <= at) next++;
    const last = firings[next - 1];
    const act = target.acts[place] ?? 0;
    const isOneAct = (other: number) => act !== 0 && trigger.acts[other] === act;
    if (last !== undefined && last !== used && at - (trigger.at[last] ?? 0) <= windowSeconds && !isOneAct(last)) {
      sums.count++;
      used = last;
    }
    const after = firings[next];
    if (after === undefined || isOneAct(after)) continue;
    const isBeginning = last === undefined || (trigger.at[after] ?? 0) - (trigger.at[last] ?? 0) > QUIET_SECONDS;
    if (isBeginning && (trigger.at[after] ?? 0) - at <= windowSeconds) sums.reverse++;
  }
}
