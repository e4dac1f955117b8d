import { isOccupied, type Presence } from "../people/presence.ts";
import type { DayOfPeople } from "../people/residents.ts";
import { between, exponential, hexId, mix } from "./chance.ts";
import { runAutomation } from "./comings.ts";
import { type DayWriter, isoOf } from "./day-writer.ts";
import { lampOff, lampOn } from "./lights.ts";

const PROGRAMMES = ["News", "Quiz night", "The long river", "Kitchen stories", "Football", "Northern lights"] as const;

/** What a player shows while it plays: the picture's address carries a token that changes each time. */
function playing(writer: DayWriter, at: number, entityId: string, step: number) {
  const key = mix(mix(writer.house.seed, writer.day), Math.floor(at));
  return {
    volume_level: 0.3,
    is_volume_muted: false,
    media_content_id: `programme-${writer.day}-${step}`,
    media_content_type: "tvshow",
    media_duration: 2700,
    media_position: Math.floor(at) % 2700,
    media_position_updated_at: isoOf(at),
    media_title: PROGRAMMES[key % PROGRAMMES.length] ?? "News",
    app_name: "Television",
    entity_picture: `/api/media_player_proxy/${entityId}?token=${hexId(key)}${hexId(key + 1)}&cache=${(key >>> 8).toString(16)}`,
  };
}

/** On, attribute-only updates every few minutes, off. */
export function play(
  writer: DayWriter,
  entityId: string,
  { from, to, routineId }: { readonly from: number; readonly to: number; readonly routineId?: string },
): void {
  const random = writer.random(`play ${entityId} ${Math.floor(from)}`);
  writer.put(from, entityId, "playing", {
    attributes: playing(writer, from, entityId, 0),
    ...(routineId !== undefined && { routineId }),
  });
  for (let at = from + exponential(random, 300), step = 1; at < to - 5; at += 20 + exponential(random, 340), step++)
    writer.put(at, entityId, "playing", { attributes: playing(writer, at, entityId, step) });
  writer.put(to, entityId, "off", { attributes: {} });
}

const TV = "media_player.living_room_tv";

/** The television, the film on Fridays, the bedtime round, the child's lamp, the study's, and the button that puts everything out. */
export function writeEvening(writer: DayWriter, people: DayOfPeople, presence: Presence): void {
  if (writer.calendar.vacation !== "home" && writer.calendar.vacation !== "returning") return;
  const random = writer.random("evening");
  const filmMinute = writer.happens("movie-friday");
  const usual = between(random, 1195, 1245);
  const round = people.bedtimeRound;
  const tvOff = writer.at(round ?? people.annaAsleep - between(random, 21, 26));
  const isInRoom = isOccupied(presence, "living_room", filmMinute ?? usual);
  if (filmMinute !== undefined) writeFilm(writer, writer.at(filmMinute), { tvOff, random });
  else if (isInRoom || round !== undefined) play(writer, TV, { from: writer.at(usual), to: tvOff });
  if (round !== undefined) writeBedtimeRound(writer, writer.at(round), random);
  lampOff(writer, writer.at(people.annaAsleep), "bedside_anna");
  writeChildsBedtime(writer, people, random);
  const study = writer.happens("study-lamp-midnight");
  if (study !== undefined) {
    lampOn(writer, writer.at(study - between(random, 35, 70)), "study_desk", { brightness: 180 });
    lampOff(writer, writer.at(study), "study_desk", { routineId: "study-lamp-midnight" });
  }
  writeGoodNight(writer, people, random);
  if (writer.calendar.hasGuests) writeGuests(writer, random);
}

function writeFilm(
  writer: DayWriter,
  at: number,
  { tvOff, random }: { readonly tvOff: number; readonly random: () => number },
): void {
  const delay = () => between(random, 5, 40);
  lampOff(writer, at - between(random, 400, 800), "living_room_floor_lamp");
  lampOn(writer, at - between(random, 400, 800), "living_room_ceiling", { brightness: 200 });
  play(writer, TV, { from: at, to: Math.max(tvOff, at + 5400), routineId: "movie-friday" });
  const lamp = at + delay();
  lampOn(writer, lamp, "living_room_floor_lamp", { brightness: 60 });
  lampOff(writer, lamp + delay(), "living_room_ceiling");
}

function writeBedtimeRound(writer: DayWriter, at: number, random: () => number): void {
  const gap = () => between(random, ...(writer.routine("bedtime-chain").delay_seconds ?? [15, 60]));
  // Without the lamp on and the door unlocked there would be nothing to do on the round.
  lampOn(writer, at - between(random, 1500, 2400), "living_room_floor_lamp", { brightness: 130 });
  const lampAt = at + gap();
  const lockAt = lampAt + gap();
  const bedsideAt = lockAt + gap();
  writer.put(at, TV, "off", { attributes: {} });
  lampOff(writer, lampAt, "living_room_floor_lamp");
  writer.put(lockAt, "lock.front_door", "locked");
  lampOn(writer, bedsideAt, "bedside_anna", {
    brightness: 80,
    context: writer.context(bedsideAt, { isUser: true }),
    routineId: "bedtime-chain",
  });
}

function writeChildsBedtime(writer: DayWriter, people: DayOfPeople, random: () => number): void {
  const isPlanted = writer.happens("child-bedtime") !== undefined;
  lampOn(writer, writer.at(people.childAsleep - between(random, 8, 12)), "kids_room", { brightness: 120 });
  lampOff(writer, writer.at(people.childAsleep), "kids_room", isPlanted ? { routineId: "child-bedtime" } : {});
}

/** Ben presses the button beside the bed: a script puts out every lamp that is on, all in one context. */
function writeGoodNight(writer: DayWriter, people: DayOfPeople, random: () => number): void {
  const routine = writer.routine("automation-good-night");
  const at = writer.at(people.benAsleep);
  lampOn(writer, at - between(random, 60, 150), "bedside_ben", { brightness: 60 });
  if (random() > routine.probability) {
    lampOff(writer, at, "bedside_ben");
    return;
  }
  const pressed = writer.context(at);
  writer.put(at, "event.bedroom_button", isoOf(at).replace(/\d{3}\+/, "+"), {
    attributes: { event_type: "single" },
    context: pressed,
  });
  const context = writer.context(at + 0.01, { parent: pressed });
  const script = (state: string, moment: number) =>
    writer.put(moment, "script.good_night", state, {
      attributes: { last_triggered: isoOf(at), mode: "single", current: state === "on" ? 1 : 0 },
      context,
    });
  script("on", at + 0.01);
  const lamps = [
    "bedside_ben",
    "living_room_floor_lamp",
    "living_room_ceiling",
    "kitchen_ceiling",
    "bathroom",
    "study_desk",
  ];
  for (const [index, lamp] of lamps.entries())
    lampOff(writer, at + 0.05 + index * 0.04 + random() * 0.02, lamp, {
      context,
      ...(lamp === "bedside_ben" && { routineId: routine.id }),
    });
  script("off", at + 0.9);
}

function writeGuests(writer: DayWriter, random: () => number): void {
  const helper = { attributes: { editable: true } };
  const from = writer.at(between(random, 1120, 1135));
  writer.put(from, "input_boolean.guest_mode", "on", { ...helper, context: writer.context(from, { isUser: true }) });
  const to = writer.at(between(random, 1420, 1440));
  writer.put(to, "input_boolean.guest_mode", "off", { ...helper, context: writer.context(to, { isUser: true }) });
}

/** At 03:30 an automation puts out what was forgotten. */
export function writeAllOff(writer: DayWriter): void {
  const at = writer.at(1650) + 0.13;
  const context = writer.context(at);
  runAutomation(writer, at, "all_off_at_night", context);
  let step = 0;
  for (const entity of writer.house.live) {
    const [, key] = entity.id.split(".");
    if (entity.domain === "light" && key !== undefined && entity.platform !== "group")
      lampOff(writer, at + 0.1 + 0.03 * ++step, key, { context });
  }
  for (const player of [TV, "media_player.kitchen_radio"])
    writer.put(at + 0.1 + 0.03 * ++step, player, "off", { attributes: {}, context });
  // The lock closes by itself at night, the shutters of a summer's evening too.
  writer.put(at + 1, "lock.front_door", "locked", { context });
  for (const cover of ["living_room_blinds", "bedroom_blinds"])
    writer.put(at + 2, `cover.${cover}`, "closed", { attributes: { current_position: 0 }, context });
}
