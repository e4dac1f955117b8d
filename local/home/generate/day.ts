import type { House } from "../house/house.ts";
import { presenceOf } from "../people/presence.ts";
import { type DayOfPeople, dayOfPeople } from "../people/residents.ts";
import type { Zone } from "../people/zone.ts";
import { ANOMALIES, type AnomalyKind } from "../routines.ts";
import { between, mix, poisson, unit } from "./chance.ts";
import { writeComings } from "./comings.ts";
import { createDayWriter, type DayPlan, type DayWriter } from "./day-writer.ts";
import { writeAllOff, writeEvening } from "./evening.ts";
import { lampOn, writeLights } from "./lights.ts";
import { writeMachines, writePlugs } from "./machines.ts";
import { writeMotion } from "./motion.ts";
import { writeBlinds, writeHeating, writeLightAutomations, writeSun } from "./surroundings.ts";

/** What is out of the ordinary on this day, if anything: about one day in twelve when the family is at home. */
export function anomalyOf(seed: number, day: number): AnomalyKind | undefined {
  const chance = mix(mix(seed, 4099), day);
  return unit(chance) < 1 / 12 ? ANOMALIES[mix(chance, 1) % ANOMALIES.length] : undefined;
}

/**
 * Everything that people, machines and automations do on one day (04:00 to 28:00 local): a pure function of house, zone and day, a few thousand changes.
 * Sensors that report all the time are not in it (`sensors.ts`).
 */
export function generateDay(house: House, zone: Zone, day: number): DayPlan {
  const writer = createDayWriter(house, zone, day);
  const anomaly = writer.calendar.vacation === "home" ? anomalyOf(house.seed, day) : undefined;
  const planned = dayOfPeople(writer);
  const people: DayOfPeople = anomaly === "no-coffee" ? { ...planned, coffee: undefined } : planned;
  const presence = presenceOf(writer, people);
  if (anomaly === "night-in-the-kitchen") {
    const random = writer.random("anomaly");
    const night = Array.from({ length: 25 }, () => between(random, 1560, 1625)).sort((a, b) => a - b);
    const kitchen = presence.seen.get("kitchen") ?? [];
    (presence.seen as Map<string, readonly number[]>).set("kitchen", [...kitchen, ...night]);
  }
  const sightings = writeMotion(writer, presence);
  writeSun(writer);
  writeComings(writer, people, presence);
  writeLights(writer, presence, sightings);
  writeLightAutomations(writer, sightings);
  writeBlinds(writer, people);
  writeHeating(writer, presence);
  writePlugs(writer, people);
  writeMachines(writer, people);
  writeEvening(writer, people, presence);
  writeVacationMode(writer);
  writeFlapping(writer);
  if (anomaly === "back-door-open-at-night") {
    writer.put(writer.at(1450), "binary_sensor.back_door", "on");
    writer.put(writer.at(1640), "binary_sensor.back_door", "off");
  }
  if (anomaly === "study-lamp-all-night") lampOn(writer, writer.at(1461), "study_desk", { brightness: 180 });
  writeAllOff(writer);
  return writer.finish(anomaly);
}

function writeVacationMode(writer: DayWriter): void {
  const { vacation } = writer.calendar;
  if (vacation !== "leaving" && vacation !== "returning") return;
  const at = writer.at(vacation === "leaving" ? 575 : 1030);
  const context = writer.context(at, { isUser: true });
  writer.put(at, "input_boolean.vacation_mode", vacation === "leaving" ? "on" : "off", {
    attributes: { editable: true },
    context,
  });
}

/** The landing's sensor is at the edge of the radio's reach: on some days it is lost for some minutes, now and then. */
function writeFlapping(writer: DayWriter): void {
  const random = writer.random("flapping");
  const times = random() < 0.35 ? poisson(random, 2) : 0;
  for (let index = 0; index < times; index++) {
    const at = writer.at(between(random, 260, 1500));
    for (const id of ["binary_sensor.landing_motion"]) {
      writer.put(at, id, "unavailable", { attributes: {} });
      writer.put(at + between(random, 130, 1200), id, "off", { attributes: {} });
    }
  }
}
