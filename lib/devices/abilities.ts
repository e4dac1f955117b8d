import { domainOf } from "../event/index.ts";
import type { Feature } from "./rows.ts";

type Attributes = Readonly<Record<string, unknown>>;
/** What an ability is set to, as far as it is compared; undefined: the entity does not say it now. */
export type AbilityValue = string | number | boolean;

/** Something that an entity of Home Assistant can be told to do. */
export interface Ability {
  readonly name: string;
  readonly label: string;
  readonly type: Feature["type"];
  /** By the bits of `supported_features` or by what else the entity says of itself. */
  isThere(attributes: Attributes): boolean;
  /** What it is set to. Absent: its use leaves no trace in the entity (a flash, a locate), so nobody can say that it was never used. */
  readonly value?: (attributes: Attributes, state: string) => AbilityValue | undefined;
  /** Attribute that lists what it takes. */
  readonly list?: string;
  readonly range?: readonly [min: string, max: string];
  readonly unit?: string;
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const flag = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined);
/** In steps: what devices report back is rounded and jitters. */
const stepped =
  (name: string, step: number) =>
  ({ [name]: value }: Attributes): number | undefined =>
    typeof value === "number" && Number.isFinite(value) ? Math.round(value / step) * step : undefined;
const textAt =
  (name: string) =>
  ({ [name]: value }: Attributes): string | undefined =>
    text(value);
const flagAt =
  (name: string) =>
  ({ [name]: value }: Attributes): boolean | undefined =>
    flag(value);

const bits =
  (mask: number) =>
  ({ supported_features }: Attributes): boolean =>
    typeof supported_features === "number" && (supported_features & mask) !== 0;
const always = (): boolean => true;
const modesOf = ({ supported_color_modes }: Attributes): readonly unknown[] =>
  Array.isArray(supported_color_modes) ? supported_color_modes : [];

const COLOR_MODES: ReadonlySet<unknown> = new Set(["hs", "xy", "rgb", "rgbw", "rgbww"]);
const DARK_MODES: ReadonlySet<unknown> = new Set(["onoff", "unknown"]);

/** Its colours also follow its temperature: only the mode says which of both was chosen. */
const colorOf = ({ color_mode, hs_color }: Attributes): string | undefined => {
  if (typeof color_mode !== "string") return undefined;
  if (!COLOR_MODES.has(color_mode)) return "none";
  return Array.isArray(hs_color) ? hs_color.map((part) => Math.round(Number(part) / 5)).join("/") : undefined;
};
/** Kelvin since 2022.11; mired before, and beside it until 2026. */
const kelvinOf = (attributes: Attributes): number | undefined => {
  if (typeof attributes.color_mode === "string" && attributes.color_mode !== "color_temp") return undefined;
  const { color_temp: mired } = attributes;
  const kelvin = typeof mired === "number" && mired > 0 ? { color_temp_kelvin: 1e6 / mired } : {};
  return stepped("color_temp_kelvin", 100)({ ...kelvin, ...present(attributes) });
};
const present = ({ color_temp_kelvin: kelvin }: Attributes): Attributes =>
  typeof kelvin === "number" ? { color_temp_kelvin: kelvin } : {};
const targetOf = ({ temperature, target_temp_low: low, target_temp_high: high }: Attributes): string | undefined => {
  const targets = [temperature, low, high].map((value) => (typeof value === "number" ? value : ""));
  return targets.some((value) => value !== "") ? targets.join("/") : undefined;
};
const effectOf = ({ effect }: Attributes, state: string): string | undefined =>
  state === "off" ? undefined : (text(effect)?.toLowerCase() ?? "none").replace(/^off$/, "none");

const switched: Ability = { name: "state", label: "On and off", type: "binary", isThere: always };
const plain: readonly Ability[] = [{ ...switched, label: "State" }];
const named = (
  name: string,
  isThere: Ability["isThere"],
  more: Partial<Ability> & Pick<Ability, "label">,
): Ability => ({ type: "enum", ...more, name, isThere });

/**
 * By domain. `state` is whatever the entity's state says. Source: Home Assistant core 2026.11.0 components/<domain>/const.py, `...EntityFeature` and the attributes of each;
 * bits have been the same since 2021.
 */
export const ABILITIES: Readonly<Record<string, readonly Ability[]>> = {
  light: [
    switched,
    named("brightness", (attributes) => modesOf(attributes).some((mode) => !DARK_MODES.has(mode)), {
      ...{ label: "Brightness", type: "numeric", value: stepped("brightness", 5) },
    }),
    named("color_temp", (attributes) => modesOf(attributes).includes("color_temp"), {
      ...{ label: "Colour temperature", type: "numeric", value: kelvinOf, unit: "K" },
      range: ["min_color_temp_kelvin", "max_color_temp_kelvin"],
    }),
    named("color", (attributes) => modesOf(attributes).some((mode) => COLOR_MODES.has(mode)), {
      ...{ label: "Colour", type: "composite", value: colorOf },
    }),
    named("effect", bits(4), { label: "Effect", list: "effect_list", value: effectOf }),
    named("flash", bits(8), { label: "Flash" }),
    named("transition", bits(32), { label: "Transition", type: "numeric", unit: "s" }),
  ],
  fan: [
    switched,
    named("speed", bits(1), { label: "Speed", type: "numeric", unit: "%", value: stepped("percentage", 1) }),
    named("oscillating", bits(2), { label: "Oscillation", type: "binary", value: flagAt("oscillating") }),
    named("direction", bits(4), { label: "Direction", value: textAt("direction") }),
    named("preset_mode", bits(8), { label: "Preset", list: "preset_modes", value: textAt("preset_mode") }),
  ],
  cover: [
    { ...switched, label: "Open and close", isThere: bits(1 | 2) },
    named("position", bits(4), {
      ...{ label: "Position", type: "numeric", unit: "%", value: stepped("current_position", 1) },
    }),
    named("stop", bits(8), { label: "Stop" }),
    named("tilt", bits(16 | 32 | 128), {
      ...{ label: "Tilt", type: "numeric", unit: "%", value: stepped("current_tilt_position", 1) },
    }),
  ],
  climate: [
    { ...switched, label: "Mode", type: "enum", list: "hvac_modes" },
    named("temperature", bits(1 | 2), {
      ...{ label: "Target temperature", type: "numeric", value: targetOf, range: ["min_temp", "max_temp"] as const },
    }),
    named("humidity", bits(4), { label: "Target humidity", type: "numeric", unit: "%", value: stepped("humidity", 1) }),
    named("fan_mode", bits(8), { label: "Fan mode", list: "fan_modes", value: textAt("fan_mode") }),
    named("preset_mode", bits(16), { label: "Preset", list: "preset_modes", value: textAt("preset_mode") }),
    named("swing_mode", bits(32), { label: "Swing", list: "swing_modes", value: textAt("swing_mode") }),
    named("swing_horizontal_mode", bits(512), {
      ...{ label: "Horizontal swing", list: "swing_horizontal_modes", value: textAt("swing_horizontal_mode") },
    }),
  ],
  media_player: [
    { ...switched, label: "On, off and playing" },
    named("volume", bits(4 | 1024), { label: "Volume", type: "numeric", value: stepped("volume_level", 0.01) }),
    named("mute", bits(8), { label: "Mute", type: "binary", value: flagAt("is_volume_muted") }),
    named("source", bits(2048), { label: "Source", list: "source_list", value: textAt("source") }),
    named("sound_mode", bits(65_536), { label: "Sound mode", list: "sound_mode_list", value: textAt("sound_mode") }),
    named("shuffle", bits(32_768), { label: "Shuffle", type: "binary", value: flagAt("shuffle") }),
    named("repeat", bits(262_144), { label: "Repeat", value: textAt("repeat") }),
    named("grouping", bits(524_288), {
      label: "Grouping",
      type: "list",
      value: ({ group_members: members }) => (Array.isArray(members) ? members.length : undefined),
    }),
    named("play_media", bits(512), { label: "Play media", type: "text" }),
    named("seek", bits(2), { label: "Seek", type: "numeric", unit: "s" }),
    named("skip", bits(16 | 32), { label: "Next and previous track" }),
  ],
  vacuum: [
    { ...switched, label: "Start and return", type: "enum" },
    named("fan_speed", bits(32), { label: "Suction", list: "fan_speed_list", value: textAt("fan_speed") }),
    named("locate", bits(512), { label: "Locate" }),
    named("clean_spot", bits(1_024), { label: "Clean a spot" }),
    named("clean_area", bits(16_384), { label: "Clean an area" }),
  ],
  lock: [{ ...switched, label: "Lock and unlock" }, named("open", bits(1), { label: "Open the latch" })],
  humidifier: [
    switched,
    named("humidity", always, {
      ...{ label: "Target humidity", type: "numeric", unit: "%", value: stepped("humidity", 1) },
      range: ["min_humidity", "max_humidity"],
    }),
    named("mode", bits(1), { label: "Mode", list: "available_modes", value: textAt("mode") }),
  ],
  water_heater: [
    { ...switched, label: "State" },
    named("temperature", bits(1), {
      ...{ label: "Target temperature", type: "numeric", value: targetOf, range: ["min_temp", "max_temp"] as const },
    }),
    named("operation_mode", bits(2), {
      ...{ label: "Operation", list: "operation_list", value: textAt("operation_mode") },
    }),
    named("away_mode", bits(4), { label: "Away mode", type: "binary", value: textAt("away_mode") }),
  ],
  valve: [
    { ...switched, label: "Open and close" },
    named("position", bits(4), {
      ...{ label: "Position", type: "numeric", unit: "%", value: stepped("current_position", 1) },
    }),
  ],
  siren: [switched, named("tone", bits(4), { label: "Tone", list: "available_tones" })],
  lawn_mower: [{ ...switched, label: "Start and dock", type: "enum" }],
  switch: [switched],
  select: [{ ...switched, label: "Choice", type: "enum", list: "options" }],
  number: [{ ...switched, label: "Value", type: "numeric", range: ["min", "max"] }],
  text: plain,
  button: [{ ...switched, label: "Press", type: "enum" }],
};

/** Domains with one ability, whose entity is itself a feature of its device: `switch.lamp_child_lock`. */
export const PART_DOMAINS: ReadonlySet<string> = new Set(["switch", "select", "number", "text", "button"]);

export const abilitiesOf = (domain: string): readonly Ability[] =>
  Object.hasOwn(ABILITIES, domain) ? (ABILITIES[domain] ?? []) : [];

/** Whether entities of this domain can be told to do something. */
export const isActuator = (entityId: string): boolean => abilitiesOf(domainOf(entityId)).length > 0;
