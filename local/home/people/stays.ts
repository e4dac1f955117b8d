import type { Random } from "../../../lib/base/random.ts";
import { between, normal } from "../generate/chance.ts";
import type { Room } from "../house/areas.ts";

/** Where somebody is. `outside`: on the terrace. */
export type Place = Room | "outside" | "away";

/** A stretch of time in one place, in minutes of the day's wall clock. */
export interface Stay {
  readonly place: Place;
  readonly from: number;
  readonly to: number;
  readonly isAsleep: boolean;
}

export type Weights = Readonly<Partial<Record<Room, number>>>;

/** Where people spend an evening or a day off. */
export const WANDERING: Weights = { living_room: 6, kitchen: 3, study: 1.5, bathroom: 0.8, bedroom: 0.8 };
export const CHILDS_WANDERING: Weights = { living_room: 4, kids_room: 5, kitchen: 1.5, bathroom: 0.6 };

/** A plan of one person's day that is written from front to back. */
export interface Plan {
  readonly stays: Stay[];
  readonly now: number;
  /** In this place until `minute`. Nothing when that has passed already. */
  until(minute: number, place: Place, isAsleep?: boolean): Plan;
  /** From room to room until `minute`, an hour at most in each. */
  wander(minute: number, weights: Weights): Plan;
}

function pick(random: Random, weights: Weights, not: Place | undefined): Room {
  const choices = (Object.entries(weights) as [Room, number][]).filter(([room]) => room !== not);
  let left = random() * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [room, weight] of choices) {
    left -= weight;
    if (left <= 0) return room;
  }
  return choices[0]?.[0] ?? "living_room";
}

export function createPlan(random: Random, startMinute: number): Plan {
  const stays: Stay[] = [];
  let now = startMinute;
  const plan: Plan = {
    stays,
    get now() {
      return now;
    },
    until(minute, place, isAsleep = false) {
      if (minute <= now) return plan;
      const last = stays.at(-1);
      if (last && last.place === place && last.isAsleep === isAsleep) stays[stays.length - 1] = { ...last, to: minute };
      else stays.push({ place, from: now, to: minute, isAsleep });
      now = minute;
      return plan;
    },
    wander(minute, weights) {
      while (now < minute) {
        const room = pick(random, weights, stays.at(-1)?.place);
        const typical = room === "bathroom" ? 6 : room === "kitchen" ? 14 : 38;
        const length = Math.min(60, Math.max(2, typical * Math.exp(normal(random, 0, 0.55))));
        plan.until(Math.min(minute, now + length + between(random, 0, 1)), room);
      }
      return plan;
    },
  };
  return plan;
}
