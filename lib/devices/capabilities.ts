import { field, type RawRow, text } from "./loose.ts";
import type { DeviceCapabilities, Feature } from "./ports.ts";

/** Composites within composites beyond this are none of Zigbee2MQTT's. */
const DEPTH_MAX = 6;
/** Of one device (chosen by us: the fullest, a thermostat, has about 100). */
const FEATURES_MAX = 500;
const VALUES_MAX = 500;
const DESCRIPTION_MAX_CHARACTERS = 500;
/** Types that are nothing by themselves but what their features are. Source: Zigbee2MQTT's documentation of exposes; read 2026-09. */
const SPECIFIC: ReadonlySet<string> = new Set(["light", "switch", "fan", "cover", "lock", "climate"]);

/** A row of Zigbee2MQTT's `bridge/devices`, 1.17 to 2.7. Without an address it is none. */
export function parseCapabilities(row: RawRow): DeviceCapabilities | undefined {
  const ieeeAddress = text(row.ieee_address);
  if (ieeeAddress === undefined) return undefined;
  const definition = isObject(row.definition) ? row.definition : {};
  return {
    ieeeAddress,
    friendlyName: text(row.friendly_name) ?? ieeeAddress,
    ...field("type", text(row.type)),
    ...field("manufacturer", text(row.manufacturer)),
    ...field("modelId", text(row.model_id)),
    ...field("vendor", text(definition.vendor)),
    ...field("model", text(definition.model)),
    ...field("description", text(definition.description)),
    supported: row.supported !== false,
    disabled: row.disabled === true,
    ...field("interview", interviewOf(row)),
    features: featuresOf(definition.exposes),
    options: featuresOf(definition.options),
  };
}

/** Since 2.0 a word in capitals, before that yes or no. */
function interviewOf({ interview_state, interview_completed }: RawRow): string | undefined {
  if (typeof interview_completed === "boolean" && interview_state === undefined)
    return interview_completed ? "successful" : "failed";
  return text(interview_state)?.toLowerCase();
}

const isObject = (value: unknown): value is RawRow =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface Within {
  /** Names of the composites around it, each with a dot. */
  readonly path: string;
  readonly group?: string;
  readonly endpoint?: string;
  readonly depth: number;
}

function featuresOf(exposes: unknown): Feature[] {
  const features: Feature[] = [];
  if (Array.isArray(exposes)) for (const one of exposes) addFeatures(features, one, { path: "", depth: 0 });
  return features;
}

function addFeatures(features: Feature[], expose: unknown, within: Within): void {
  if (!isObject(expose) || features.length >= FEATURES_MAX || within.depth > DEPTH_MAX) return;
  const type = text(expose.type);
  if (type === undefined) return;
  const parts = Array.isArray(expose.features) ? expose.features : [];
  const endpoint = text(expose.endpoint) ?? within.endpoint;
  const inside = { ...within, ...field("endpoint", endpoint), depth: within.depth + 1 };
  if (SPECIFIC.has(type)) {
    for (const part of parts) addFeatures(features, part, { ...inside, group: type });
    return;
  }
  const name = text(expose.name) ?? text(expose.property);
  if (name === undefined) return;
  features.push(featureOf(expose, { ...inside, path: `${within.path}${name}` }, type));
  for (const part of parts) addFeatures(features, part, { ...inside, path: `${within.path}${name}.` });
}

const featureOf = (expose: RawRow, { path, group, endpoint }: Within, type: string): Feature => ({
  name: path,
  ...field("property", text(expose.property)),
  type,
  ...field("group", group),
  access: typeof expose.access === "number" && Number.isInteger(expose.access) ? expose.access & 7 : 0,
  ...field("endpoint", endpoint),
  ...field("category", text(expose.category)),
  ...field("label", text(expose.label)),
  ...field(
    "description",
    typeof expose.description === "string" ? expose.description.slice(0, DESCRIPTION_MAX_CHARACTERS) : undefined,
  ),
  ...field("unit", text(expose.unit)),
  ...field("values", valuesOf(expose)),
  ...field("min", number(expose.value_min)),
  ...field("max", number(expose.value_max)),
  ...field("step", number(expose.value_step)),
});

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** Of an enum what it takes; of a binary its two or three words. */
function valuesOf({ values, value_on, value_off, value_toggle }: RawRow): Feature["values"] | undefined {
  const all: readonly unknown[] = Array.isArray(values) ? values : [value_on, value_off, value_toggle];
  const plain = all.filter(
    (value): value is string | number | boolean =>
      typeof value === "string" || typeof value === "number" || typeof value === "boolean",
  );
  return plain.length > 0 ? plain.slice(0, VALUES_MAX) : undefined;
}
