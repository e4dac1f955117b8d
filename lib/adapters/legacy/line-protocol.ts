import { HearthlineError } from "../../base/errors.ts";
import { parseIsoUs } from "../../base/time.ts";
import { domainOf, type StateRecord } from "../../event/index.ts";
import { pythonFloat, pythonText } from "./python.ts";

/**
 * InfluxDB's line protocol as Home Assistant's own integration writes it (source: core 2026.11.0 components/influxdb, influxdb-python 5.3.1 line_protocol.py;
 * observed: facts/influxdb-pipeline.md), so that what the relay writes and what the integration wrote are one series: same measurement, tags, fields, time.
 */

// States that the integration writes as 1 and 0 beside their text (helpers/state.py, state_as_number).
const AS_ONE: ReadonlySet<string> = new Set(["on", "locked", "above_horizon", "open", "home"]);
const AS_ZERO: ReadonlySet<string> = new Set(["off", "unlocked", "below_horizon", "closed", "not_home"]);
/** States that the integration does not write. */
const NOTHING: ReadonlySet<string> = new Set(["unknown", "unavailable", ""]);

type Fields = Map<string, number | string>;

/**
 * One point, without its line end; undefined: the integration writes none of this state.
 * @param defaultMeasurement the integration's `default_measurement`; without it the entity id
 * @throws HearthlineError `event_time_invalid`, `event_malformed` (it cannot be written as a line)
 */
export function toLine(record: StateRecord, defaultMeasurement?: string): string | undefined {
  if (NOTHING.has(record.state)) return undefined;
  const fields: Fields = new Map();
  const number = stateNumber(record.state);
  // The server refuses a point with a number that is none, and always has.
  if (number && !Number.isFinite(number.value)) return undefined;
  if (!number || number.isText) fields.set("state", oneLine(record.state));
  if (number) fields.set("value", number.value);
  const unit = record.attributes.unit_of_measurement;
  const hasUnit = unit !== undefined && unit !== null && unit !== "";
  for (const [name, value] of Object.entries(record.attributes)) {
    if (name !== "unit_of_measurement" || !hasUnit) addAttribute(fields, name, value);
  }
  freeTime(fields);
  const measurement = oneLine(hasUnit ? pythonText(unit) : defaultMeasurement || record.entity_id);
  // The integration loses these without a word.
  if (measurement.startsWith("#"))
    throw new HearthlineError(
      "event_malformed",
      'its unit begins with "#", and InfluxDB takes such a line for a comment',
    );
  const domain = domainOf(record.entity_id);
  const tags = `domain=${escapeKey(domain)},entity_id=${escapeKey(record.entity_id.slice(domain.length + 1))}`;
  const written = [...fields]
    .filter(([name]) => name !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${escapeKey(name)}=${typeof value === "number" ? value : quote(value)}`);
  return `${escapeKey(measurement)},${tags} ${written.join(",")} ${parseIsoUs(record.last_updated)}000`;
}

function stateNumber(state: string): { readonly value: number; readonly isText: boolean } | undefined {
  const value = pythonFloat(state);
  if (value !== undefined) return { value, isText: false };
  if (AS_ONE.has(state)) return { value: 1, isText: true };
  return AS_ZERO.has(state) ? { value: 0, isText: true } : undefined;
}

/** A number under its own name, everything else as text under NAME_str; and text that holds one number also as that number. */
function addAttribute(fields: Fields, attribute: string, value: unknown): void {
  const name = fields.has(attribute) ? `${attribute}_` : attribute;
  const number = pythonFloat(value);
  if (number !== undefined) fields.set(name, number);
  else {
    const text = oneLine(pythonText(value));
    fields.set(`${name}_str`, text);
    if (hasDigitTail(text)) fields.set(name, pythonFloat(text.replace(/[^\p{Nd}.]+/gu, "")) ?? Number.NaN);
  }
  const kept = fields.get(name);
  if (typeof kept === "number" && !Number.isFinite(kept)) fields.delete(name);
}

/** The integration's pattern, one number of at least two digits and no other dot, without its cost on long texts. */
function hasDigitTail(text: string): boolean {
  const dots = text.split(".").length - 1;
  return dots === 0 ? /\p{Nd}\p{Nd}/u.test(text) : dots === 1 && /\p{Nd}\.\p{Nd}/u.test(text);
}

/** InfluxDB takes no field called time. */
function freeTime(fields: Fields): void {
  const value = fields.get("time");
  if (value === undefined) return;
  let name = "time_";
  while (fields.has(name)) name += "_";
  fields.delete("time");
  fields.set(name, value);
}

// What Python's splitlines() splits at.
const LINE_END_CODES = [0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029];
const LINE_ENDS = new RegExp(`\\r\\n|[${String.fromCharCode(...LINE_END_CODES)}]`);

/** Line protocol knows no line end within a point: as the integration does, a space. A last line end leaves none. */
function oneLine(text: string): string {
  const lines = text.split(LINE_ENDS);
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines.join(" ");
}

/** A line end in a name is written as the two characters \\n, as influxdb-python does: the server keeps them so. */
const escapeKey = (text: string): string => text.replace(/[\\ ,=]/g, "\\$&").replaceAll("\n", "\\n");
const quote = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

/** Measurement and the fields with their types, of a line that `toLine` wrote; names as the server says them in errors. */
export function lineShape(line: string): {
  readonly measurement: string;
  readonly types: ReadonlyMap<string, "float" | "string">;
} {
  const types = new Map<string, "float" | "string">();
  const key = endOf(line, 0, " ");
  let at = key + 1;
  while (at < line.length && line[at - 1] !== undefined) {
    const equals = endOf(line, at, "=");
    const isText = line[equals + 1] === '"';
    types.set(unescapeKey(line.slice(at, equals)), isText ? "string" : "float");
    const end = isText ? endOfText(line, equals + 2) : line.slice(equals).search(/[ ,]/) + equals;
    if (line[end] !== ",") break;
    at = end + 1;
  }
  return { measurement: unescapeKey(line.slice(0, endOf(line, 0, ","))), types };
}

/** Where a character stands that is not escaped. */
function endOf(line: string, from: number, character: string): number {
  let at = from;
  while (at < line.length && line[at] !== character) at += line[at] === "\\" ? 2 : 1;
  return at;
}

const endOfText = (line: string, from: number): number => endOf(line, from, '"') + 1;
// The server keeps a doubled backslash of a key as two.
const unescapeKey = (text: string): string => text.replace(/\\([ ,=])/g, "$1");
