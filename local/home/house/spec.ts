/** What an entity is made of, before it has ids. Attributes stand in Home Assistant's order: capabilities, then (at run time) state, then names. */
export interface EntitySpec {
  readonly id: string;
  /** The entity's own name beside its device's; null: the device's name says it all. */
  readonly name: string | null;
  readonly deviceClass?: string;
  readonly unit?: string;
  readonly stateClass?: "measurement" | "total" | "total_increasing";
  readonly category?: "config" | "diagnostic";
  /** Capabilities: attributes that stand before those of the state. */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly features?: number;
  /** The state at 04:00 of an ordinary day. */
  readonly rest: string;
  /** Attributes of that state. */
  readonly restAttributes?: Readonly<Record<string, unknown>>;
  readonly icon?: string;
  readonly area?: string;
  readonly labels?: readonly string[];
  readonly disabledBy?: "user" | "integration";
  readonly hiddenBy?: "user";
  /** What the user called it. */
  readonly userName?: string;
  readonly platform?: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface DeviceSpec {
  readonly key: string;
  readonly name: string;
  readonly area: string | null;
  readonly platform: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly entryType?: "service";
  /** Key of the device that this one is a part of. */
  readonly parent?: string;
  /** Key of the device that this one speaks through. */
  readonly via?: string;
  /** Two devices with the same: twins, made from one by the upgrade to 2026.8. */
  readonly mac?: string;
  readonly labels?: readonly string[];
  readonly userName?: string;
  readonly entities: readonly EntitySpec[];
}

export const ZIGBEE = "mqtt";

export const battery = (key: string): EntitySpec => ({
  id: `sensor.${key}_battery`,
  name: "Battery",
  deviceClass: "battery",
  unit: "%",
  stateClass: "measurement",
  category: "diagnostic",
  rest: "100",
});

export const numeric = (id: string, name: string, deviceClass: string, unit: string): EntitySpec => ({
  id,
  name,
  deviceClass,
  unit,
  stateClass: deviceClass === "energy" || deviceClass === "gas" ? "total_increasing" : "measurement",
  rest: "0",
});

/** A sensor of motion, of some rooms with light, temperature and humidity as well. */
export function motionSensor(
  area: string,
  areaName: string,
  extras: "motion" | "light" | "climate" | "all",
): DeviceSpec {
  const hasLight = extras === "light" || extras === "all";
  const hasClimate = extras === "climate" || extras === "all";
  return {
    key: `${area}_motion`,
    name: `${areaName} sensor`,
    area,
    platform: ZIGBEE,
    manufacturer: "Aqara",
    model: "RTCGQ14LM",
    via: "bridge",
    entities: [
      { id: `binary_sensor.${area}_motion`, name: "Motion", deviceClass: "motion", rest: "off" },
      battery(`${area}_motion`),
      ...(hasLight ? [numeric(`sensor.${area}_illuminance`, "Illuminance", "illuminance", "lx")] : []),
      ...(hasClimate ? [numeric(`sensor.${area}_temperature`, "Temperature", "temperature", "°C")] : []),
      ...(hasClimate ? [numeric(`sensor.${area}_humidity`, "Humidity", "humidity", "%")] : []),
      {
        id: `sensor.${area}_motion_linkquality`,
        name: "Linkquality",
        unit: "lqi",
        stateClass: "measurement",
        category: "diagnostic",
        rest: "0",
        disabledBy: "integration",
      },
    ],
  };
}

const LIGHT_CAPABILITIES = {
  min_color_temp_kelvin: 2202,
  max_color_temp_kelvin: 4000,
  effect_list: ["blink", "breathe", "okay"],
  supported_color_modes: ["color_temp"],
};
const LIGHT_OFF = {
  effect: null,
  color_mode: null,
  brightness: null,
  color_temp_kelvin: null,
  hs_color: null,
  rgb_color: null,
  xy_color: null,
};

/** What a lamp says of its light while it is on. */
export const lightOn = (brightness: number, kelvin: number): Record<string, unknown> => ({
  effect: null,
  color_mode: "color_temp",
  brightness,
  color_temp_kelvin: kelvin,
  hs_color: [Math.round(kelvin / 100) + 0.5, 60.25],
  rgb_color: [255, Math.round(120 + kelvin / 40), Math.round(kelvin / 22)],
  xy_color: [0.459, 0.411],
});
export const lightOff = (): Record<string, unknown> => LIGHT_OFF;

export const lampEntity = (key: string, more: Partial<EntitySpec> = {}): EntitySpec => ({
  id: `light.${key}`,
  name: null,
  capabilities: LIGHT_CAPABILITIES,
  features: 44,
  rest: "off",
  restAttributes: LIGHT_OFF,
  ...more,
});

export const lamp = (key: string, name: string, area: string | null, more: Partial<EntitySpec> = {}): DeviceSpec => ({
  key,
  name,
  area,
  platform: ZIGBEE,
  manufacturer: "IKEA of Sweden",
  model: "LED2201G8",
  via: "bridge",
  entities: [lampEntity(key, more)],
});

export const plug = (key: string, name: string, area: string | null): DeviceSpec => ({
  key,
  name,
  area,
  platform: ZIGBEE,
  manufacturer: "Innr",
  model: "SP 242",
  via: "bridge",
  entities: [
    { id: `switch.${key}`, name: null, deviceClass: "outlet", rest: "off" },
    numeric(`sensor.${key}_power`, "Power", "power", "W"),
    numeric(`sensor.${key}_energy`, "Energy", "energy", "kWh"),
  ],
});

export const contact = (key: string, name: string, area: string, deviceClass: "door" | "window"): DeviceSpec => ({
  key,
  name,
  area,
  platform: ZIGBEE,
  manufacturer: "Aqara",
  model: "MCCGQ11LM",
  via: "bridge",
  entities: [{ id: `binary_sensor.${key}`, name: null, deviceClass, rest: "off" }, battery(key)],
});
