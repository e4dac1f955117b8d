import type { Random } from "../../../lib/base/random.ts";
import { between, normal } from "../generate/chance.ts";
import type { DayWriter } from "../generate/day-writer.ts";
import { CHILDS_WANDERING, createPlan, type Plan, type Stay, WANDERING } from "./stays.ts";
import { DAY_BEGINS_MINUTE } from "./zone.ts";

export const RESIDENTS = ["anna", "ben", "mia"] as const;
export type Resident = (typeof RESIDENTS)[number];

/** Where everybody is on one day, guests included, and the moments that habits hang on (minutes; undefined: it does not happen). */
export interface DayOfPeople {
  readonly stays: ReadonlyMap<string, readonly Stay[]>;
  readonly coffee: number | undefined;
  /** When Anna puts out the lamp. */
  readonly annaAsleep: number;
  readonly benAsleep: number;
  readonly childAsleep: number;
  /** When the bedtime round begins; Anna is in the living room until then. */
  readonly bedtimeRound: number | undefined;
  readonly terraceVisits: readonly number[];
}

const DAY_ENDS_MINUTE = DAY_BEGINS_MINUTE + 1440;
const WEDNESDAY = 2;
const FRIDAY = 4;
const SATURDAY = 5;

interface Moments {
  readonly coffee: number | undefined;
  readonly bedtimeRound: number | undefined;
  readonly annaAsleep: number;
  readonly benAsleep: number;
  readonly childAsleep: number;
  readonly dinner: number;
  readonly outing: readonly [number, number] | undefined;
  readonly vacationLeave: number | undefined;
  readonly vacationReturn: number | undefined;
}

function momentsOf(writer: DayWriter): Moments {
  const random = writer.random("moments");
  const { calendar } = writer;
  const isLate = calendar.weekday === FRIDAY || calendar.weekday === SATURDAY;
  const round = writer.happens("bedtime-chain");
  const bedtimeRound = round === undefined ? undefined : round + (isLate ? 45 : 0);
  const annaAsleep = (bedtimeRound ?? normal(random, 1370, 15)) + between(random, 14, 30);
  const child = writer.happens("child-bedtime");
  const outingFrom = normal(random, 815, 25);
  return {
    coffee: calendar.isWorkday ? writer.happens("coffee-workday") : writer.happens("coffee-weekend"),
    bedtimeRound,
    annaAsleep,
    benAsleep: Math.max(annaAsleep + 10, normal(random, isLate ? 1475 : 1448, 12)),
    childAsleep: child ?? normal(random, 1215, 25),
    dinner: normal(random, 1105, 12),
    outing: calendar.hasOuting ? [outingFrom, outingFrom + between(random, 100, 210)] : undefined,
    vacationLeave: calendar.vacation === "leaving" ? normal(random, 600, 20) : undefined,
    vacationReturn: calendar.vacation === "returning" ? normal(random, 970, 40) : undefined,
  };
}

/** Up, bathroom, bedroom, and in the kitchen a little before the coffee is made. */
function morning(plan: Plan, random: Random, kitchenAt: number): void {
  const wake = Math.max(DAY_BEGINS_MINUTE + 30, kitchenAt - between(random, 19, 27));
  plan.until(wake, "bedroom", true).until(wake + between(random, 2, 4), "bedroom");
  plan.until(kitchenAt - between(random, 5, 8), "bathroom").until(kitchenAt, "bedroom");
}

/** From coming home until the family has eaten. */
function dinner(plan: Plan, random: Random, at: number): void {
  plan.wander(at - between(random, 15, 35), WANDERING).until(at + between(random, 30, 48), "kitchen");
}

/** Out with everybody, if today is such a day. */
function outing(plan: Plan, moments: Moments): void {
  if (!moments.outing || moments.vacationReturn !== undefined) return;
  plan.wander(moments.outing[0], WANDERING).until(moments.outing[1], "away");
}

function annasDay(writer: DayWriter, moments: Moments): Plan {
  const random = writer.random("anna");
  const { calendar } = writer;
  const plan = createPlan(random, DAY_BEGINS_MINUTE);
  const kitchenAt = (moments.coffee ?? normal(random, calendar.isWorkday ? 422 : 560, 10)) - between(random, 1, 4);
  morning(plan, random, kitchenAt);
  plan.until(kitchenAt + between(random, 24, 34), "kitchen");
  if (calendar.isWorkday && calendar.weekday !== FRIDAY)
    plan.until(normal(random, 470, 5), "bedroom").until(normal(random, 1042, 14), "away");
  outing(plan, moments);
  dinner(plan, random, moments.dinner);
  plan.wander(moments.childAsleep - between(random, 22, 34), WANDERING);
  plan.until(moments.childAsleep - between(random, 10, 14), "bathroom").until(moments.childAsleep, "kids_room");
  const round = moments.bedtimeRound ?? moments.annaAsleep - 20;
  plan.wander(round - between(random, 30, 50), WANDERING).until(round + 2.5, "living_room");
  plan.until(moments.annaAsleep - between(random, 6, 9), "bathroom").until(moments.annaAsleep, "bedroom");
  return plan.until(DAY_ENDS_MINUTE, "bedroom", true);
}

function bensDay(writer: DayWriter, moments: Moments): Plan {
  const random = writer.random("ben");
  const { calendar } = writer;
  const plan = createPlan(random, DAY_BEGINS_MINUTE);
  morning(plan, random, normal(random, calendar.isWorkday ? 445 : 590, 9));
  plan.until(normal(random, calendar.isWorkday ? 468 : 625, 8), "kitchen");
  const isAtHome = calendar.weekday === WEDNESDAY || calendar.weekday === FRIDAY;
  if (calendar.isWorkday && isAtHome) {
    plan.until(normal(random, 735, 8), "study").until(normal(random, 772, 6), "kitchen");
    plan.until(normal(random, 1035, 12), "study");
  } else if (calendar.isWorkday) plan.until(normal(random, 505, 6), "bedroom").until(normal(random, 1083, 13), "away");
  outing(plan, moments);
  dinner(plan, random, moments.dinner);
  plan.wander(moments.benAsleep - between(random, 75, 95), WANDERING);
  // At his desk until about midnight; then to bed.
  plan.until((writer.happens("study-lamp-midnight") ?? moments.benAsleep - 14) + 0.6, "study");
  plan.until(moments.benAsleep - between(random, 3, 6), "bathroom").until(moments.benAsleep, "bedroom");
  return plan.until(DAY_ENDS_MINUTE, "bedroom", true);
}

function miasDay(writer: DayWriter, moments: Moments): Plan {
  const random = writer.random("mia");
  const { calendar } = writer;
  const plan = createPlan(random, DAY_BEGINS_MINUTE);
  const wake = normal(random, calendar.isWorkday ? 435 : 500, 8);
  plan
    .until(wake, "kids_room", true)
    .until(wake + 8, "kids_room")
    .until(wake + between(random, 11, 15), "bathroom");
  plan.until(normal(random, calendar.isWorkday ? 478 : 600, 6), "kitchen");
  if (calendar.isWorkday) {
    const schoolEnds = calendar.weekday === WEDNESDAY ? 762 : calendar.weekday === FRIDAY ? 895 : 1042;
    plan.until(normal(random, 489, 3), "hall").until(normal(random, schoolEnds, 5), "away");
  }
  outing(plan, moments);
  plan.wander(moments.dinner - 4, CHILDS_WANDERING).until(moments.dinner + between(random, 20, 30), "kitchen");
  plan.wander(moments.childAsleep - between(random, 24, 34), CHILDS_WANDERING);
  plan.until(moments.childAsleep - between(random, 9, 13), "bathroom").until(moments.childAsleep, "kids_room");
  return plan.until(DAY_ENDS_MINUTE, "kids_room", true);
}

/** On the day of leaving, away from then on; on the day of coming back, away until then. */
function withVacation(stays: readonly Stay[], moments: Moments): Stay[] {
  const { vacationLeave: leave, vacationReturn: back } = moments;
  const from = leave ?? DAY_BEGINS_MINUTE;
  const to = leave !== undefined ? DAY_ENDS_MINUTE : (back ?? DAY_BEGINS_MINUTE);
  if (from >= to) return [...stays];
  const kept = stays
    .map((stay) =>
      leave !== undefined ? { ...stay, to: Math.min(stay.to, from) } : { ...stay, from: Math.max(stay.from, to) },
    )
    .filter((stay) => stay.to > stay.from);
  const away: Stay = { place: "away", from, to, isAsleep: false };
  return leave !== undefined ? [...kept, away] : [away, ...kept];
}

function guestsOf(writer: DayWriter): [string, readonly Stay[]][] {
  if (!writer.calendar.hasGuests) return [];
  const random = writer.random("guests");
  const [from, to] = [normal(random, 1140, 15), normal(random, 1395, 20)];
  return ["guest 1", "guest 2"].map((name) => {
    const plan = createPlan(random, DAY_BEGINS_MINUTE).until(from, "away");
    plan.wander(to, { living_room: 8, kitchen: 2, bathroom: 0.7 }).until(DAY_ENDS_MINUTE, "away");
    return [name, plan.stays];
  });
}

/** Writes down everybody's day. On a vacation nobody is in. */
export function dayOfPeople(writer: DayWriter): DayOfPeople {
  const moments = momentsOf(writer);
  const random = writer.random("terrace");
  const isAway = writer.calendar.vacation === "away";
  const away: Stay = { place: "away", from: DAY_BEGINS_MINUTE, to: DAY_ENDS_MINUTE, isAsleep: false };
  const days: Record<Resident, () => Plan> = {
    anna: () => annasDay(writer, moments),
    ben: () => bensDay(writer, moments),
    mia: () => miasDay(writer, moments),
  };
  const stays = new Map<string, readonly Stay[]>(
    RESIDENTS.map((name) => [name, isAway ? [away] : withVacation(days[name]().stays, moments)]),
  );
  for (const [name, plan] of guestsOf(writer)) stays.set(name, plan);
  // The cat is let out in the evening, sometimes in the morning as well.
  const visits = [normal(random, 1290, 18), ...(random() < 0.35 ? [normal(random, 490, 15)] : [])];
  return {
    stays,
    coffee: moments.coffee,
    annaAsleep: moments.annaAsleep,
    benAsleep: moments.benAsleep,
    childAsleep: moments.childAsleep,
    bedtimeRound: moments.bedtimeRound,
    terraceVisits: visits.filter((minute) => somebodyIsIn(stays, minute)),
  };
}

/** Whether anybody of the residents is in the house. */
export const somebodyIsIn = (stays: ReadonlyMap<string, readonly Stay[]>, minute: number): boolean =>
  RESIDENTS.some((name) =>
    stays.get(name)?.some((stay) => stay.from <= minute && minute < stay.to && stay.place !== "away" && !stay.isAsleep),
  );
