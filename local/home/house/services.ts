import { type DeviceSpec, type EntitySpec, lampEntity } from "./spec.ts";

/** What is a device in the registry only: a service behind an address. */
export const SERVICES: readonly DeviceSpec[] = [
  {
    key: "sun",
    name: "Sun",
    area: null,
    platform: "sun",
    entryType: "service",
    entities: [{ id: "sun.sun", name: null, rest: "below_horizon" }],
  },
  {
    key: "weather",
    name: "Home",
    area: null,
    platform: "met",
    entryType: "service",
    manufacturer: "Met.no",
    model: "Forecast",
    entities: [{ id: "weather.home", name: null, features: 3, rest: "cloudy" }],
  },
];

const helper = (key: string, name: string, icon: string): EntitySpec => ({
  id: `input_boolean.${key}`,
  name,
  platform: "input_boolean",
  rest: "off",
  restAttributes: { editable: true },
  icon,
});

const automation = (key: string, name: string): EntitySpec => ({
  id: `automation.${key}`,
  name,
  platform: "automation",
  rest: "on",
  restAttributes: { id: key, last_triggered: null, mode: "single", current: 0 },
});

const script = (key: string, name: string): EntitySpec => ({
  id: `script.${key}`,
  name,
  platform: "script",
  rest: "off",
  restAttributes: { last_triggered: null, mode: "single", current: 0 },
});

const person = (key: string, name: string, trackers: readonly string[]): EntitySpec => ({
  id: `person.${key}`,
  name,
  platform: "person",
  rest: "home",
  restAttributes: { editable: true, id: key, device_trackers: trackers },
});

/** Entities without a device: helpers, automations, people. */
export const DEVICELESS: readonly EntitySpec[] = [
  helper("guest_mode", "Guest mode", "mdi:account-group"),
  helper("vacation_mode", "Vacation mode", "mdi:beach"),
  helper("film_night", "Film night", "mdi:movie"),
  automation("garden_light_on", "Garden light on before sunset"),
  automation("garden_light_off", "Garden light off"),
  automation("hall_light", "Hall light at motion"),
  automation("vacuum_workdays", "Vacuum on workdays"),
  automation("all_off_at_night", "All off at night"),
  automation("heating_away", "Heating down when nobody is home"),
  script("good_night", "Good night"),
  person("anna", "Anna", ["device_tracker.phone_anna"]),
  person("ben", "Ben", ["device_tracker.phone_ben"]),
  person("mia", "Mia", []),
  lampEntity("living_room", {
    name: "Living room lights",
    platform: "group",
    area: "living_room",
    hiddenBy: "user",
    restAttributes: {
      color_mode: null,
      brightness: null,
      entity_id: ["light.living_room_ceiling", "light.living_room_floor_lamp"],
    },
  }),
  {
    id: "zone.home",
    name: "Simulated home",
    platform: "zone",
    rest: "0",
    icon: "mdi:home",
  },
];
