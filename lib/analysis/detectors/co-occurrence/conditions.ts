import { wilsonLower } from "../statistics.ts";
import type { HomeDay } from "../types.ts";
import type { Trial } from "./trials.ts";

/** When a pair holds. `always`: whenever the trigger fires. */
export type Condition = "always" | "dark" | "light" | "morning" | "day" | "evening" | "night";

const PARTS: Readonly<Record<"morning" | "day" | "evening" | "night", (minute: number) => boolean>> = {
  morning: (minute) => minute >= 300 && minute < 660,
  day: (minute) => minute >= 660 && minute < 1020,
  evening: (minute) => minute >= 1020 && minute < 1380,
  night: (minute) => minute >= 1380 || minute < 300,
};

/** From sunset to sunrise; undefined: the home does not tell when they are. */
export function isDark({ sunriseMinute, sunsetMinute }: HomeDay, minute: number): boolean | undefined {
  if (sunriseMinute === undefined || sunsetMinute === undefined) return undefined;
  return minute < sunriseMinute || minute >= sunsetMinute;
}

const holds = (condition: Condition, { day, minute }: Trial): boolean => {
  if (condition === "always") return true;
  if (condition === "dark" || condition === "light") return isDark(day.day, minute) === (condition === "dark");
  return PARTS[condition](minute);
};

const CONDITIONS = ["dark", "light", "morning", "day", "evening", "night"] as const;
/** How many hypotheses a pair is, with its conditions. */
export const HYPOTHESES_OF_PAIR = CONDITIONS.length + 1;

/** A condition has to tell much more than the pair without it, and to leave hardly a hit out. */
const LEAST_GAIN = 0.07;
const LEAST_KEPT = 0.85;
/** A part of the day has to be as much better than the dark, which an automation follows through the year. */
const LEAST_BETTER = 0.05;

export interface Conditioned {
  readonly condition: Condition;
  readonly trials: readonly Trial[];
  readonly hits: number;
  readonly opportunities: number;
  readonly reliability: number;
}

export type IsHit = (trial: Trial) => boolean;

function counted(condition: Condition, trials: readonly Trial[], isHit: IsHit): Omit<Conditioned, "trials"> {
  let [hits, opportunities] = [0, 0];
  for (const trial of trials) {
    if (!holds(condition, trial)) continue;
    opportunities++;
    if (isHit(trial)) hits++;
  }
  return { condition, hits, opportunities, reliability: wilsonLower(hits, opportunities) };
}

/** The condition under which the pair is most reliable, if it is worth telling; else none. */
export function bestCondition(trials: readonly Trial[], isHit: IsHit): Conditioned {
  const always = counted("always", trials, isHit);
  let best = always;
  for (const condition of CONDITIONS) {
    const other = counted(condition, trials, isHit);
    if (other.hits < LEAST_KEPT * always.hits || other.reliability < always.reliability + LEAST_GAIN) continue;
    const gain = best.condition === "always" ? 0 : LEAST_BETTER;
    if (other.reliability > best.reliability + gain) best = other;
  }
  const { condition } = best;
  return { ...best, trials: condition === "always" ? trials : trials.filter((trial) => holds(condition, trial)) };
}
