import { localTimeOf } from "../../lib/base/zone.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { DAY_US, EVENTS_PER_DAY, START_US } from "../store/events.ts";

export const HOME = "home";
const ENTITIES = 300;
const STEP_US = DAY_US / EVENTS_PER_DAY;
const ZONE = "Europe/Amsterdam";

/** What both sides hold of a row. */
export interface PlainRow {
  readonly entityId: string;
  readonly atUs: number;
  readonly state: string;
}

/** Of 300 entities two thirds are numbers; the first ones speak most. */
const entities = Array.from({ length: ENTITIES }, (_, number) => {
  const isNumber = number % 3 !== 0;
  const entityId = isNumber ? `sensor.upstairs_power_${number}` : `binary_sensor.upstairs_motion_${number}`;
  const attributes = {
    friendly_name: `Upstairs number ${number}`,
    device_class: isNumber ? "power" : "motion",
    ...(isNumber && { state_class: "measurement", unit_of_measurement: "W" }),
  };
  return { entityId, isNumber, attributes, areaId: `area_${number % 12}`, deviceId: `device_${number % 60}` };
});

/** Well mixed, the same at every run: rows come from their number alone, so that no side of the comparison keeps any. */
function mix(number: number, salt: number): number {
  let mixed = Math.imul(number ^ (number >>> 15) ^ salt, 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

const timeOf = (index: number): number => START_US + Math.floor(index * STEP_US) + (mix(index, 1) % (STEP_US - 1));
const entityOf = (index: number) => {
  const share = mix(index, 2) / 2 ** 32;
  return entities[Math.floor(share * share * ENTITIES)] ?? (entities[0] as (typeof entities)[number]);
};
const stateOf = (index: number, isNumber: boolean): string => {
  const value = mix(index, 3);
  return isNumber ? String((value % 40_000) / 10) : value % 2 === 0 ? "on" : "off";
};

export function rowAt(index: number): PlainRow {
  const { entityId, isNumber } = entityOf(index);
  return { entityId, atUs: timeOf(index), state: stateOf(index, isNumber) };
}

/** How many of the rows lie before the moment. */
export function rowsBefore(atUs: number, rows: number): number {
  const near = Math.floor((atUs - START_US) / STEP_US);
  let index = Math.max(0, Math.min(rows, near - 1));
  while (index < rows && timeOf(index) < atUs) index += 1;
  return index;
}

/** The row as NEW has it. */
export function eventAt(index: number): HomeEvent {
  const { entityId, isNumber, attributes, areaId, deviceId } = entityOf(index);
  const atUs = timeOf(index);
  const state = stateOf(index, isNumber);
  const local = localTimeOf(atUs, ZONE);
  return {
    homeId: HOME,
    entityId,
    atUs,
    lastChangedUs: atUs,
    kind: "change",
    source: "live",
    state,
    value: isNumber ? Number(state) : state === "on",
    ...(isNumber && { unit: "W" }),
    quality: "ok",
    oldState: stateOf(mix(index, 4), isNumber),
    secondsInOldState: (mix(index, 5) % 1e9) / 1e6,
    areaId,
    deviceId,
    domain: isNumber ? "sensor" : "binary_sensor",
    deviceClass: attributes.device_class,
    localTime: local.text,
    dayPart: local.hour < 6 ? "night" : local.hour < 12 ? "morning" : local.hour < 18 ? "afternoon" : "evening",
    origin: "LOCAL",
    context: {
      id: `01KAMC${mix(index, 6).toString(32).padStart(10, "0")}${mix(index, 7).toString(32).padStart(10, "0")}`.toUpperCase(),
    },
    attributes,
  };
}
