import type { DayOfPeople } from "../people/residents.ts";
import { somebodyIsIn } from "../people/residents.ts";
import { between, mix, normal, poisson, unit } from "./chance.ts";
import { runAutomation } from "./comings.ts";
import { type DayWriter, isoOf } from "./day-writer.ts";
import { play } from "./evening.ts";
import { batteryLevel } from "./rest.ts";

/** A plug that is switched on for a while, and the power that goes through it. */
function runPlug(
  writer: DayWriter,
  key: string,
  run: { readonly from: number; readonly seconds: number; readonly watts: number; readonly routineId?: string },
): void {
  const random = writer.random(`plug ${key} ${Math.floor(run.from)}`);
  const watts = (part: number) => (run.watts * part * between(random, 0.96, 1.04)).toFixed(1);
  writer.put(run.from, `switch.${key}`, "on", run.routineId === undefined ? {} : { routineId: run.routineId });
  writer.put(run.from + between(random, 0.5, 3), `sensor.${key}_power`, watts(1));
  const samples = Math.min(12, Math.ceil(run.seconds / 240));
  for (let index = 1; index < samples; index++)
    writer.put(run.from + (run.seconds * index) / samples, `sensor.${key}_power`, watts(between(random, 0.05, 1)));
  writer.put(run.from + run.seconds, `switch.${key}`, "off");
  writer.put(run.from + run.seconds + between(random, 0.5, 3), `sensor.${key}_power`, "0");
}

/** Coffee and radio, heater, washing, printer: plugs with their times. */
export function writePlugs(writer: DayWriter, people: DayOfPeople): void {
  const random = writer.random("plugs");
  const lasting = (id: string) => {
    const { mean, deviation } = writer.routine(id).duration_seconds ?? { mean: 600, deviation: 60 };
    return Math.max(60, normal(random, mean, deviation));
  };
  const coffeeSeconds = lasting("coffee-duration");
  const radio = writer.routine("radio-after-coffee");
  const [hasRadio, radioDelay, radioMinutes] = [
    random() < radio.probability,
    between(random, ...(radio.delay_seconds ?? [15, 55])),
    between(random, 25, 50),
  ];
  if (people.coffee !== undefined && writer.calendar.vacation === "home") {
    const from = writer.at(people.coffee);
    const routineId = writer.calendar.isWorkday ? "coffee-workday" : "coffee-weekend";
    runPlug(writer, "coffee_machine", { from, seconds: coffeeSeconds, watts: 1340, routineId });
    if (hasRadio) {
      const start = from + radioDelay;
      play(writer, "media_player.kitchen_radio", { from: start, to: start + radioMinutes * 60, routineId: radio.id });
    }
  }
  const clock = (id: string, key: string, watts: number) => {
    const [seconds, minute] = [lasting(id), writer.happens(id)];
    if (minute !== undefined) runPlug(writer, key, { from: writer.at(minute), seconds, watts, routineId: id });
  };
  clock("towel-heater", "bathroom_heater", 610);
  clock("washing-tuesday", "washing_machine", 480);
  clock("printer-sunday", "study_strip_printer", 22);
  const extraWash = between(random, 600, 900);
  if (writer.calendar.weekday === 5 && random() < 0.6 && somebodyIsIn(people.stays, extraWash))
    runPlug(writer, "washing_machine", { from: writer.at(extraWash), seconds: 5400, watts: 480 });
  for (const stay of people.stays.get("ben") ?? [])
    if (stay.place === "study" && stay.to - stay.from > 25 && random() < 0.9)
      runPlug(writer, "study_strip_monitor", {
        from: writer.at(stay.from) + between(random, 20, 90),
        seconds: (stay.to - stay.from) * 60,
        watts: 31,
      });
}

/** Dishwasher, vacuum cleaner, doorbell, firmware, cells. */
export function writeMachines(writer: DayWriter, people: DayOfPeople): void {
  const random = writer.random("machines");
  const dishes = writer.happens("dishwasher-daily");
  const dishSeconds = normal(random, 7200, 400);
  if (dishes !== undefined) {
    const from = writer.at(dishes);
    const state = (at: number, name: string, routineId?: string) =>
      writer.put(at, "sensor.dishwasher_state", name, routineId === undefined ? {} : { routineId });
    state(from - between(random, 20, 90), "ready");
    state(from, "run", "dishwasher-daily");
    state(from + dishSeconds, "finished");
    state(from + dishSeconds + between(random, 1200, 9000), "inactive");
  }
  writeVacuum(writer, random);
  writeDoorbell(writer, people, random);
  const isNew = random() < 0.05;
  const version = { installed_version: "2.6.0", latest_version: `2.6.${1 + (writer.day % 9)}`, in_progress: false };
  if (isNew) {
    writer.put(writer.at(between(random, 540, 700)), "update.zigbee_bridge", "on", { attributes: version });
    writer.put(writer.at(between(random, 1140, 1300)), "update.zigbee_bridge", "off");
  }
  for (const entity of writer.house.live) {
    if (entity.spec.deviceClass !== "battery" || entity.id.startsWith("sensor.phone_")) continue;
    const next = batteryLevel(entity.key, writer.day + 1);
    const minute = 250 + 1400 * unit(mix(entity.key, writer.day));
    if (next !== batteryLevel(entity.key, writer.day)) writer.put(writer.at(minute), entity.id, String(next));
  }
}

function writeVacuum(writer: DayWriter, random: () => number): void {
  const minute = writer.happens("automation-vacuum");
  const [cleaning, returning] = [between(random, 1900, 3100), between(random, 60, 200)];
  if (minute === undefined || writer.calendar.vacation === "away") return;
  const at = writer.at(minute) + 0.21;
  const context = writer.context(at);
  runAutomation(writer, at, "vacuum_workdays", context);
  const state = (moment: number, name: string, more = {}) =>
    writer.put(moment, "vacuum.rosie", name, { attributes: { fan_speed: "balanced" }, ...more });
  state(at + 1.4, "cleaning", { context, routineId: "automation-vacuum" });
  state(at + cleaning, "returning");
  state(at + cleaning + returning, "docked");
}

function writeDoorbell(writer: DayWriter, people: DayOfPeople, random: () => number): void {
  const passing = poisson(random, 26);
  for (let index = 0; index < passing; index++) {
    const at = writer.at(Math.min(1600, Math.max(250, normal(random, 870, 240))));
    writer.put(at, "binary_sensor.doorbell_person", "on");
    writer.put(at + between(random, 4, 40), "binary_sensor.doorbell_person", "off");
  }
  const rings = poisson(random, 0.9);
  for (let index = 0; index < rings; index++) {
    const minute = between(random, 545, 1150);
    const at = writer.at(minute);
    writer.put(at, "event.doorbell", isoOf(at).replace(/\d{3}\+/, "+"), { attributes: { event_type: "ring" } });
    if (!somebodyIsIn(people.stays, minute)) continue;
    writer.put(at + between(random, 15, 50), "binary_sensor.front_door", "on");
    writer.put(at + between(random, 60, 120), "binary_sensor.front_door", "off");
  }
}
