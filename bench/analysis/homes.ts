import { type Random, seededRandom } from "../../lib/base/random.ts";
import { localTimeOf } from "../../lib/base/zone.ts";
import { compareEvents, type HomeEvent } from "../../lib/event/index.ts";
import { type RecipeName, scenarioOf } from "../../local/home/scenario/recipes.ts";
import type { Scenario } from "../../local/home/scenario/types.ts";
import { type EventDay, eventDays } from "../../quality/events.ts";

/** How much happens in a home. */
export interface HomeSize {
  /** Families as the simulator has them, each with its own rooms and devices. */
  readonly families: number;
  /** All events of a day: what the families' lives leave is filled with numbers. */
  readonly eventsPerDay: number;
  /** Entities that tell numbers. */
  readonly sensors: number;
}

export const SIZES = {
  /** A family's home: most of its events are what people do and motion sensors see, so it teaches more than others of its size. */
  small: { families: 1, eventsPerDay: 2_000, sensors: 80 },
  /** 5,000 entities, about as many houses' worth of lamps, doors and motion as ten families have. */
  large: { families: 10, eventsPerDay: 100_000, sensors: 4_600 },
} as const satisfies Readonly<Record<string, HomeSize>>;
export type SizeName = keyof typeof SIZES;

/** A home's day from 03:00 to 03:00. */
export type BenchDay = Omit<EventDay, "truth">;

export const HOME = "home";
/** 2025-06-02, a Monday */
const FIRST_DAY = 20_241;
const LIVES: readonly RecipeName[] = ["pairs", "clock", "chains", "rooms", "residents"];

/** The same days at every run. The last `full` of them have the numbers too: no detector hears those, and most of the time goes into making them. */
export function* homeDays(size: HomeSize, { days, full }: { days: number; full: number }): Generator<BenchDay> {
  const lives = Array.from({ length: size.families }, (_, index) => lifeOf(index, days));
  const numbers = createNumbers(size.sensors);
  for (let day = 0; day < days; day++) {
    const parts = lives.flatMap((life) => life.next().value ?? []);
    const [first] = parts;
    if (!first) return;
    const own = parts.flatMap(({ events }) => events);
    const more = day < days - full ? [] : numbers.ofDay(first, Math.max(0, size.eventsPerDay - own.length));
    const { date, fromUs, toUs, timeZone } = first;
    yield { homeId: HOME, date, fromUs, toUs, timeZone, events: [...own, ...more].sort(compareEvents) };
  }
}

function* lifeOf(index: number, days: number): Generator<EventDay, undefined> {
  const name = LIVES[index % LIVES.length] ?? "pairs";
  const scenario: Scenario = { ...scenarioOf(name, index + 1, days), firstDay: FIRST_DAY };
  for (const day of eventDays(scenario)) {
    const events = day.events.filter(({ domain }) => index === 0 || (domain !== "sun" && domain !== "zone"));
    yield {
      ...day,
      events: events.map((event) => ({ ...event, homeId: HOME, ...(index > 0 && movedTo(event, index)) })),
    };
  }
}

/** Another family's: other entities, rooms and contexts. */
function movedTo({ entityId, areaId, deviceId, context }: HomeEvent, index: number): Partial<HomeEvent> {
  const { id, parentId } = context;
  return {
    entityId: `${entityId}_${index}`,
    ...(areaId !== undefined && { areaId: `${areaId}_${index}` }),
    ...(deviceId !== undefined && { deviceId: `${deviceId.slice(0, -1)}${index}` }),
    context: { ...context, id: `${id}${index}`, ...(parentId !== undefined && { parentId: `${parentId}${index}` }) },
  };
}

const CLASSES = [
  { deviceClass: "power", unit: "W", decimals: 1, step: 400 },
  { deviceClass: "temperature", unit: "°C", decimals: 1, step: 1 },
  { deviceClass: "humidity", unit: "%", decimals: 0, step: 4 },
  { deviceClass: "voltage", unit: "V", decimals: 1, step: 1 },
  { deviceClass: "energy", unit: "kWh", decimals: 3, step: 0.1 },
] as const;
const AREAS = 12;

interface Sensor {
  readonly entityId: string;
  readonly areaId: string;
  readonly deviceId: string;
  readonly of: (typeof CLASSES)[number];
  readonly attributes: HomeEvent["attributes"];
  number: number;
  state: string;
  changedUs: number;
}

function createNumbers(count: number): { ofDay(day: BenchDay, events: number): HomeEvent[] } {
  const random = seededRandom(11);
  const sensors = Array.from({ length: count }, (_, index) => sensorOf(index));
  return {
    ofDay({ fromUs, toUs, timeZone }, events) {
      const stepUs = (toUs - fromUs) / Math.max(1, events);
      return Array.from({ length: events }, (_, index) => {
        const atUs = fromUs + Math.floor((index + random()) * stepUs);
        // Each tells something; the first ones most.
        const at = index < sensors.length ? index : Math.floor(random() ** 2 * sensors.length);
        return eventOf(sensors[at] as Sensor, { atUs, timeZone, random });
      });
    },
  };
}

function sensorOf(index: number): Sensor {
  const of = CLASSES[index % CLASSES.length] ?? CLASSES[0];
  const { deviceClass, unit } = of;
  return {
    entityId: `sensor.upstairs_${deviceClass}_${index}`,
    areaId: `area_${index % AREAS}`,
    deviceId: String(Math.floor(index / CLASSES.length)).padStart(32, "0"),
    of,
    attributes: {
      state_class: deviceClass === "energy" ? "total_increasing" : "measurement",
      unit_of_measurement: unit,
      device_class: deviceClass,
      friendly_name: `Upstairs ${deviceClass} number ${index}`,
    },
    number: 20,
    state: "20",
    changedUs: FIRST_DAY * 86_400e6,
  };
}

function eventOf(
  sensor: Sensor,
  { atUs, timeZone, random }: { atUs: number; timeZone: string; random: Random },
): HomeEvent {
  const { entityId, areaId, deviceId, of, attributes, state: oldState, changedUs } = sensor;
  sensor.number = Math.abs(sensor.number + of.step * (random() - (of.deviceClass === "energy" ? 0 : 0.5)));
  sensor.state = String(Number(sensor.number.toFixed(of.decimals)));
  const isChange = sensor.state !== oldState;
  if (isChange) sensor.changedUs = atUs;
  const { text, hour } = localTimeOf(atUs, timeZone);
  return {
    homeId: HOME,
    entityId,
    atUs,
    lastChangedUs: sensor.changedUs,
    kind: isChange ? "change" : "attributes",
    source: "live",
    state: sensor.state,
    value: Number(sensor.state),
    unit: of.unit,
    quality: "ok",
    oldState,
    ...(isChange && { secondsInOldState: (atUs - changedUs) / 1e6 }),
    areaId,
    deviceId,
    domain: "sensor",
    deviceClass: of.deviceClass,
    localTime: text,
    dayPart: hour < 6 ? "night" : hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening",
    origin: "LOCAL",
    context: {
      id: `01K${Math.floor(random() * 2 ** 48)
        .toString(36)
        .padStart(23, "0")}`.toUpperCase(),
    },
    attributes,
  };
}
