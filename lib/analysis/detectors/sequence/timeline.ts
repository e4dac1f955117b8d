import type { Token } from "../../patterns/types.ts";
import { parseToken } from "../lines/candidates.ts";
import type { EntityLine, LinesDay } from "../lines/days.ts";

/** What people did, day by day, as one list of all days: by token the moments, ascending. */
export interface Timeline {
  readonly days: readonly LinesDay[];
  /** Gathered when they are asked for. */
  readonly moments: { get(token: string): readonly Moment[] };
}

export interface Moment {
  readonly dayIndex: number;
  /** Seconds since the day's beginning. */
  readonly at: number;
  /** Together with other entities; 0: alone. */
  readonly act: number;
  readonly isTarget: boolean;
}

export function timelineOf(days: readonly LinesDay[]): Timeline {
  const moments = new Map<string, readonly Moment[]>();
  const get = (token: string): readonly Moment[] => {
    const there = moments.get(token);
    if (there) return there;
    const { entityId, state } = parseToken(token);
    const found = days.flatMap(({ entities }, dayIndex) => momentsOf(entities.get(entityId), state, dayIndex));
    moments.set(token, found);
    return found;
  };
  return { days, moments: { get } };
}

const momentsOf = (line: EntityLine | undefined, state: string, dayIndex: number): Moment[] =>
  (line?.byState.get(state) ?? []).map((place) => ({
    dayIndex,
    at: line?.at[place] ?? 0,
    act: line?.acts[place] ?? 0,
    isTarget: line?.role === "target",
  }));

/** A chain that has come so far: from its first step to the last one that was found. */
export interface Run {
  readonly dayIndex: number;
  readonly startAt: number;
  readonly at: number;
  readonly act: number;
}

/** The longest pause between two steps. */
export const GAP_SECONDS = 120;

/** Which beginnings lie close together: the last of them counts, so that an episode is as short as it can be. */
export function startsOf({ moments }: Timeline, token: string): Run[] {
  const list = moments.get(token);
  return list.flatMap(({ dayIndex, at, act }, index) => {
    const next = list[index + 1];
    const isRepeated = next !== undefined && next.dayIndex === dayIndex && next.at - at <= GAP_SECONDS;
    return isRepeated ? [] : [{ dayIndex, startAt: at, at, act }];
  });
}

/** The runs that go on with the token: its first moment after each, within the gap and not of the same act. Complexity: O(runs + moments). */
export function goOn({ moments }: Timeline, runs: readonly Run[], token: string): Run[] {
  const list = moments.get(token);
  const found: Run[] = [];
  let next = 0;
  for (const run of runs) {
    for (let moment = list[next]; moment && isBefore(moment, run); moment = list[next]) next++;
    const moment = list[next];
    if (!moment || moment.dayIndex !== run.dayIndex || moment.at - run.at > GAP_SECONDS) continue;
    if (run.act !== 0 && moment.act === run.act) continue;
    found.push({ dayIndex: run.dayIndex, startAt: run.startAt, at: moment.at, act: moment.act });
  }
  return found;
}

const isBefore = (moment: Moment, run: Run) =>
  moment.dayIndex < run.dayIndex || (moment.dayIndex === run.dayIndex && moment.at <= run.at);

/** How likely the token comes within the gap after each of the runs by chance: by its rate at that hour of the day. */
export function chanceRate({ days, moments }: Timeline, token: string): (runs: readonly Run[]) => number {
  const hours = new Array<number>(26).fill(0);
  for (const { at } of moments.get(token)) {
    const hour = Math.floor(at / 3600);
    hours[hour] = (hours[hour] ?? 0) + 1;
  }
  const shares = hours.map((count) => 1 - Math.exp((-count * GAP_SECONDS) / (3600 * Math.max(1, days.length))));
  return (runs) => {
    if (runs.length === 0) return 0;
    return runs.reduce((sum, { at }) => sum + (shares[Math.floor(at / 3600)] ?? 0), 0) / runs.length;
  };
}

export const sameToken = (a: Token, b: Token): boolean => a.entityId === b.entityId && a.state === b.state;
