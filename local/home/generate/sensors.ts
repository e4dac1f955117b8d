import { type Attributes, attributesOf } from "../house/attributes.ts";
import type { Entity, House } from "../house/house.ts";
import { hexId, mix, mixText, mixWide, ulidAt, unit } from "./chance.ts";
import type { Context } from "./day-writer.ts";
import { cloudiness, counter, drift, outdoorTemperature, SIGNALS, type Signal } from "./values.ts";

/**
 * An entity that reports all the time. Reading `k` happens at `(k + something under one) / hz` seconds since 1970 and says what follows from `k`:
 * any stretch of any sensor can be had without what came before it, and nothing has to be kept.
 */
export interface Sensor {
  readonly entity: Entity;
  readonly hz: number;
  at(k: number): number;
  /** The first reading later than this moment. */
  firstAfter(moment: number): number;
  read(k: number): { readonly state: string; readonly attributes: Attributes };
  contextOf(k: number): Context;
  /** Whether the state is another with each reading; of the rest, mostly or only attributes change. */
  readonly stateChanges: "always" | "sometimes" | "never";
}

/** Behaviour (people, sun, automations): changes a second on the average, measured over a year. */
export const BEHAVIOUR_RATE = 0.02;
/** At most this part of what is left goes to the surroundings' slow sensors when the rate is low. */
const SLOW_PART = 0.6;
const JITTER = 0.7;

type Reader = (entity: Entity, k: number, at: number) => { state: string; attributes?: Attributes };

interface Kind {
  readonly ids: RegExp;
  /** Never more often than this; without it the sensor takes its share of the rate. */
  readonly maxHz?: number;
  readonly read: Reader;
  readonly stateChanges?: "sometimes" | "never";
}

/**
 * The last digit is even for even readings and odd for odd ones: so two readings in a row always differ, as they must
 * (Home Assistant fires nothing for the same state again).
 */
const measured =
  (signal: Signal, decimals: number): Reader =>
  (entity, k, at) => {
    const fine = 2 * unit(mixWide(entity.key, k)) - 1;
    const scale = 10 ** decimals;
    const steps = 2 * Math.round((signal(entity.key, at, fine) * scale) / 2) + (k % 2);
    return { state: (steps / scale).toFixed(decimals) };
  };

/** Four decimals: two readings may lie so close together that three would show the same. */
const counted =
  (perHour: number): Reader =>
  (_entity, _k, at) => ({ state: counter(at, perHour).toFixed(4) });

const CONDITIONS = ["sunny", "partlycloudy", "cloudy", "rainy", "pouring"] as const;

const weather: Reader = (entity, k, at) => {
  const clouds = Math.min(0.999, Math.max(0, cloudiness(7, at)));
  const isNight = (at % 86_400) / 3600 < 5 || (at % 86_400) / 3600 > 20;
  const condition = CONDITIONS[Math.floor(clouds * CONDITIONS.length)] ?? "cloudy";
  return {
    state: condition === "sunny" && isNight ? "clear-night" : condition,
    attributes: {
      temperature: Math.round(outdoorTemperature(7, at) * 10) / 10,
      dew_point: Math.round((outdoorTemperature(7, at) - 3) * 10) / 10,
      temperature_unit: "°C",
      humidity: Math.round(70 + 20 * drift(mix(entity.key, 1), at, 30_000)),
      cloud_coverage: Math.round(clouds * 100),
      uv_index: 0.5 + (k % 2) / 10,
      pressure: Math.round((1013 + 14 * drift(mix(entity.key, 2), at, 200_000)) * 10) / 10,
      pressure_unit: "hPa",
      wind_bearing: Math.round(180 + 170 * drift(mix(entity.key, 3), at, 40_000)),
      wind_speed: Math.round((16 + 13 * drift(mix(entity.key, 4), at, 15_000)) * 10) / 10,
      wind_speed_unit: "km/h",
      visibility_unit: "km",
      precipitation_unit: "mm",
      attribution: "Simulated weather",
    },
  };
};

/** The token in the picture's address changes every five minutes, as Home Assistant's does. */
const camera: Reader = (entity, k) => {
  const token = hexId(mixWide(entity.key, k)) + hexId(mixWide(entity.key + 1, k));
  return {
    state: "idle",
    attributes: { access_token: token, entity_picture: `/api/camera_proxy/${entity.id}?token=${token}` },
  };
};

const KINDS: readonly Kind[] = [
  { ids: /^sensor\.power_consumption$/, read: measured(SIGNALS.power, 0) },
  { ids: /^sensor\.current_phase_l1$/, read: measured(SIGNALS.current, 2) },
  { ids: /^sensor\.voltage_phase_l1$/, read: measured(SIGNALS.voltage, 1) },
  { ids: /^sensor\.router_(download|upload)_speed$/, read: measured(SIGNALS.dataRate, 1) },
  { ids: /^sensor\.study_strip_power$/, read: measured(SIGNALS.smallPower, 1) },
  { ids: /^sensor\.boiler_water_temperature$/, maxHz: 1 / 60, read: measured(SIGNALS.water, 1) },
  { ids: /^sensor\.energy_consumption_tarif_1$/, maxHz: 1 / 60, read: counted(0.28) },
  { ids: /^sensor\.energy_consumption_tarif_2$/, maxHz: 1 / 60, read: counted(0.21) },
  { ids: /_illuminance$/, maxHz: 1 / 150, read: measured(SIGNALS.illuminance, 0) },
  {
    ids: /^sensor\.(bedroom|living_room|kids_room|bathroom)_temperature$/,
    maxHz: 1 / 300,
    read: measured(SIGNALS.indoor, 2),
  },
  { ids: /_humidity$/, maxHz: 1 / 240, read: measured(SIGNALS.humidity, 1) },
  { ids: /^sensor\.gas_consumption$/, maxHz: 1 / 300, read: counted(0.14) },
  { ids: /^camera\./, maxHz: 1 / 300, read: camera, stateChanges: "never" },
  { ids: /^weather\./, maxHz: 1 / 600, read: weather, stateChanges: "sometimes" },
  { ids: /^sensor\.router_clients$/, maxHz: 1 / 600, read: measured(SIGNALS.count, 0) },
  { ids: /^sensor\.phone_/, maxHz: 1 / 600, read: measured(SIGNALS.phoneBattery, 0) },
  { ids: /^sensor\..*_energy$/, maxHz: 1 / 900, read: counted(0.02) },
  { ids: /^sensor\.boiler_pressure$/, maxHz: 1 / 1800, read: measured(SIGNALS.pressure, 2) },
];

/** The sensors of a house, with rates that make up what people leave of `rate` changes a second; Zipf among those without a rate of their own. */
export function buildSensors(house: House, rate: number): readonly Sensor[] {
  const found = house.live.flatMap((entity) => {
    const kind = KINDS.find((one) => one.ids.test(entity.id));
    return kind ? [{ entity, kind, order: KINDS.indexOf(kind) }] : [];
  });
  const left = Math.max(rate - BEHAVIOUR_RATE, 0.005);
  const slowMax = found.reduce((sum, { kind }) => sum + (kind.maxHz ?? 0), 0);
  const slowScale = Math.min(1, (left * SLOW_PART) / slowMax);
  const quick = found.filter(({ kind }) => kind.maxHz === undefined).sort((a, b) => a.order - b.order);
  const shares = quick.map((_, index) => 1 / (index + 1));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const quickRate = left - slowMax * slowScale;
  return found.map(({ entity, kind }) => {
    const place = quick.findIndex((one) => one.entity === entity);
    const hz = kind.maxHz === undefined ? (quickRate * (shares[place] ?? 0)) / all : kind.maxHz * slowScale;
    return createSensor(entity, kind, hz);
  });
}

function createSensor(entity: Entity, kind: Kind, hz: number): Sensor {
  const phase = unit(mix(entity.key, 11));
  const key = mixText(entity.key, "reading");
  const plain = attributesOf(entity);
  const at = (k: number) => (k + phase + JITTER * unit(mixWide(key, k))) / hz;
  return {
    entity,
    hz,
    at,
    firstAfter(moment) {
      let k = Math.floor(moment * hz - phase - JITTER) - 1;
      while (at(k) <= moment) k++;
      return k;
    },
    read(k) {
      const { state, attributes } = kind.read(entity, k, at(k));
      return { state, attributes: attributes ? attributesOf(entity, attributes) : plain };
    },
    contextOf: (k) => ({ id: ulidAt(at(k) * 1000, mixWide(key, k)), parent_id: null, user_id: null }),
    stateChanges: kind.stateChanges ?? "always",
  };
}
