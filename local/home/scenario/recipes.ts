import { mix, mixText } from "../generate/chance.ts";
import { type PlantedRoutine, token } from "../planted/routine.ts";
import {
  chainPlants,
  changePlants,
  clock,
  clockPlants,
  pairPlants,
  plant,
  residentPlants,
  roomPlants,
  smallSet,
} from "./planted-sets.ts";
import type { Disturbance, Scenario } from "./types.ts";

/** 2025-01-01 */
const BEGIN = 20_089;
const YEAR = 365;
const dayOf = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

interface Recipe {
  readonly days: number;
  readonly plants?: (seed: number, firstDay: number, last: number) => PlantedRoutine[];
  readonly disturbances?: readonly Disturbance[];
  readonly firstDay?: (seed: number) => number;
  readonly vacation?: readonly [number, number];
  readonly isEmpty?: boolean;
}

const near = (dates: readonly string[], daysBefore: number) => (seed: number) =>
  dayOf(dates[seed % dates.length] ?? "2025-03-30") - daysBefore;

/** Kinds of homes. What has no plants is a null home: nothing is to be found there. */
export const RECIPES = {
  clock: { days: 28, plants: clockPlants },
  pairs: { days: 28, plants: pairPlants },
  chains: { days: 28, plants: chainPlants },
  rooms: { days: 28, plants: roomPlants },
  changes: { days: 42, plants: (_seed, _first, last) => changePlants(last) },
  residents: { days: 28, plants: residentPlants },
  vacation: { days: 28, plants: smallSet, vacation: [9, 18] },
  holiday: { days: 28, plants: smallSet, firstDay: near(["2025-04-21", "2025-05-29", "2024-12-25"], 15) },
  "clock-change": {
    days: 28,
    plants: () => [...smallSet(), clock("exact", token("switch.charger", "on"), "12:30", { spread_minutes: 5 })],
    firstDay: near(["2025-03-30", "2025-10-26"], 14),
  },
  silence: { days: 28, plants: smallSet, disturbances: ["daily-life", "silence", "restarts"] },
  drift: {
    days: 84,
    plants: () => [
      clock("drift", token("light.kids_room", "off"), "19:50", { spread_minutes: 9, drift_minutes_per_week: 2 }),
    ],
    // The drift begins anew every 12 weeks: the days are those of one such time.
    firstDay: () => 241 * 84,
  },
  ends: {
    days: 90,
    plants: (_seed, first) => [
      clock("stops", token("switch.kettle", "on"), "16:20", { last_day: first + 44, area_id: "kitchen" }),
      clock("starts", token("switch.charger", "on"), "12:40", { first_day: first + 45, area_id: "study" }),
    ],
  },
  sun: {
    days: 182,
    plants: () => [
      plant("blind-sunset", "time-of-day", token("cover.kitchen_blind", "open"), {
        anchor: "sunset",
        offset_minutes: -15,
        spread_minutes: 8,
      }),
      clock("control", token("light.living_room_shelf", "on"), "18:10"),
    ],
    firstDay: near(["2025-01-10", "2025-07-05"], 0),
  },
  season: {
    days: 400,
    plants: () => [
      plant("heater", "seasonal", token("switch.bathroom_heater", "on"), {
        at: "06:35",
        spread_minutes: 10,
        seasonal: true,
        area_id: "bathroom",
      }),
    ],
    firstDay: near(["2024-11-01", "2025-02-01"], 0),
  },
  "null-poisson": { days: 28, disturbances: ["poisson"], isEmpty: true },
  "null-life": { days: 28 },
  "null-bursts": { days: 28, disturbances: ["daily-life", "bursts"] },
  "null-chime": { days: 28, disturbances: ["daily-life", "chime"] },
  "null-restarts": { days: 28, disturbances: ["daily-life", "restarts"] },
  "null-fan-out": { days: 28, disturbances: ["daily-life", "fan-out"] },
  "null-automations": { days: 28, disturbances: ["daily-life", "automations"] },
  "null-flapping": { days: 28, disturbances: ["daily-life", "flapping"] },
  "null-silence": { days: 28, disturbances: ["daily-life", "silence"] },
} as const satisfies Readonly<Record<string, Recipe>>;

export type RecipeName = keyof typeof RECIPES;
export const RECIPE_NAMES = Object.keys(RECIPES) as RecipeName[];

/** What the home's own automations do: found as `automated`, or not at all. */
export const AUTOMATED_ENTITIES: ReadonlySet<string> = new Set([
  "light.garden",
  "light.hall",
  "light.kitchen_shelf",
  "light.landing_lamp",
]);

/** The scenario of a recipe and a seed; `days`: another length than the recipe's. */
export function scenarioOf(name: RecipeName, seed: number, days?: number): Scenario {
  const recipe: Recipe = RECIPES[name];
  const firstDay = recipe.firstDay?.(seed) ?? BEGIN + (mix(mixText(seed, name), 5) % YEAR);
  const length = days ?? recipe.days;
  return {
    name,
    seed,
    firstDay,
    days: length,
    plants: recipe.plants?.(seed, firstDay, firstDay + length - 1) ?? [],
    disturbances: recipe.disturbances ?? ["daily-life"],
    ...(recipe.vacation && { vacation: [firstDay + recipe.vacation[0], firstDay + recipe.vacation[1]] as const }),
    ...(recipe.isEmpty && { isEmpty: true }),
  };
}
