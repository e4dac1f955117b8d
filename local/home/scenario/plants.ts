import type { Random } from "../../../lib/base/random.ts";
import { between, exponential, normal, poisson } from "../generate/chance.ts";
import { happensAt, isOpportunity } from "../generate/occurrence.ts";
import { DAY_BEGINS_MINUTE } from "../people/zone.ts";
import type { PlantedRoutine, Token } from "../planted/routine.ts";
import { awakeMinute, byHand, enact, presentMinute, type Stage } from "./act.ts";
import { oppositeOf } from "./types.ts";

const DAY_MINUTES = 1440;
/** 00:30 belongs to the night of the day before. */
const onThisDay = (minute: number): number => (minute < DAY_BEGINS_MINUTE ? minute + DAY_MINUTES : minute);
const opposite = (token: Token): Token => ({
  entity_id: token.entity_id,
  state: oppositeOf(token.entity_id, token.state),
});
const isHome = (stage: Stage) => stage.writer.calendar.vacation === "home";

/** Today's moment of a routine that goes by the clock or the sun, in minutes. */
function clockMinute(stage: Stage, plant: PlantedRoutine, random: Random): number | undefined {
  const { calendar, sunMinutes, day } = stage.writer;
  if (isOpportunity(plant, calendar)) stage.opportunity(plant.id, 1);
  const at = happensAt(plant, calendar, { random, sunMinutes });
  const isSkipped = plant.odd_days?.some((odd) => odd.day === day && odd.what === "missing") ?? false;
  return at === undefined || isSkipped ? undefined : onThisDay(at);
}

function byClock(stage: Stage, plant: PlantedRoutine, random: Random): void {
  const minute = clockMinute(stage, plant, random);
  if (minute === undefined) return;
  see(stage, plant, { minute, random });
  enact(stage, plant.target, { at: stage.writer.at(minute), random, routineId: plant.id });
}

/** Who switches something by hand stands before it: six times in ten the room's sensor sees them. */
function see(
  stage: Stage,
  plant: PlantedRoutine,
  { minute, random }: { readonly minute: number; readonly random: Random },
): void {
  const isSeen = random() < 0.6;
  const before = between(random, 0.05, 0.6);
  for (const [room, minutes] of stage.presence.seen)
    if (isSeen && room === plant.area_id) (minutes as number[]).push(minute - before);
}

/** Target soon after trigger, unless it is so already; back some seconds after the trigger has ended (or some minutes later). */
function byTrigger(stage: Stage, plant: PlantedRoutine, random: Random): void {
  if (!plant.trigger || !isHome(stage)) return;
  let busyUntil = Number.NEGATIVE_INFINITY;
  for (const { at, until } of stage.moments(plant.trigger)) {
    const [isHit, delay] = [random() < plant.probability, between(random, ...(plant.delay_seconds ?? [2, 25]))];
    const back = Math.max(until ?? at + between(random, 180, 900), at + delay + 3) + between(random, 5, 40);
    if (at < busyUntil) continue;
    stage.opportunity(plant.id, 1);
    if (!isHit) continue;
    stage.put(at + delay, plant.target, { ...byHand(stage, random, at + delay), routineId: plant.id });
    stage.put(back, opposite(plant.target));
    busyUntil = back;
  }
}

/** Steps one after the other, at a time of day or (`per_day`) at any time of the evening; a sensor chatters in between. */
function inOrder(stage: Stage, plant: PlantedRoutine, random: Random): void {
  const starts = plant.at === undefined ? evenings(plant, random) : [clockMinute(stage, plant, random)];
  if (plant.at === undefined && isHome(stage)) stage.opportunity(plant.id, starts.length);
  for (const minute of starts) {
    if (minute === undefined || !isHome(stage)) continue;
    const steps = plant.steps ?? [];
    let at = stage.writer.at(minute);
    chatter(stage, random, { from: at - 90, to: at + 300 });
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      enact(stage, step, { at, random, meanMinutes: 35, ...(isLast && { routineId: plant.id }) });
      at += between(random, ...(plant.delay_seconds ?? [15, 60]));
    }
  }
}

const evenings = (plant: PlantedRoutine, random: Random): number[] => {
  const count = random() < (plant.per_day ?? 1) ? 1 : 0;
  const isHit = random() < plant.probability;
  return Array.from({ length: isHit ? count : 0 }, () => between(random, 900, 1260));
};

function chatter(stage: Stage, random: Random, { from, to }: { readonly from: number; readonly to: number }): void {
  const entity_id = "binary_sensor.sofa_vibration";
  for (let at = from; at < to; at += between(random, 9, 22)) {
    stage.put(at, { entity_id, state: "on" });
    stage.put(at + between(random, 2, 6), { entity_id, state: "off" });
  }
}

const RESTLESS_TIMES = 12;

/** Somebody sits on the sofa at other times, too. */
function restless(stage: Stage, random: Random): void {
  for (let left = poisson(random, RESTLESS_TIMES); left > 0; left--) {
    const minute = presentMinute(stage, random, "living_room");
    const from = stage.writer.at(minute ?? 0);
    if (minute !== undefined) chatter(stage, random, { from, to: from + between(random, 30, 400) });
  }
}

/** On at any time of the day, for the time it takes; sometimes forgotten. */
function forAWhile(stage: Stage, plant: PlantedRoutine, random: Random): void {
  if (!isHome(stage)) return;
  const { mean, deviation } = plant.duration_seconds ?? { mean: 1200, deviation: 90 };
  let free = Number.NEGATIVE_INFINITY;
  const minutes = Array.from({ length: poisson(random, plant.per_day ?? 2) }, () => awakeMinute(random));
  for (const minute of minutes.sort((a, b) => a - b)) {
    const isForgotten = plant.forgets !== undefined && random() < plant.forgets;
    const seconds = isForgotten ? between(random, 20_000, 32_000) : Math.max(60, normal(random, mean, deviation));
    const at = stage.writer.at(minute);
    if (at < free) continue;
    stage.opportunity(plant.id, 1);
    stage.put(at, opposite(plant.target), byHand(stage, random, at));
    const isPlant = plant.forgets === undefined || isForgotten;
    stage.put(at + seconds, plant.target, isPlant ? { routineId: plant.id } : {});
    free = at + seconds + 60;
  }
}

/** All members of a set when somebody comes into the room for longer, in any order; back when it is left. */
function withRoom(stage: Stage, plant: PlantedRoutine, random: Random): void {
  const occupied = [...stage.presence.occupied].find(([room]) => room === plant.area_id)?.[1] ?? [];
  let free = Number.NEGATIVE_INFINITY;
  for (const { from, to } of occupied) {
    const isHit = random() < plant.probability;
    if (!isHome(stage) || to - from < 8 || from < (plant.from_minute ?? 0) || from < free) continue;
    stage.opportunity(plant.id, 1);
    if (!isHit) continue;
    for (const step of plant.steps ?? []) {
      const isTarget = step.entity_id === plant.target.entity_id;
      const at = stage.writer.at(from) + between(random, 5, 60);
      stage.put(at, step, { ...byHand(stage, random, at), ...(isTarget && { routineId: plant.id }) });
      stage.put(stage.writer.at(to) + between(random, 5, 60), opposite(step));
    }
    free = to + 2;
  }
}

/** So many times a day, at any time of it: more often at weekends, from a day on, or on a day that is out of the ordinary. */
function soOften(stage: Stage, plant: PlantedRoutine, random: Random): void {
  if (!isHome(stage)) return;
  const { day, calendar } = stage.writer;
  const isMore =
    plant.changes_on === undefined ? plant.kind === "day-type" && !calendar.isWorkday : day >= plant.changes_on;
  const odd = plant.odd_days?.find((one) => one.day === day)?.what;
  const oddFactor = odd === "much" ? 5 : odd === "little" ? 0.08 : odd === "missing" ? 0 : 1;
  const count = poisson(random, (plant.per_day ?? 5) * (isMore ? (plant.factor ?? 2) : 1) * oddFactor);
  stage.opportunity(plant.id, 1);
  const minutes = Array.from({ length: count }, () => awakeMinute(random)).sort((a, b) => a - b);
  for (const [index, minute] of minutes.entries()) {
    const next = minutes[index + 1] ?? minute + 60;
    const at = stage.writer.at(minute);
    const seconds = 60 * Math.min((next - minute) * 0.8, 0.5 + exponential(random, 8));
    stage.put(at, plant.target, { ...byHand(stage, random, at), routineId: plant.id });
    stage.put(at + seconds, opposite(plant.target));
  }
}

/** Plants that need no motion sensor: they come first, and people are seen where they do them. */
export function writeFreePlants(stage: Stage, plants: readonly PlantedRoutine[]): void {
  for (const plant of plants) {
    const random = stage.writer.random(`plant ${plant.id}`);
    if (plant.kind === "time-of-day" || plant.kind === "seasonal") byClock(stage, plant, random);
    if (plant.kind === "sequence") {
      inOrder(stage, plant, random);
      restless(stage, stage.writer.random(`restless ${plant.id}`));
    }
    if (plant.kind === "duration") forAWhile(stage, plant, random);
    if (plant.kind === "day-type" || plant.kind === "frequency") soOften(stage, plant, random);
    if (plant.kind === "anomaly" && plant.at === undefined) soOften(stage, plant, random);
    if (plant.kind === "anomaly" && plant.at !== undefined) byClock(stage, plant, random);
  }
}

/** Plants that follow people, doors and other devices. */
export function writeBoundPlants(stage: Stage, plants: readonly PlantedRoutine[]): void {
  for (const plant of plants) {
    const random = stage.writer.random(`plant ${plant.id}`);
    if (plant.kind === "room") withRoom(stage, plant, random);
    if (plant.kind === "co-occurrence") byTrigger(stage, plant, random);
  }
}
