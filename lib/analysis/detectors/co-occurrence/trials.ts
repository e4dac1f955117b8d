import type { Token } from "../../patterns/types.ts";
import { type EntityLine, isWithin, type LinesDay, minuteAt } from "../lines/days.ts";
import { firingsOf, QUIET_SECONDS } from "./chance.ts";

/** An occasion: the trigger fired, and the target was not yet so. */
export interface Trial {
  readonly day: LinesDay;
  /** Seconds since the day's beginning. */
  readonly at: number;
  /** Local wall clock. */
  readonly minute: number;
  readonly outcome: "person" | "automation" | "miss";
  /** From trigger to target; of a miss 0. */
  readonly delaySeconds: number;
}

export interface TrialQuery {
  readonly trigger: Token;
  readonly target: Token;
  readonly windowSeconds: number;
}

/**
 * Every occasion, ascending. A firing within five minutes of the one before belongs to the same occasion (somebody stays in the room), unless the target has been
 * switched since. A day without a change of the target goes on with the state that the day before ended with.
 */
export function trialsOf(days: readonly LinesDay[], query: TrialQuery): Trial[] {
  const trials: Trial[] = [];
  let carried: string | undefined;
  for (const day of days) {
    const target = day.entities.get(query.target.entityId);
    const trigger = day.entities.get(query.trigger.entityId);
    const before = target?.from ?? carried;
    if (trigger) addTrials(trials, { day, trigger, target, before, query });
    carried = target?.states.at(-1) ?? carried;
  }
  return trials;
}

interface DayOfTrials {
  readonly day: LinesDay;
  readonly trigger: EntityLine;
  readonly target: EntityLine | undefined;
  readonly before: string | undefined;
  readonly query: TrialQuery;
}

function addTrials(trials: Trial[], { day, trigger, target, before, query }: DayOfTrials): void {
  const { entityId, state } = query.target;
  // A scene is chosen, and chosen again: it is never so already.
  const isMomentary = entityId.startsWith("scene.");
  let next = 0;
  let lastAt = Number.NEGATIVE_INFINITY;
  let changesBefore = -1;
  for (const place of firingsOf(trigger, query.trigger.state)) {
    const at = trigger.at[place] ?? 0;
    while (target && next < target.at.length && (target.at[next] ?? 0) <= at) next++;
    const isStaying = at - lastAt <= QUIET_SECONDS && next === changesBefore;
    lastAt = at;
    changesBefore = next;
    const now = next > 0 ? target?.states[next - 1] : before;
    if (isStaying || (now === state && !isMomentary)) continue;
    if (isWithin(day.silent, at, query.windowSeconds) || (target && isWithin(target.away, at, query.windowSeconds)))
      continue;
    trials.push({ day, at, minute: minuteAt(day, at), ...outcomeOf({ trigger, place, target, next, query }) });
  }
}

interface Firing {
  readonly trigger: EntityLine;
  readonly place: number;
  readonly target: EntityLine | undefined;
  /** The target's first change after the firing. */
  readonly next: number;
  readonly query: TrialQuery;
}

const MISS = { outcome: "miss", delaySeconds: 0 } as const;

function outcomeOf({ trigger, place, target, next, query }: Firing): Pick<Trial, "outcome" | "delaySeconds"> {
  if (!target) return MISS;
  const firedAt = trigger.at[place] ?? 0;
  for (let index = next; index < target.at.length; index++) {
    const delaySeconds = (target.at[index] ?? 0) - firedAt;
    if (delaySeconds > query.windowSeconds) return MISS;
    if (target.states[index] !== query.target.state) continue;
    const act = target.acts[index] ?? 0;
    if (act !== 0 && act === trigger.acts[place]) return MISS;
    return { outcome: target.isAutomated[index] ? "automation" : "person", delaySeconds };
  }
  return MISS;
}
