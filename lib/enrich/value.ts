import type { Quality } from "../event/index.ts";
import { toCanonical } from "./units.ts";

/** Their state is a number whatever else they say. A zone's is how many persons are in it. */
const NUMERIC_DOMAINS: ReadonlySet<string> = new Set(["number", "input_number", "counter", "zone"]);
/** Device classes of sensors whose state is no number. Source: core 2026.11.0 components/sensor/const.py NON_NUMERIC_DEVICE_CLASSES. */
const TEXT_DEVICE_CLASSES: ReadonlySet<string> = new Set(["date", "enum", "timestamp", "uptime"]);
/** Domains that have a device class only if their state is a number. */
const SENSOR = "sensor";

/**
 * Source: core 2026.11.0 helpers/state.py `state_as_number`, but for "unknown", which is 0 there and no value here: that nothing is known is no "off".
 * Intermediate states (opening, locking, jammed) are neither.
 */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["on", true],
  ["open", true],
  ["home", true],
  ["locked", true],
  ["above_horizon", true],
  ["off", false],
  ["closed", false],
  ["not_home", false],
  ["unlocked", false],
  ["below_horizon", false],
]);
// Text that people choose: "on" there is a word.
const TEXT_DOMAINS: ReadonlySet<string> = new Set(["input_text", "text", "input_select", "select"]);

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const UNIT_MAX_CHARACTERS = 64;

/** Does the state mean something? */
export function qualityOf(state: string): Quality {
  if (state === "unavailable") return "unavailable";
  return state === "unknown" || state === "" ? "unknown" : "ok";
}

export interface TypedState {
  readonly state: string;
  readonly domain: string;
  readonly deviceClass: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/**
 * The typed value of a state, in the canonical unit of its device class; the unit also when the state has no value just now.
 * A number only where Home Assistant means one (a unit, a state class, a numeric device class or domain), so that a version "2026.11" stays text;
 * NaN and infinities never.
 */
export function typedValue({ state, domain, deviceClass, attributes }: TypedState): {
  readonly value?: number | boolean;
  readonly unit?: string;
} {
  const unit = textAttribute(attributes.unit_of_measurement, UNIT_MAX_CHARACTERS);
  const isNumeric =
    unit !== undefined ||
    NUMERIC_DOMAINS.has(domain) ||
    textAttribute(attributes.state_class, UNIT_MAX_CHARACTERS) !== undefined ||
    (domain === SENSOR && deviceClass !== undefined && !TEXT_DEVICE_CLASSES.has(deviceClass));
  const number = isNumeric ? numberOf(state) : undefined;
  if (number !== undefined)
    return unit === undefined ? { value: number } : finite(toCanonical(number, unit, deviceClass));
  const canonical = unit === undefined ? {} : { unit: toCanonical(0, unit, deviceClass).unit };
  const boolean = TEXT_DOMAINS.has(domain) ? undefined : BOOLEANS.get(state);
  return boolean === undefined ? canonical : { value: boolean, ...canonical };
}

function numberOf(state: string): number | undefined {
  if (!NUMBER.test(state)) return undefined;
  // "-0" is 0: as JSON it would be so at the next hop.
  const number = Number(state) + 0;
  return Number.isFinite(number) ? number : undefined;
}

/** A number near the end of the range may leave it by the conversion. */
const finite = ({ value, unit }: { value: number; unit: string }) =>
  Number.isFinite(value) ? { value, unit } : { unit };

/** A short text, or undefined: what attributes say under a name of Home Assistant's may be anything. */
export function textAttribute(value: unknown, maxCharacters: number): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= maxCharacters && !value.includes("\0")
    ? value
    : undefined;
}
