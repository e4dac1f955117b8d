import { lightOff, lightOn } from "../house/spec.ts";
import { isOccupied, type Presence } from "../people/presence.ts";
import { type DayOfPeople, somebodyIsIn } from "../people/residents.ts";
import { sunPosition } from "../people/sun.ts";
import { between, normal } from "./chance.ts";
import { runAutomation } from "./comings.ts";
import { type DayWriter, isoOf } from "./day-writer.ts";
import type { Sighting } from "./motion.ts";

const SUN_STEP_SECONDS = 240;

/** The sun: its two changes of state, and its place in between (attributes only). */
export function writeSun(writer: DayWriter): void {
  const day = 86_400;
  const rising = writer.at(writer.sunMinutes.rising);
  const setting = writer.at(writer.sunMinutes.setting);
  const noon = writer.at(writer.sunMinutes.noon);
  // Texts of today and tomorrow, made once: the sun tells its place every four minutes.
  const texts = new Map(
    [rising - 2400, setting + 2400, noon + day / 2, noon, rising, setting].map((moment) => [
      moment,
      [isoOf(moment), isoOf(moment + day - 90)] as const,
    ]),
  );
  const next = (moment: number, at: number) => texts.get(moment)?.[at < moment ? 0 : 1] ?? "";
  const tell = (at: number) => {
    const { elevation, azimuth } = sunPosition(at);
    writer.put(at, "sun.sun", at >= rising && at < setting ? "above_horizon" : "below_horizon", {
      attributes: {
        next_dawn: next(rising - 2400, at),
        next_dusk: next(setting + 2400, at),
        next_midnight: next(noon + day / 2, at),
        next_noon: next(noon, at),
        next_rising: next(rising, at),
        next_setting: next(setting, at),
        elevation: Math.round(elevation * 100) / 100,
        azimuth: Math.round(azimuth * 100) / 100,
        rising: azimuth < 180,
      },
    });
  };
  for (let at = writer.startsAt + 31.7; at < writer.endsAt - 2; at += SUN_STEP_SECONDS) tell(at);
  tell(rising + 0.004);
  tell(setting + 0.004);
}

/** What the home's own automations do with light: the garden by the sun and the clock, the hall by motion in the dark. */
export function writeLightAutomations(writer: DayWriter, sightings: ReadonlyMap<string, readonly Sighting[]>): void {
  const run = (minute: number | undefined, key: string, isOn: boolean) => {
    if (minute === undefined) return;
    const at = writer.at(minute) + 0.18;
    const context = writer.context(at);
    runAutomation(writer, at, key, context);
    writer.put(at + 0.24, "light.garden", isOn ? "on" : "off", {
      attributes: isOn ? lightOn(120, 2700) : lightOff(),
      context,
      routineId: isOn ? "automation-garden-on" : "automation-garden-off",
    });
  };
  run(writer.happens("automation-garden-on"), "garden_light_on", true);
  run(writer.happens("automation-garden-off"), "garden_light_off", false);
  const random = writer.random("hall");
  let litUntil = Number.NEGATIVE_INFINITY;
  for (const { at, until, context: cause } of sightings.get("hall") ?? []) {
    const delay = between(random, 0.05, 0.4);
    if (!writer.isDark(at)) continue;
    const context = writer.context(at + 0.003, { parent: cause });
    runAutomation(writer, at + 0.003, "hall_light", context);
    if (at > litUntil)
      writer.put(at + delay, "light.hall", "on", {
        attributes: lightOn(160, 2700),
        context,
        routineId: "automation-hall-light",
      });
    litUntil = until + 45;
    const off = sightings.get("hall")?.some((other) => other.at > at && other.at <= litUntil);
    if (!off) writer.put(litUntil, "light.hall", "off", { attributes: lightOff(), context });
  }
}

/** Blinds: some minutes on the way, then there. */
export function writeBlinds(writer: DayWriter, people: DayOfPeople): void {
  const random = writer.random("blinds");
  const drive = (key: string, minute: number, isOpening: boolean, routineId?: string) => {
    const [at, seconds] = [writer.at(minute), between(random, 18, 26)];
    const context = writer.context(at, { isUser: true });
    const id = `cover.${key}`;
    const done = { attributes: { current_position: isOpening ? 100 : 0 }, context };
    writer.put(at - seconds, id, isOpening ? "opening" : "closing", { attributes: { current_position: 50 }, context });
    writer.put(at, id, isOpening ? "open" : "closed", { ...done, ...(routineId !== undefined && { routineId }) });
  };
  if (writer.calendar.vacation === "away") return;
  const late = normal(random, 575, 25);
  const morning = writer.happens("blinds-morning") ?? late;
  const planted = writer.happens("blinds-morning") !== undefined;
  if (somebodyIsIn(people.stays, morning))
    drive("living_room_blinds", morning, true, planted ? "blinds-morning" : undefined);
  const evening = writer.happens("blinds-sunset");
  const hasOpened = somebodyIsIn(people.stays, morning);
  if (evening !== undefined && hasOpened) drive("living_room_blinds", evening, false, "blinds-sunset");
  const up = normal(random, writer.calendar.isWorkday ? 455 : 590, 12);
  if (somebodyIsIn(people.stays, up)) drive("bedroom_blinds", up, true);
  if (somebodyIsIn(people.stays, 1320)) drive("bedroom_blinds", normal(random, 1318, 20), false);
}

/** Thermostat and boiler in the cold half of the year: warm by day, cool at night. */
export function writeHeating(writer: DayWriter, presence: Presence): void {
  const random = writer.random("heating");
  if (!writer.calendar.isHeatingSeason) return;
  const warmFrom = writer.calendar.isWorkday ? 375 : 435;
  let temperature = 17.5;
  let isFlame: boolean = false;
  for (let minute = 252; minute < 1670; minute += between(random, 9, 16)) {
    const isDay = minute >= warmFrom && minute < 1350;
    const isWarm = isDay && (writer.calendar.vacation === "home" || isOccupied(presence, "living_room", minute));
    const target = isWarm ? 20.5 : writer.calendar.vacation === "away" ? 15 : 17;
    const wanted: boolean = temperature < target - 0.3 || (isFlame && temperature < target + 0.2);
    const at = writer.at(minute);
    temperature += wanted ? between(random, 0.2, 0.5) : -between(random, 0.05, 0.2);
    temperature = Math.max(15, temperature);
    writer.put(at, "climate.living_room", "heat", {
      attributes: {
        current_temperature: Math.round(temperature * 10) / 10,
        temperature: target,
        hvac_action: wanted ? "heating" : "idle",
      },
    });
    if (wanted !== isFlame) writer.put(at + 1.1, "binary_sensor.boiler_flame", wanted ? "on" : "off");
    isFlame = wanted;
  }
  writer.put(writer.at(1675), "binary_sensor.boiler_flame", "off");
}
