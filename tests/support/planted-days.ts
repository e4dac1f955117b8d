import { weekdayOf } from "../../lib/analysis/detectors/local-time.ts";
import type { DayFacts } from "../../lib/analysis/detectors/types.ts";
import type { Weekday } from "../../lib/analysis/patterns/types.ts";
import { type Random, seededRandom } from "../../lib/base/random.ts";
import { addDays } from "../../lib/base/zone.ts";
import { buildFacts, type Happening } from "./day-facts.ts";

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** As many as a Poisson process of that mean has (Knuth's way). */
export function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let product = random(); product > Math.exp(-mean); product *= random()) count++;
  return count;
}

/** A routine put into generated days. */
export interface Planted {
  readonly entityId: string;
  readonly minute: number;
  readonly sd: number;
  readonly probability?: number;
  readonly days?: readonly Weekday[];
  readonly anchor?: "sunset";
  readonly driftPerWeek?: number;
  readonly fromDay?: number;
  readonly toDay?: number;
  readonly actor?: "person" | "automation";
}

export interface PlantedHome {
  readonly first: string;
  readonly days: number;
  readonly seed: number;
  readonly planted: readonly Planted[];
  /** Tokens without any habit, each with its own share of a day that people share. */
  readonly noise?: number;
  readonly isAway?: (day: number) => boolean;
}

/** About that of the Netherlands, without summer time. */
export const sunsetOf = (date: string): number =>
  1110 - 135 * Math.cos((2 * Math.PI * (Date.parse(date) / 86_400_000 - 354)) / 365.25);

/** When people are about: a morning, an evening, some of the day between. */
function awakeMinute(random: Random, shape: number): number {
  const which = random();
  if (which < 0.3 * (2 - shape)) return 450 + 60 * normal(random);
  if (which < 0.5) return 540 + 480 * random();
  return 1200 + 110 * normal(random);
}

export function plantedFacts({
  first,
  days,
  seed,
  planted,
  noise = 20,
  isAway = () => false,
}: PlantedHome): DayFacts[] {
  const random = seededRandom(seed);
  const rates = Array.from({ length: noise }, () => ({ mean: Math.exp(2.5 * random() - 1), shape: random() }));
  return Array.from({ length: days }, (_, day) => {
    const date = addDays(first, day);
    const happenings: Happening[] = [];
    const put = (happening: Happening) =>
      happenings.push({ ...happening, minute: Math.min(1619, Math.max(181, happening.minute)) });
    for (const [index, { mean, shape }] of rates.entries()) {
      const count = poisson(random, mean);
      for (let i = 0; i < count && !isAway(day); i++)
        put({ entityId: `light.noise_${index}`, minute: awakeMinute(random, shape) });
    }
    for (const routine of planted) {
      const { entityId, minute, sd, probability = 0.9, driftPerWeek = 0, actor = "person" } = routine;
      const isDay = (routine.days?.includes(weekdayOf(date)) ?? true) && !(actor === "person" && isAway(day));
      const isTime = day >= (routine.fromDay ?? 0) && day < (routine.toDay ?? days);
      const at = minute + sd * normal(random) + (driftPerWeek * day) / 7;
      const isHit = random() < probability;
      if (isDay && isTime && isHit) put({ entityId, actor, minute: routine.anchor ? at + sunsetOf(date) : at });
    }
    return buildFacts(date, happenings, { sunsetMinute: sunsetOf(date), sunriseMinute: 1500 - sunsetOf(date) });
  });
}
