import fc from "fast-check";
import { localTimeOf } from "../../lib/base/zone.ts";
import {
  DAY_PARTS,
  domainOf,
  EVENT_KINDS,
  EVENT_SOURCES,
  type HomeEvent,
  type Quality,
} from "../../lib/event/index.ts";

/** 2026-11-22T05:47:09.185382Z */
export const SOME_TIME_US = 1_795_326_429_185_382;

/** An event of `light.bed_light` in home `home`; what is given replaces what is not. Domain and local time follow from entity and time. */
export function buildEvent(given: Partial<HomeEvent> = {}): HomeEvent {
  const atUs = given.atUs ?? SOME_TIME_US;
  const entityId = given.entityId ?? "light.bed_light";
  return {
    homeId: "home",
    entityId,
    atUs,
    lastChangedUs: atUs,
    kind: "change",
    source: "live",
    state: "on",
    quality: "ok",
    domain: domainOf(entityId),
    localTime: localTimeOf(atUs, "Europe/Amsterdam").text,
    dayPart: "morning",
    origin: "LOCAL",
    context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R" },
    attributes: { friendly_name: "Bed light" },
    ...given,
  };
}

/** An event with every optional member, so that a store that forgets one is found out. */
export const fullEvent: HomeEvent = buildEvent({
  entityId: "sensor.outside_temperature",
  lastChangedUs: SOME_TIME_US - 1_234_567,
  state: "69.8",
  value: 21,
  unit: "°C",
  oldState: "69.6",
  secondsInOldState: 300.000123,
  areaId: "garden",
  deviceId: "d0e1f2",
  deviceClass: "temperature",
  origin: "REMOTE",
  context: { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parentId: "01KAMC7H5JPQ3V2Z9X8W7T6S5Q", userId: "8e3c" },
  attributes: {
    unit_of_measurement: "°F",
    device_class: "temperature",
    nested: { list: [1, "two", null, { a: true }] },
  },
  weather: { condition: "rainy", temperature: 7.5, humidity: 91, windSpeed: 12.25, pressure: 1004.1 },
});

/** `count` events of a home of `entities` entities, one every `stepUs`; the same for the same arguments. */
export function manyEvents(count: number, { entities = 50, stepUs = 250_000, homeId = "home" } = {}): HomeEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const entity = (index * 7) % entities;
    const kind = entity % 3;
    return buildEvent({
      homeId,
      entityId: `${["sensor", "light", "binary_sensor"][kind]}.part_${entity}`,
      atUs: SOME_TIME_US + index * stepUs,
      areaId: `area_${entity % 8}`,
      deviceId: `device_${entity % 20}`,
      state: kind === 0 ? String(20 + (index % 100) / 10) : index % 2 ? "on" : "off",
      context: { id: `01KAMC${String(index).padStart(20, "0")}` },
      attributes: { friendly_name: `Part ${entity}`, ...(kind === 1 && { brightness: index % 256 }) },
    });
  });
}

// Lone surrogates cannot be stored as UTF-8; nothing that parses JSON from UTF-8 has them.
const text = (maxLength: number) => fc.string({ unit: "grapheme", maxLength }).filter((value) => value.isWellFormed());
const short = (...values: string[]) => fc.constantFrom(...values);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

export const HOME_IDS = ["home", "home2", "ho'me", "h%", "h_me", 'quote"d', "Ünïcode"] as const;
export const ENTITY_IDS = ["light.a", "light.b", "sensor.a", "sensor.it's", "sensor.%", "switch.\u{1d7d8}", "switch.ﬀ"];

const optional = fc.record(
  {
    value: fc.oneof(fc.boolean(), number),
    unit: short("°C", "kWh", "%"),
    oldState: text(20),
    secondsInOldState: fc.oneof(
      fc.nat(1e12).map((us) => us / 1e6),
      fc.double({ min: 0, max: 1e9, noNaN: true }).map((value) => value + 0),
    ),
    areaId: short("kitchen", "bed'room", "a%"),
    deviceId: short("d1", "d2", "d_3"),
    deviceClass: short("temperature", "energy", "motion"),
    weather: fc.record({ condition: short("sunny", "rainy"), temperature: number }, { requiredKeys: ["condition"] }),
  },
  { requiredKeys: [] },
);

/** Times that meet often, so that keys and moments collide; all in a few minutes, to the microsecond. */
export const someTimeUs = fc.oneof(
  fc.nat(8).map((step) => SOME_TIME_US + step),
  fc.nat(300_000_000).map((step) => SOME_TIME_US + step),
);

/** Any event of a few homes and entities; equal natural keys come often. */
export const anyEvent: fc.Arbitrary<HomeEvent> = fc
  .tuple(
    fc.record({
      homeId: fc.constantFrom(...HOME_IDS.slice(0, 3)),
      entityId: fc.constantFrom(...ENTITY_IDS),
      atUs: someTimeUs,
      changedBefore: fc.oneof(fc.constant(0), fc.nat(1e9)),
      kind: fc.constantFrom(...EVENT_KINDS),
      source: fc.constantFrom(...EVENT_SOURCES),
      state: fc.oneof(short("on", "off", "21.5", "", "-0", "1e3", " 7"), text(255)),
      isNumber: fc.boolean(),
      quality: fc.constantFrom<Quality>("ok", "unknown", "unavailable"),
      zone: short("Europe/Amsterdam", "UTC", "Asia/Kathmandu", "America/St_Johns"),
      dayPart: fc.constantFrom(...DAY_PARTS),
      origin: short("LOCAL", "REMOTE"),
      context: fc.record({ id: text(64), parentId: text(64), userId: text(64) }, { requiredKeys: ["id"] }),
      // An attribute named "__proto__" is not kept: zod leaves it out, and nothing that Home Assistant knows is named so.
      attributes: fc.oneof(
        fc.constant({}),
        fc.dictionary(
          text(10).filter((name) => name !== "__proto__"),
          fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes("__proto__")),
          { maxKeys: 4 },
        ),
      ),
    }),
    optional,
  )
  .map(([{ changedBefore, zone, isNumber, ...base }, more]) => {
    // As JSON has it: no -0 and no undefined, which no queue could have carried.
    const event = buildEvent({
      ...base,
      ...more,
      lastChangedUs: base.atUs - changedBefore,
      localTime: localTimeOf(base.atUs, zone).text,
    });
    const read = Number(event.state);
    return JSON.parse(
      JSON.stringify(isNumber && event.state !== "" && Number.isFinite(read) ? { ...event, value: read } : event),
    ) as HomeEvent;
  });
