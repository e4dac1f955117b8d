import type { Attributes } from "../house/attributes.ts";
import type { Move, Presence } from "../people/presence.ts";
import { type DayOfPeople, RESIDENTS, somebodyIsIn } from "../people/residents.ts";
import { LATITUDE, LONGITUDE } from "../people/sun.ts";
import { between, exponential } from "./chance.ts";
import type { Context, DayWriter } from "./day-writer.ts";
import { lampOff, lampOn } from "./lights.ts";
import { atHome, personAttributes, placeAttributes } from "./rest.ts";

/** Where the phones' owners work, in degrees from the home. */
const WORK: Readonly<Record<string, readonly [number, number]>> = { anna: [0.031, 0.012], ben: [-0.082, 0.101] };

/** People going out and coming in: doors, lock, phones, persons, the zone, and the heating that goes down when nobody is in. */
export function writeComings(writer: DayWriter, people: DayOfPeople, presence: Presence): void {
  const random = writer.random("comings");
  const outdoors = presence.moves.filter((move) => move.from === "away" || move.to === "away");
  let lastOpened = Number.NEGATIVE_INFINITY;
  for (const move of outdoors) {
    const at = writer.at(move.at);
    // Who goes together opens the door once.
    if (at - lastOpened > 120) openFrontDoor(writer, at, { isLeaving: move.to === "away", random });
    lastOpened = at;
  }
  writeZone(writer, outdoors, people);
  for (const who of RESIDENTS) {
    const ways = outdoors.filter((move) => move.who === who);
    if (who === "mia") for (const way of ways) writeMia(writer, way, random);
    else writePhone(writer, { who, ways, people, random });
  }
  // The post: the front door opens once on a day when somebody is in.
  const post = between(random, 492, 530);
  if (somebodyIsIn(people.stays, post)) openFrontDoor(writer, writer.at(post), { isLeaving: true, random });
  for (const minute of people.terraceVisits) writeTerrace(writer, minute, random);
}

function openFrontDoor(
  writer: DayWriter,
  at: number,
  { isLeaving, random }: { readonly isLeaving: boolean; readonly random: () => number },
): void {
  const unlock = at - between(random, 1.5, 4);
  writer.put(
    unlock,
    "lock.front_door",
    "unlocked",
    isLeaving ? {} : { context: writer.context(unlock, { isUser: true }) },
  );
  writer.put(at, "binary_sensor.front_door", "on");
  writer.put(at + between(random, 5, 14), "binary_sensor.front_door", "off");
}

function writeMia(writer: DayWriter, move: Move, random: () => number): void {
  const person = writer.house.byId.get("person.mia");
  if (!person) return;
  const at = writer.at(move.at) + between(random, 60, 200);
  writer.put(at, person.id, move.to === "away" ? "not_home" : "home", {
    attributes: personAttributes(person, undefined),
  });
}

interface PhoneDay {
  readonly who: string;
  readonly ways: readonly Move[];
  readonly people: DayOfPeople;
  readonly random: () => number;
}

/** A phone: away some minutes after its owner left, then places on the way (attributes only), home again soon after the door. */
function writePhone(writer: DayWriter, { who, ways, random }: PhoneDay): void {
  const person = writer.house.byId.get(`person.${who}`);
  if (!person) return;
  const tell = (at: number, state: string, place: Attributes) => {
    const context = writer.context(at);
    writer.put(at, `device_tracker.phone_${who}`, state, { attributes: place, context });
    writer.put(at + 0.0006, person.id, state, { attributes: personAttributes(person, place), context });
  };
  const work = WORK[who] ?? [0.02, 0.02];
  const isVacation = writer.calendar.vacation !== "home";
  for (const [index, way] of ways.entries()) {
    const at = writer.at(way.at);
    if (way.to !== "away") {
      tell(at + between(random, 5, 70), "home", atHome());
      continue;
    }
    const next = ways[index + 1];
    const back = next ? writer.at(next.at) : writer.endsAt - 60;
    for (let moment = at + between(random, 90, 260), step = 0; moment < back - 60; step++) {
      const part = isVacation ? step / 4 : Math.min(1, step / 3);
      tell(moment, "not_home", placeOn(part, work, random));
      moment += 240 + exponential(random, step < 4 ? 240 : 2400);
    }
  }
}

function placeOn(part: number, work: readonly [number, number], random: () => number): Attributes {
  const blur = () => (random() - 0.5) * 0.0012;
  const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6;
  return placeAttributes(
    round(LATITUDE + work[0] * part + blur()),
    round(LONGITUDE + work[1] * part + blur()),
    8 + Math.floor(random() * 40),
  );
}

/** How many are in, and what the heating does about it: down when the last one leaves, up again when the first one is back (automation). */
function writeZone(writer: DayWriter, outdoors: readonly Move[], people: DayOfPeople): void {
  const isIn = (who: string, minute: number) =>
    people.stays.get(who)?.some((stay) => stay.from <= minute && minute < stay.to && stay.place !== "away") ?? false;
  const zone = writer.house.byId.get("zone.home");
  let before: number | undefined;
  for (const move of outdoors) {
    if (!RESIDENTS.some((who) => who === move.who)) continue;
    const persons = RESIDENTS.filter((who) => isIn(who, move.at + 0.02));
    const at = writer.at(move.at) + 262;
    const place = { latitude: LATITUDE, longitude: LONGITUDE, radius: 100, passive: false };
    const context = writer.context(at);
    if (zone)
      writer.put(at, zone.id, String(persons.length), {
        attributes: { ...place, persons: persons.map((who) => `person.${who}`), editable: true },
        context,
      });
    if (writer.calendar.isHeatingSeason && persons.length === 0 && before !== 0) writeHeatingDown(writer, at, context);
    if (persons.length === 0) writer.put(writer.at(move.at) + 25, "lock.front_door", "locked");
    before = persons.length;
  }
}

function writeHeatingDown(writer: DayWriter, at: number, parent: Context): void {
  const context = writer.context(at + 0.002, { parent });
  runAutomation(writer, at + 0.002, "heating_away", context);
  writer.put(at + 0.31, "climate.living_room", "heat", {
    attributes: { current_temperature: 20, temperature: 16, hvac_action: "idle" },
    context,
  });
}

/** Marks that one of the home's automations ran: the change that shares its context with all that it does. */
export function runAutomation(writer: DayWriter, at: number, key: string, context: Context): void {
  const started = new Date(at * 1000).toISOString().replace("Z", "000+00:00");
  const attributes = { id: key, last_triggered: started, mode: "single", current: 0 };
  writer.put(at, `automation.${key}`, "on", { attributes, context });
}

/** Somebody lets the cat out: back door, lamp, door, lamp. */
function writeTerrace(writer: DayWriter, minute: number, random: () => number): void {
  const routine = writer.routine("terrace-light");
  const [at, isLit] = [writer.at(minute), random() < routine.probability];
  const [delay, open, offDelay] = [
    between(random, ...(routine.delay_seconds ?? [2, 9])),
    between(random, 100, 420),
    between(random, 8, 50),
  ];
  writer.put(at, "binary_sensor.back_door", "on");
  writer.put(at + open, "binary_sensor.back_door", "off");
  if (!writer.isDark(at) || !isLit) return;
  lampOn(writer, at + delay, "terrace", { routineId: routine.id });
  lampOff(writer, at + open + offDelay, "terrace");
}
