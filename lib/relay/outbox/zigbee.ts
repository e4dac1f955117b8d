import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { NewRelayRecord } from "../../event/index.ts";
import { intoParts } from "../row-parts.ts";
import { noSecrets, withoutSecrets } from "../secrets.ts";
import type { BrokerSession } from "./ports.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * What travels of a row of `bridge/devices`; endpoints, bindings, network addresses and scenes stay home.
 * `interviewing` and `interview_completed` until Zigbee2MQTT 1.42, `interview_state` since 2.0. Source: Zigbee2MQTT lib/extension/bridge.ts publishDevices; read 2026-09.
 */
const ROW_KEYS = [
  "ieee_address",
  "friendly_name",
  "type",
  "manufacturer",
  "model_id",
  "supported",
  "disabled",
  "interview_state",
  "interview_completed",
] as const;
const DEFINITION_KEYS = ["model", "vendor", "description", "exposes", "options"] as const;

/** A row takes no more as JSON (chosen by us: the largest definition, a thermostat with its schedules, takes about 40 KB). */
const ROW_MAX_BYTES = 200_000;

/**
 * Asks Zigbee2MQTT for its devices: it keeps them at `<base>/bridge/devices` on the broker, and writes them anew whenever they change.
 * @throws HearthlineError `zigbee2mqtt_silent` (nothing is there), `zigbee2mqtt_malformed`, and what the session throws
 */
export async function readBridgeDevices(session: BrokerSession, baseTopics: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  // Who has two coordinators has two of them. Both or none: half of the devices would take the other half out of the index.
  for (const base of baseTopics) {
    const topic = `${base}/bridge/devices`;
    const kept = await session.retained(topic);
    if (kept === undefined)
      throw new HearthlineError(
        "zigbee2mqtt_silent",
        `The broker keeps nothing at "${topic}": Zigbee2MQTT is not there, has another base topic (HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC), or this user may not read it.`,
      );
    rows.push(...rowsOf(kept, topic));
  }
  return rows;
}

/** A home with 200 devices, all of them thermostats, has 8 MB. JSON takes several times its bytes once it is read, and whoever may write to the broker says how many. */
const KEPT_MAX_BYTES = 33_554_432;

function rowsOf(kept: Buffer, topic: string): Row[] {
  if (kept.length > KEPT_MAX_BYTES)
    throw malformed(topic, `${kept.length} bytes, of which at most ${KEPT_MAX_BYTES} are read`);
  let rows: unknown;
  try {
    rows = JSON.parse(kept.toString("utf8"));
  } catch (thrown) {
    throw malformed(topic, `${kept.length} bytes that are not JSON (${messageOf(thrown).slice(0, 80)})`);
  }
  if (!Array.isArray(rows)) throw malformed(topic, "no list");
  return rows.filter(isObject);
}

const malformed = (topic: string, what: string) =>
  new HearthlineError("zigbee2mqtt_malformed", `At "${topic}" the broker keeps ${what}; wanted is a list of devices.`);

const isObject = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);

/** The devices as records: all parts of one revision, in order. A row without an address is none. */
export function capabilityRecords(rows: readonly Row[], revision: number): NewRelayRecord[] {
  const named = rows.filter(({ ieee_address }) => typeof ieee_address === "string" && ieee_address !== "");
  const parts = intoParts(named.map(pick));
  return parts.map((part, index) => ({
    t: "capabilities",
    revision,
    part: index + 1,
    parts: parts.length,
    rows: part,
  }));
}

function pick(row: Row): Row {
  const { definition } = row;
  const own = picked(row, ROW_KEYS);
  const whole = isObject(definition) ? { ...own, definition: picked(definition, DEFINITION_KEYS) } : own;
  try {
    const clean = withoutSecrets(whole, noSecrets()) as Row;
    if (Buffer.byteLength(JSON.stringify(clean)) <= ROW_MAX_BYTES) return clean;
  } catch {
    // Deeper or longer than can be looked through.
  }
  // What it is stays known; what it can do does not fit.
  return { ...short(own), ...(isObject(definition) && { definition: short(picked(definition, ["model", "vendor"])) }) };
}

const picked = (row: Row, keys: readonly string[]): Row =>
  Object.fromEntries(keys.flatMap((key) => (row[key] === undefined ? [] : [[key, row[key]]])));

const short = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([, value]) => typeof value === "string" || typeof value === "boolean")
      .map(([key, value]) => [key, typeof value === "string" ? value.slice(0, 255) : value]),
  );
