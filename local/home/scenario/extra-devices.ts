import { contact, type DeviceSpec, lamp, plug, ZIGBEE } from "../house/spec.ts";

const sensor = (key: string, area: string, deviceClass: string): DeviceSpec => ({
  key,
  name: key.replaceAll("_", " "),
  area,
  platform: ZIGBEE,
  via: "bridge",
  entities: [{ id: `binary_sensor.${key}`, name: null, deviceClass, rest: "off" }],
});

const other = (id: string, area: string, rest: string): DeviceSpec => ({
  key: id.slice(id.indexOf(".") + 1),
  name: id.slice(id.indexOf(".") + 1).replaceAll("_", " "),
  area,
  platform: ZIGBEE,
  via: "bridge",
  entities: [{ id, name: null, rest }],
});

/** What the house of a scenario has beside that of the simulated home: nothing of the family's own habits hangs on it. */
export const EXTRA_DEVICES: readonly DeviceSpec[] = [
  lamp("hall_mirror", "Hall mirror", "hall"),
  lamp("kitchen_counter", "Kitchen counter", "kitchen"),
  lamp("kitchen_shelf", "Kitchen shelf", "kitchen"),
  lamp("living_room_shelf", "Living room shelf", "living_room"),
  lamp("living_room_reading", "Reading lamp", "living_room"),
  lamp("study_ceiling", "Study ceiling", "study"),
  lamp("bedroom_ceiling", "Bedroom ceiling", "bedroom"),
  lamp("kids_room_star", "Star lamp", "kids_room"),
  lamp("bathroom_mirror", "Bathroom mirror", "bathroom"),
  lamp("landing_lamp", "Landing lamp", "landing"),
  ...["one", "two", "three", "four", "five"].map((which) =>
    lamp(`dining_${which}`, `Dining lamp ${which}`, "living_room"),
  ),
  plug("kettle", "Kettle", "kitchen"),
  plug("aquarium", "Aquarium", "living_room"),
  plug("dehumidifier", "Dehumidifier", "bathroom"),
  plug("amplifier", "Amplifier", "living_room"),
  plug("charger", "Charger", "study"),
  plug("fan_heater", "Fan heater", "study"),
  plug("sauna", "Sauna", "bathroom"),
  plug("compressor", "Compressor", "kitchen"),
  other("fan.bedroom_fan", "bedroom", "off"),
  other("fan.kitchen_hood", "kitchen", "off"),
  other("cover.kitchen_blind", "kitchen", "closed"),
  other("cover.kids_room_blind", "kids_room", "closed"),
  other("media_player.kids_radio", "kids_room", "off"),
  other("siren.hall_clock", "hall", "off"),
  other("input_boolean.reading", "living_room", "off"),
  contact("pantry_door", "Pantry door", "kitchen", "door"),
  contact("cellar_door", "Cellar door", "hall", "door"),
  sensor("sofa_vibration", "living_room", "vibration"),
  sensor("street_motion", "garden", "motion"),
  sensor("hourly_poll", "hall", "running"),
  other("automation.morning_lamp", "kitchen", "on"),
  other("automation.morning_lamp_off", "kitchen", "on"),
  other("automation.cellar_light", "hall", "on"),
];
