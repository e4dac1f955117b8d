import { boiler, doorways, machines } from "./machines.ts";
import { battery, type DeviceSpec, lamp, motionSensor, numeric, plug, ZIGBEE } from "./spec.ts";

const socket = (key: string, name: string): DeviceSpec => ({
  key: `study_strip_${key}`,
  name,
  area: null,
  platform: ZIGBEE,
  parent: "study_strip",
  entities: [
    { id: `switch.study_strip_${key}`, name: null, deviceClass: "outlet", rest: "off" },
    numeric(`sensor.study_strip_${key}_power`, "Power", "power", "W"),
  ],
});

const meter: DeviceSpec = {
  key: "meter",
  name: "Electricity meter",
  area: "hall",
  platform: "dsmr",
  manufacturer: "Landis+Gyr",
  model: "E360",
  labels: ["critical"],
  entities: [
    numeric("sensor.power_consumption", "Power consumption", "power", "W"),
    numeric("sensor.energy_consumption_tarif_1", "Energy consumption (tarif 1)", "energy", "kWh"),
    numeric("sensor.energy_consumption_tarif_2", "Energy consumption (tarif 2)", "energy", "kWh"),
    numeric("sensor.voltage_phase_l1", "Voltage phase L1", "voltage", "V"),
    numeric("sensor.current_phase_l1", "Current phase L1", "current", "A"),
    numeric("sensor.gas_consumption", "Gas consumption", "gas", "m³"),
  ],
};

const router: DeviceSpec = {
  key: "router",
  name: "Router",
  area: "hall",
  platform: "upnp",
  manufacturer: "AVM",
  model: "FRITZ!Box 7590",
  entities: [
    numeric("sensor.router_download_speed", "Download speed", "data_rate", "kB/s"),
    numeric("sensor.router_upload_speed", "Upload speed", "data_rate", "kB/s"),
    { ...numeric("sensor.router_clients", "Clients", "", ""), deviceClass: "", unit: "", category: "diagnostic" },
  ],
};

const blinds = (key: string, name: string, area: string): DeviceSpec => ({
  key,
  name,
  area,
  platform: "motion_blinds",
  manufacturer: "Coulisse",
  model: "CM-03",
  entities: [
    {
      id: `cover.${key}`,
      name: null,
      deviceClass: "blind",
      features: 15,
      rest: "closed",
      restAttributes: { current_position: 0 },
    },
  ],
});

const player = (key: string, name: string, area: string, model: string): DeviceSpec => ({
  key,
  name,
  area,
  platform: "cast",
  manufacturer: "Google Inc.",
  model,
  entities: [{ id: `media_player.${key}`, name: null, features: 152461, rest: "off" }],
});

const phone = (owner: string, name: string): DeviceSpec => ({
  key: `phone_${owner}`,
  name,
  area: null,
  platform: "mobile_app",
  manufacturer: "Google",
  model: "Pixel 9",
  entities: [
    { id: `device_tracker.phone_${owner}`, name: null, rest: "home", category: "diagnostic" },
    { ...battery(`phone_${owner}`), name: "Battery level" },
  ],
});

const lamps: readonly DeviceSpec[] = [
  lamp("living_room_ceiling", "Living room ceiling", "living_room"),
  lamp("living_room_floor_lamp", "Floor lamp", "living_room"),
  lamp("kitchen_ceiling", "Kitchen ceiling", "kitchen"),
  lamp("hall", "Hall light", "hall"),
  lamp("study_desk", "Desk lamp", "study", { userName: "Desk" }),
  lamp("bedside_anna", "Bedside lamp Anna", "bedroom"),
  lamp("bedside_ben", "Bedside lamp Ben", "bedroom"),
  lamp("kids_room", "Kids room lamp", "kids_room", { labels: ["child_safe"] }),
  lamp("bathroom", "Bathroom light", "bathroom"),
  // No area on the device: the entity carries it.
  lamp("terrace", "Terrace light", null, { area: "garden", labels: ["outdoors"] }),
  lamp("garden", "Garden light", "garden"),
];

/** Devices that can be touched. */
export const DEVICES: readonly DeviceSpec[] = [
  ...machines,
  motionSensor("hall", "Hall", "light"),
  motionSensor("living_room", "Living room", "all"),
  motionSensor("kitchen", "Kitchen", "light"),
  motionSensor("study", "Study", "light"),
  motionSensor("landing", "Landing", "motion"),
  motionSensor("bedroom", "Bedroom", "climate"),
  motionSensor("kids_room", "Kids room", "climate"),
  motionSensor("bathroom", "Bathroom", "climate"),
  ...lamps,
  plug("coffee_machine", "Coffee machine", "kitchen"),
  plug("washing_machine", "Washing machine", "bathroom"),
  plug("bathroom_heater", "Bathroom heater", "bathroom"),
  {
    key: "study_strip",
    name: "Power strip",
    area: "study",
    platform: ZIGBEE,
    manufacturer: "TuYa",
    model: "TS011F",
    entities: [numeric("sensor.study_strip_power", "Total power", "power", "W")],
  },
  socket("monitor", "Monitor socket"),
  socket("printer", "Printer socket"),
  meter,
  router,
  ...boiler,
  ...doorways,
  blinds("living_room_blinds", "Living room blinds", "living_room"),
  blinds("bedroom_blinds", "Bedroom blinds", "bedroom"),
  player("living_room_tv", "Television", "living_room", "Chromecast"),
  player("kitchen_radio", "Kitchen radio", "kitchen", "Google Nest Mini"),
  phone("anna", "Anna's phone"),
  phone("ben", "Ben's phone"),
];
