import { seededRandom } from "../../../lib/base/random.ts";
import { between, exponential, mixText, poisson } from "../generate/chance.ts";
import { runAutomation } from "../generate/comings.ts";
import type { Sighting } from "../generate/motion.ts";
import { writeLightAutomations } from "../generate/surroundings.ts";
import { DAY_BEGINS_MINUTE } from "../people/zone.ts";
import type { Token } from "../planted/routine.ts";
import { attributesIn, byHand, presentHours, presentMinute, type Stage } from "./act.ts";
import { type Disturbance, oppositeOf, type Scenario } from "./types.ts";

const DAY_MINUTES = 1440;
const token = (entity_id: string, state: string): Token => ({ entity_id, state });
const NOISY_DOMAINS: ReadonlySet<string> = new Set(["light", "switch", "fan", "cover", "media_player"]);
/** Belong to a disturbance or an automation of their own. */
const KEPT = /dining_|compressor|siren|light\.(hall|garden|kitchen_shelf|landing_lamp)$|strip|zigbee/;

/** Actuators that nothing is planted on, in the house's order. */
export function noisyEntities(stage: Stage, scenario: Scenario): readonly string[] {
  const planted = new Set(
    scenario.plants.flatMap(({ target, trigger, steps = [] }) =>
      [target, trigger, ...steps].map((one) => one?.entity_id),
    ),
  );
  return stage.writer.house.live.flatMap(({ id, domain }) =>
    NOISY_DOMAINS.has(domain) && !planted.has(id) && !KEPT.test(id) ? [id] : [],
  );
}

/** How often an entity is used a day: a matter of the home, not of the day. */
const usesOf = (seed: number, entityId: string, [from, to]: readonly [number, number]): number =>
  between(seededRandom(mixText(seed, entityId)), from, to);

function use(
  stage: Stage,
  entityId: string,
  { at, random, minutes }: { at: number; random: () => number; minutes: number },
) {
  const on = entityId.startsWith("media_player.") ? "playing" : entityId.startsWith("cover.") ? "open" : "on";
  const until = at + 20 + 60 * Math.min(200, exponential(random, minutes));
  stage.put(at, token(entityId, on), byHand(stage, random, at));
  stage.put(until, token(entityId, oppositeOf(entityId, on)), byHand(stage, random, until));
}

function poissonHome(stage: Stage, scenario: Scenario): void {
  const random = stage.writer.random("poisson");
  for (const entityId of noisyEntities(stage, scenario).slice(0, 14))
    for (let left = poisson(random, usesOf(scenario.seed, entityId, [1, 9])); left > 0; left--) {
      const minute = between(random, DAY_BEGINS_MINUTE, DAY_BEGINS_MINUTE + DAY_MINUTES);
      use(stage, entityId, { at: stage.writer.at(minute), random, minutes: 15 });
    }
}

/**
 * While somebody is in the room, at the same low rate whatever the hour: a room that is in use only at seven makes no habit of seven.
 * Uses an hour of presence.
 */
const NOISE_PER_HOUR = [0.04, 0.3] as const;

function dailyLife(stage: Stage, scenario: Scenario): void {
  const random = stage.writer.random("daily life");
  const { house, calendar } = stage.writer;
  if (calendar.vacation !== "home") return;
  for (const entityId of noisyEntities(stage, scenario)) {
    const entity = house.byId.get(entityId);
    if (!entity) continue;
    const area = house.areaOf(entity);
    const perHour = usesOf(scenario.seed, entityId, NOISE_PER_HOUR);
    for (let left = poisson(random, perHour * presentHours(stage, area)); left > 0; left--) {
      const minute = presentMinute(stage, random, area);
      if (minute !== undefined) use(stage, entityId, { at: stage.writer.at(minute), random, minutes: 20 });
    }
  }
}

function bursts(stage: Stage): void {
  const random = stage.writer.random("bursts");
  let at = stage.writer.startsAt;
  while (at < stage.writer.endsAt) {
    stage.put(at, token("binary_sensor.street_motion", "on"));
    stage.put(at + between(random, 2, 5), token("binary_sensor.street_motion", "off"));
    at += random() < 0.1 ? exponential(random, 400) : 6 + exponential(random, 25);
  }
}

function chime(stage: Stage): void {
  const { writer } = stage;
  for (let minute = DAY_BEGINS_MINUTE; minute < DAY_BEGINS_MINUTE + DAY_MINUTES; minute += 60) {
    stage.put(writer.at(minute) + 0.7, token("siren.hall_clock", "on"));
    stage.put(writer.at(minute) + 5.7, token("siren.hall_clock", "off"));
  }
  for (let at = writer.startsAt + 33; at < writer.endsAt; at += 600) {
    stage.put(at, token("binary_sensor.hourly_poll", "on"));
    stage.put(at + 1.5, token("binary_sensor.hourly_poll", "off"));
  }
  const random = writer.random("compressor");
  for (
    let at = writer.startsAt + between(random, 10, 2800);
    at < writer.endsAt;
    at += 2820 + between(random, -60, 60)
  ) {
    stage.put(at, token("switch.compressor", "on"));
    stage.put(at + between(random, 640, 800), token("switch.compressor", "off"));
  }
}

function fanOut(stage: Stage): void {
  const random = stage.writer.random("fan-out");
  for (let left = poisson(random, 3); left > 0; left--) {
    const minute = presentMinute(stage, random, "living_room");
    if (minute === undefined) return;
    const at = stage.writer.at(minute);
    const until = at + 30 + 60 * exponential(random, 25);
    for (const [moment, state] of [
      [at, "on"],
      [until, "off"],
    ] as const) {
      const context = stage.writer.context(moment, { isUser: true });
      for (const which of ["one", "two", "three", "four", "five"]) {
        const lamp = token(`light.dining_${which}`, state);
        stage.put(moment + between(random, 0.01, 0.2), lamp, { ...attributesIn(lamp), context });
      }
    }
  }
}

/** By time, by sun, by motion (with the parent of its context), by a door; each with its automation's own change first, in one context. */
function automations(stage: Stage, sightings: ReadonlyMap<string, readonly Sighting[]>): void {
  const { writer } = stage;
  writeLightAutomations(writer, sightings);
  const run = (minute: number, key: string, target: Token) => {
    const at = writer.at(minute) + 0.11;
    const context = writer.context(at);
    runAutomation(writer, at, key, context);
    stage.put(at + 0.3, target, { ...attributesIn(target), context });
  };
  if (writer.calendar.weekday < 5) {
    run(405, "morning_lamp", token("light.kitchen_shelf", "on"));
    run(465, "morning_lamp_off", token("light.kitchen_shelf", "off"));
  }
  const random = writer.random("cellar");
  for (let left = poisson(random, 4); left > 0; left--) {
    const minute = presentMinute(stage, random, null);
    if (minute === undefined) continue;
    const at = writer.at(minute);
    const opened = writer.context(at);
    stage.put(at, token("binary_sensor.cellar_door", "on"), { context: opened });
    stage.put(at + between(random, 5, 20), token("binary_sensor.cellar_door", "off"));
    const context = writer.context(at + 0.01, { parent: opened });
    runAutomation(writer, at + 0.01, "cellar_light", context);
    stage.put(at + between(random, 0.1, 0.5), token("light.landing_lamp", "on"), { context });
    stage.put(at + between(random, 120, 400), token("light.landing_lamp", "off"), { context });
  }
}

function flapping(stage: Stage, scenario: Scenario): void {
  const random = stage.writer.random("flapping");
  const lamps = noisyEntities(stage, scenario).slice(0, 6);
  const lose = (entityId: string, at: number) => {
    stage.put(at, token(entityId, "unavailable"), { attributes: {} });
    const state = entityId.startsWith("cover.") ? "closed" : "off";
    stage.put(at + between(random, 40, 300), token(entityId, state), attributesIn(token(entityId, state)));
  };
  for (const lamp of lamps.slice(0, 4)) lose(lamp, stage.writer.at(1570) + between(random, 0, 60));
  for (const lamp of lamps.slice(4))
    for (let left = poisson(random, 8); left > 0; left--)
      lose(lamp, between(random, stage.writer.startsAt, stage.writer.endsAt));
}

/** Those that happen day by day; `restarts` and `silence` are done to the stream (stream.ts). */
export function writeDisturbances(
  stage: Stage,
  scenario: Scenario,
  sightings: ReadonlyMap<string, readonly Sighting[]>,
): void {
  const all: Partial<Record<Disturbance, () => void>> = {
    poisson: () => poissonHome(stage, scenario),
    "daily-life": () => dailyLife(stage, scenario),
    bursts: () => bursts(stage),
    chime: () => chime(stage),
    "fan-out": () => fanOut(stage),
    automations: () => automations(stage, sightings),
    flapping: () => flapping(stage, scenario),
  };
  for (const disturbance of scenario.disturbances) all[disturbance]?.();
}
