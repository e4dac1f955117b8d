import type { Entity } from "./house.ts";
import { friendlyName } from "./house.ts";

export type Attributes = Readonly<Record<string, unknown>>;

/**
 * The attributes of an entity in Home Assistant's order: capabilities, those of the state, then unit, class, icon, name, features.
 * One object for one set of state attributes, so that what is derived from it (its JSON) can be kept beside it.
 */
export function attributesOf(entity: Entity, ofState: Attributes = {}): Attributes {
  const { spec } = entity;
  return {
    ...(spec.stateClass && { state_class: spec.stateClass }),
    ...spec.capabilities,
    ...ofState,
    ...(spec.unit && { unit_of_measurement: spec.unit }),
    ...(spec.deviceClass && { device_class: spec.deviceClass }),
    ...(spec.icon && { icon: spec.icon }),
    friendly_name: friendlyName(entity),
    ...(spec.features !== undefined && { supported_features: spec.features }),
  };
}

const LIGHT = [
  "effect_list",
  "supported_color_modes",
  "min_color_temp_kelvin",
  "max_color_temp_kelvin",
  "effect",
  "color_mode",
  "brightness",
  "color_temp_kelvin",
  "hs_color",
  "rgb_color",
  "xy_color",
  "entity_id",
];
const EVERYWHERE = ["attribution", "restored", "supported_features"];

/** What the recorder does not keep, by domain. Source: `_unrecorded_attributes` of core's components as of 2026; seen with the real 2026.11.0 for lights. */
const UNRECORDED: Readonly<Record<string, readonly string[]>> = {
  light: LIGHT,
  automation: ["last_triggered", "mode", "current", "max", "id"],
  script: ["last_triggered", "mode", "current", "max"],
  camera: ["access_token", "entity_picture"],
  climate: ["hvac_modes", "fan_modes", "preset_modes", "min_temp", "max_temp", "target_temp_step"],
  event: ["event_types"],
  input_boolean: ["editable"],
  media_player: [
    "entity_picture_local",
    "entity_picture",
    "source_list",
    "media_position",
    "media_position_updated_at",
  ],
  person: ["editable", "device_trackers"],
  sensor: ["options"],
  sun: [
    "azimuth",
    "elevation",
    "rising",
    "next_dawn",
    "next_dusk",
    "next_midnight",
    "next_noon",
    "next_rising",
    "next_setting",
  ],
  update: ["entity_picture", "in_progress", "release_summary"],
  vacuum: ["fan_speed_list"],
  weather: ["forecast"],
};

/** The attributes that history gives back. */
export function recordedAttributes(domain: string, attributes: Attributes): Attributes {
  const hidden = UNRECORDED[domain] ?? [];
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !hidden.includes(name) && !EVERYWHERE.includes(name)),
  );
}
