import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { type Random, seededRandom } from "../../lib/base/random.ts";
import { localTimeOf } from "../../lib/base/zone.ts";
import type { HomeEvent } from "../../lib/event/index.ts";

export const DAY_US = 86_400_000_000;
export const EVENTS_PER_DAY = 100_000;
/** 2026-11-02T00:00:00Z */
export const START_US = 1_793_577_600_000_000;
export const HOME = "home";
const CHUNK_BYTES = 1024 * 1024;
const ENTITIES = 300;
const ZONE = "Europe/Amsterdam";
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

interface Entity {
  readonly id: string;
  readonly kind: Kind;
  readonly attributes: Record<string, unknown>;
  readonly areaId: string;
  readonly deviceId: string;
  state: string;
  number: number;
  changedUs: number;
}
interface Kind {
  readonly domain: string;
  readonly share: number;
  readonly deviceClass?: string;
  readonly unit?: string;
  readonly decimals?: number;
  /** Events that change only attributes. */
  readonly attributesShare: number;
}

/** What a home with a power meter, some plugs, climate and motion sensors, lights and players sends; shares of events. */
const KINDS: readonly Kind[] = [
  { domain: "sensor", share: 0.34, deviceClass: "power", unit: "W", decimals: 1, attributesShare: 0 },
  { domain: "sensor", share: 0.1, deviceClass: "energy", unit: "kWh", decimals: 3, attributesShare: 0 },
  { domain: "sensor", share: 0.09, deviceClass: "voltage", unit: "V", decimals: 1, attributesShare: 0 },
  { domain: "sensor", share: 0.12, deviceClass: "temperature", unit: "°C", decimals: 1, attributesShare: 0 },
  { domain: "sensor", share: 0.1, deviceClass: "humidity", unit: "%", decimals: 0, attributesShare: 0 },
  { domain: "binary_sensor", share: 0.11, deviceClass: "motion", attributesShare: 0 },
  { domain: "light", share: 0.04, attributesShare: 0.6 },
  { domain: "media_player", share: 0.02, attributesShare: 0.9 },
  { domain: "climate", share: 0.03, attributesShare: 0.9 },
  { domain: "device_tracker", share: 0.02, attributesShare: 0.8 },
  { domain: "switch", share: 0.03, attributesShare: 0 },
];

/** The same events of the same home at every run, in order of time, as lines of JSON: as they leave a queue. */
export function writeLines(path: string, count: number): void {
  const random = seededRandom(5);
  const entities = makeEntities(random);
  const stepUs = DAY_US / EVENTS_PER_DAY;
  const file = openSync(path, "w");
  let lines = "";
  for (let index = 0; index < count; index++) {
    const atUs = START_US + Math.floor(index * stepUs + random() * stepUs);
    lines += `${JSON.stringify(eventOf(pick(entities, random), atUs, random))}\n`;
    if (index % 1_000 !== 999 && index !== count - 1) continue;
    writeSync(file, lines);
    lines = "";
  }
  closeSync(file);
}

/** The first `count` of the file's events in batches, freshly parsed: none shares a text or an object with another. */
export function* batches(path: string, count: number, size: number): Generator<HomeEvent[]> {
  const file = openSync(path, "r");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const decoder = new TextDecoder();
  let batch: HomeEvent[] = [];
  let rest = "";
  let left = count;
  while (left > 0) {
    const length = readSync(file, chunk);
    if (length === 0) break;
    const lines = (rest + decoder.decode(chunk.subarray(0, length), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.slice(0, left)) {
      batch.push(JSON.parse(line) as HomeEvent);
      if (batch.length < size) continue;
      yield batch;
      batch = [];
    }
    left -= lines.length;
  }
  if (batch.length > 0) yield batch;
  closeSync(file);
}

function makeEntities(random: Random): Map<Kind, Entity[]> {
  const made = new Map<Kind, Entity[]>();
  let number = 0;
  for (const kind of KINDS) {
    const count = Math.max(3, Math.round(kind.share * ENTITIES));
    made.set(
      kind,
      Array.from({ length: count }, () => makeEntity(kind, number++, random)),
    );
  }
  return made;
}

function makeEntity(kind: Kind, number: number, random: Random): Entity {
  const { domain, deviceClass, unit } = kind;
  const attributes: Record<string, unknown> = {};
  if (domain === "sensor") {
    attributes.state_class = deviceClass === "energy" ? "total_increasing" : "measurement";
    attributes.unit_of_measurement = unit;
  }
  if (deviceClass) attributes.device_class = deviceClass;
  if (domain === "light")
    Object.assign(attributes, { supported_color_modes: ["brightness"], color_mode: "brightness" });
  attributes.friendly_name = `Upstairs ${deviceClass ?? domain} number ${number}`;
  return {
    id: `${domain}.upstairs_${deviceClass ?? "device"}_${number}`,
    kind,
    attributes,
    areaId: `area_${number % 12}`,
    deviceId: hex(random, 32),
    state: domain === "sensor" ? "20" : "off",
    number: 20,
    changedUs: START_US - Math.floor(random() * 1e9),
  };
}

/** Chatty and quiet ones: the first of a kind sends most. */
function pick(entities: Map<Kind, Entity[]>, random: Random): Entity {
  let left = random();
  for (const [kind, own] of entities) {
    left -= kind.share;
    const entity = own[Math.floor(random() ** 2 * own.length)];
    if (left <= 0 && entity) return entity;
  }
  return entities.get(KINDS[0] as Kind)?.[0] as Entity;
}

function eventOf(entity: Entity, atUs: number, random: Random): HomeEvent {
  const { kind, state: oldState, changedUs } = entity;
  const isChange = random() >= kind.attributesShare;
  if (isChange) change(entity, atUs, random);
  changeAttributes(entity, atUs, random);
  const local = localTimeOf(atUs, ZONE);
  const { state } = entity;
  const isNumber = kind.domain === "sensor";
  const hasWords = ["light", "switch", "binary_sensor"].includes(kind.domain);
  return {
    homeId: HOME,
    entityId: entity.id,
    atUs,
    lastChangedUs: entity.changedUs,
    kind: isChange ? "change" : "attributes",
    source: "live",
    state,
    ...(isNumber ? { value: Number(state), unit: kind.unit ?? "" } : hasWords && { value: state === "on" }),
    quality: "ok",
    oldState,
    ...(isChange && { secondsInOldState: (atUs - changedUs) / 1e6 }),
    areaId: entity.areaId,
    deviceId: entity.deviceId,
    domain: kind.domain,
    ...(kind.deviceClass && { deviceClass: kind.deviceClass }),
    localTime: local.text,
    dayPart: local.hour < 6 ? "night" : local.hour < 12 ? "morning" : local.hour < 18 ? "afternoon" : "evening",
    origin: "LOCAL",
    context: contextOf(atUs, random),
    attributes: entity.attributes,
    weather: weatherAt(atUs),
  };
}

function change(entity: Entity, atUs: number, random: Random): void {
  const { deviceClass, decimals } = entity.kind;
  entity.changedUs = atUs;
  if (decimals === undefined) {
    entity.state = entity.state === "on" ? "off" : "on";
    return;
  }
  const before = entity.state;
  while (entity.state === before) {
    const step = deviceClass === "power" ? (random() - 0.5) * 400 : random() - (deviceClass === "energy" ? 0 : 0.5);
    entity.number = Math.abs(entity.number + step);
    entity.state = String(Number(entity.number.toFixed(decimals)));
  }
}

function changeAttributes({ kind, attributes }: Entity, atUs: number, random: Random): void {
  if (kind.domain === "light") attributes.brightness = Math.floor(random() * 255);
  if (kind.domain === "media_player") {
    attributes.media_position = Math.floor(random() * 300);
    attributes.media_position_updated_at = new Date(atUs / 1000).toISOString();
  }
  if (kind.domain === "climate") attributes.current_temperature = Math.round(random() * 100) / 10 + 15;
  if (kind.domain === "device_tracker") {
    attributes.latitude = 52 + Math.round(random() * 1e6) / 1e6;
    attributes.longitude = 4 + Math.round(random() * 1e6) / 1e6;
    attributes.battery_level = Math.floor(random() * 100);
  }
}

function contextOf(atUs: number, random: Random): HomeEvent["context"] {
  const id = ulid(atUs, random);
  if (random() < 0.95) return { id };
  return random() < 0.5 ? { id, userId: "8e3c1f0d4b5a69788796a5b4c3d2e1f0" } : { id, parentId: ulid(atUs, random) };
}

function ulid(atUs: number, random: Random): string {
  let time = Math.floor(atUs / 1000);
  let text = "";
  for (let i = 0; i < 10; i++) {
    text = LETTERS[time % 32] + text;
    time = Math.floor(time / 32);
  }
  for (let i = 0; i < 16; i++) text += LETTERS[Math.floor(random() * 32)];
  return text;
}

const hex = (random: Random, length: number): string =>
  Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");

/** A new one each hour. */
function weatherAt(atUs: number): NonNullable<HomeEvent["weather"]> {
  const hour = Math.floor(atUs / 3.6e9);
  return { condition: "cloudy", temperature: 7 + (hour % 9), humidity: 70 + (hour % 23), windSpeed: 3.6 * (hour % 11) };
}
