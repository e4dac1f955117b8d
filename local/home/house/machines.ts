import { battery, contact, type DeviceSpec, numeric, ZIGBEE } from "./spec.ts";

/** The boiler is two devices since the upgrade (one for each integration that knows it); the old one's id is in no list any more. */
export const boiler: readonly DeviceSpec[] = [
  {
    key: "boiler_thermostat",
    name: "Boiler",
    area: "living_room",
    platform: "opentherm_gw",
    manufacturer: "Remeha",
    model: "Avanta",
    mac: "02:00:00:00:00:01",
    userName: "Boiler in the cupboard",
    entities: [
      {
        id: "climate.living_room",
        name: "Thermostat",
        capabilities: { hvac_modes: ["off", "heat"], min_temp: 5, max_temp: 30, target_temp_step: 0.5 },
        features: 385,
        rest: "heat",
      },
      { id: "binary_sensor.boiler_flame", name: "Flame", deviceClass: "heat", rest: "off" },
    ],
  },
  {
    key: "boiler_water",
    name: "Boiler",
    area: "living_room",
    platform: ZIGBEE,
    manufacturer: "Remeha",
    model: "Avanta",
    mac: "02:00:00:00:00:01",
    userName: "Boiler in the cupboard",
    entities: [
      numeric("sensor.boiler_water_temperature", "Water temperature", "temperature", "°C"),
      numeric("sensor.boiler_pressure", "Pressure", "pressure", "bar"),
    ],
  },
];

/** Doors, a window, the lock, the bell. */
export const doorways: readonly DeviceSpec[] = [
  contact("front_door", "Front door", "hall", "door"),
  contact("back_door", "Back door", "kitchen", "door"),
  contact("bedroom_window", "Bedroom window", "bedroom", "window"),
  {
    key: "lock",
    name: "Front door",
    area: "hall",
    platform: "nuki",
    manufacturer: "Nuki",
    model: "Smart Lock 4.0",
    labels: ["critical"],
    entities: [{ id: "lock.front_door", name: null, features: 1, rest: "locked" }, battery("front_door_lock")],
  },
  {
    key: "doorbell",
    name: "Doorbell",
    area: null,
    platform: "reolink",
    manufacturer: "Reolink",
    model: "Video Doorbell",
    entities: [
      {
        id: "event.doorbell",
        name: "Ring",
        deviceClass: "doorbell",
        capabilities: { event_types: ["ring"] },
        rest: "unknown",
        restAttributes: { event_type: null },
      },
      { id: "camera.doorbell", name: "Live", features: 2, rest: "idle" },
      { id: "binary_sensor.doorbell_person", name: "Person", deviceClass: "occupancy", rest: "off" },
    ],
  },
];

/** Vacuum cleaner, dishwasher, button, bridge. */
export const machines: readonly DeviceSpec[] = [
  {
    key: "vacuum",
    name: "Rosie",
    area: "living_room",
    platform: "roborock",
    manufacturer: "Roborock",
    model: "S8",
    entities: [
      {
        id: "vacuum.rosie",
        name: null,
        capabilities: { fan_speed_list: ["quiet", "balanced", "turbo"] },
        features: 30524,
        rest: "docked",
        restAttributes: { fan_speed: "balanced" },
      },
      battery("rosie"),
    ],
  },
  {
    key: "dishwasher",
    name: "Dishwasher",
    area: "kitchen",
    platform: "home_connect",
    manufacturer: "Bosch",
    model: "SMV4",
    entities: [
      {
        id: "sensor.dishwasher_state",
        name: "Operation state",
        deviceClass: "enum",
        capabilities: { options: ["inactive", "ready", "run", "finished"] },
        rest: "inactive",
      },
    ],
  },
  {
    key: "button",
    name: "Bedroom button",
    area: "bedroom",
    platform: ZIGBEE,
    manufacturer: "IKEA of Sweden",
    model: "E2201",
    via: "bridge",
    entities: [
      {
        id: "event.bedroom_button",
        name: "Action",
        deviceClass: "button",
        capabilities: { event_types: ["single", "double", "hold"] },
        rest: "unknown",
        restAttributes: { event_type: null },
      },
      battery("bedroom_button"),
    ],
  },
  {
    key: "bridge",
    name: "Zigbee bridge",
    area: null,
    platform: ZIGBEE,
    manufacturer: "Zigbee2MQTT",
    model: "Bridge",
    entities: [
      {
        id: "button.zigbee_bridge_restart",
        name: "Restart",
        deviceClass: "restart",
        category: "config",
        rest: "unknown",
      },
      {
        id: "update.zigbee_bridge",
        name: "Firmware",
        deviceClass: "firmware",
        category: "config",
        features: 1,
        rest: "off",
        restAttributes: { installed_version: "2.6.0", latest_version: "2.6.0", in_progress: false },
      },
    ],
  },
];
