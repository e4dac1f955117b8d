import { domainOf } from "../event/index.ts";
import { PART_DOMAINS } from "./abilities.ts";
import type { Entity, Feature } from "./rows.ts";

/** A feature that a person or an automation could use, and where its use can be seen. */
export interface UsableFeature {
  /** Unique in its device: `brightness`, `state_left`. */
  readonly key: string;
  readonly label: string;
  /** Whose state tells whether it was used. */
  readonly entityId: string;
  /** Abilities of that entity (`ABILITIES`): a use of any of them is one. */
  readonly abilities: readonly string[];
}

const PUBLISHED = 1;
const SETTABLE = 2;

/**
 * Settings, tests and upkeep, which Zigbee2MQTT marks by their category only since 1.33 and not all of them. Chosen by looking through all definitions
 * of zigbee-herdsman-converters 26.112 (tests/devices/definitions.test.ts).
 */
const UPKEEP = new RegExp(
  `(^|_)(${[
    "identify|startup|power_on_behavior|power_outage_memory|calibration|calibrate|calibrated|recalibration|ota|update|reset|restore|factory",
    "sensitivity|reporting|report|poll|interval|frequency|threshold|linkquality|options|config|test|debug|firmware|pairing|led|indicator",
    "indication|backlight|invert|reversal|motor_direction|motor_speed|limit|limits|min|max|minimum|maximum|range|deadzone|deadband|offset",
    "hysteresis|compensation|delta|unit|scale|type|id|schedule|programming|execute_if_off|level_config|operation_mode|switch_actions|switch_mode",
    "altitude|pwm|tx|lux|factor|comparison|sensor|name|fading_time|keep_time|external",
  ].join("|")})(_|$)`,
);

/** Of a device as people use it: neither configuration nor diagnosis nor upkeep, and not the parts of a composite. */
const isForUse = ({ name, access, category, type }: Feature): boolean =>
  (access & SETTABLE) !== 0 && category === undefined && type !== "list" && !name.includes(".") && !UPKEEP.test(name);

/** The abilities of a kind of entity are for use, whatever they are called. */
const isAbility = ({ group, access }: Feature): boolean =>
  (access & SETTABLE) !== 0 && group !== undefined && !PART_DOMAINS.has(group);

const isWatched = ({ disabledBy, entityCategory }: Entity): boolean =>
  disabledBy === undefined && entityCategory === undefined;

/** In their order; where two have one name, the later one has its entity's beside it. */
function unique(found: readonly UsableFeature[]): UsableFeature[] {
  const taken = new Set<string>();
  return found.map((one) => {
    const key = taken.has(one.key) ? `${one.key}_${one.entityId.slice(one.entityId.indexOf(".") + 1)}` : one.key;
    taken.add(key);
    return { ...one, key };
  });
}

/** Of what its entities say. `ability` is the first that the feature's entity has by that name; a part's own name stands for its state. */
export function usableOfEntities(features: readonly Feature[], entities: readonly Entity[]): UsableFeature[] {
  const byId = new Map(entities.map((entity) => [entity.entityId, entity]));
  return unique(
    features.flatMap((feature) => {
      const { name, label = name, entityId } = feature;
      const entity = entityId === undefined ? undefined : byId.get(entityId);
      if (!entity || entityId === undefined || !(isAbility(feature) || isForUse(feature)) || !isWatched(entity))
        return [];
      if ((feature.access & PUBLISHED) === 0) return [];
      const ability = PART_DOMAINS.has(domainOf(entityId)) ? "state" : name;
      return [{ key: name, label, entityId, abilities: [ability] }];
    }),
  );
}

/**
 * Zigbee2MQTT's names within each kind of device -> abilities of Home Assistant's entity. Source: Zigbee2MQTT lib/extension/homeassistant.ts, what it announces by
 * MQTT discovery; read 2026-11.
 */
const BY_GROUP: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  light: {
    state: ["state"],
    brightness: ["brightness"],
    color_temp: ["color_temp"],
    color_xy: ["color"],
    color_hs: ["color"],
    effect: ["effect"],
  },
  switch: { state: ["state"] },
  lock: { state: ["state"] },
  fan: { state: ["state"], mode: ["speed", "preset_mode"], speed: ["speed"] },
  cover: { state: ["state"], position: ["position"], tilt: ["tilt"] },
  climate: {
    system_mode: ["state"],
    current_heating_setpoint: ["temperature"],
    occupied_heating_setpoint: ["temperature"],
    occupied_cooling_setpoint: ["temperature"],
    preset: ["preset_mode"],
    fan_mode: ["fan_mode"],
    swing_mode: ["swing_mode"],
  },
};

interface Announced extends Entity {
  readonly domain: string;
  /** What Zigbee2MQTT calls it within its device: `light`, `switch_left`, `child_lock`; absent: its unique id is not of that form. */
  readonly object?: string;
}

/** `0x842e14fffe05b879_switch_left_zigbee2mqtt`: address, object, base topic. */
function announced(entity: Entity): Announced {
  const { entityId, uniqueId } = entity;
  const rest = /^0x[0-9a-f]{16}_(.+)$/.exec(uniqueId ?? "")?.[1];
  const end = rest === undefined ? -1 : [rest.lastIndexOf("_zigbee2mqtt"), rest.lastIndexOf("_")].find((at) => at > 0);
  const object = rest?.slice(0, end === -1 || end === undefined ? undefined : end);
  return { ...entity, domain: domainOf(entityId), ...(object !== undefined && { object }) };
}

/** The entity that Home Assistant has of a feature of Zigbee2MQTT's; undefined: none (a composite, or whoever removed it). */
function entityOf(
  { name, property = name, group, endpoint }: Feature,
  all: readonly Announced[],
): Announced | undefined {
  if (group !== undefined && Object.hasOwn(BY_GROUP, group)) {
    const own = all.filter(({ domain }) => domain === group);
    const objects = endpoint === undefined ? [group, `${property}_lock`, property] : [`${group}_${endpoint}`];
    const exact = own.find(({ object }) => object !== undefined && objects.includes(object));
    const byName = endpoint === undefined ? own : own.filter(({ entityId }) => entityId.endsWith(`_${endpoint}`));
    return exact ?? (byName.length === 1 ? byName[0] : undefined);
  }
  // A light takes its effects itself.
  const light = name === "effect" ? all.find(({ domain }) => domain === "light") : undefined;
  if (light) return light;
  const own = all.filter(({ domain }) => PART_DOMAINS.has(domain));
  const objects = [property, name, ...(endpoint === undefined ? [] : [`${name}_${endpoint}`])];
  const wanted = new Set(objects.flatMap((object) => [object, `switch_${object}`]));
  const exact = own.find(({ object }) => object !== undefined && wanted.has(object));
  return exact ?? own.find(({ object, entityId }) => object === undefined && entityId.endsWith(`_${property}`));
}

/** Of what Zigbee2MQTT exposes. A feature that nothing in Home Assistant shows is none: nobody could say whether it is used. */
export function usableOfZigbee(features: readonly Feature[], entities: readonly Entity[]): UsableFeature[] {
  const all = entities.map(announced);
  const found = features.flatMap((feature): UsableFeature[] => {
    if (!isForUse(feature)) return [];
    const entity = entityOf(feature, all);
    // Of what is only sent (one press of a button) the button tells.
    if (!entity || !isWatched(entity) || ((feature.access & PUBLISHED) === 0 && entity.domain !== "button")) return [];
    const { name, property = name, group, label = name, endpoint } = feature;
    const ofGroup = group === undefined ? undefined : BY_GROUP[group];
    const single = entity.domain === "light" ? ["effect"] : ["state"];
    const abilities = ofGroup ? (Object.hasOwn(ofGroup, name) ? ofGroup[name] : undefined) : single;
    if (!abilities) return [];
    const words = endpoint === undefined || label.toLowerCase().includes(endpoint) ? label : `${label} (${endpoint})`;
    return [{ key: property, label: words, entityId: entity.entityId, abilities }];
  });
  // A light tells of its colour twice, by xy and by hue.
  return [...new Map(found.toReversed().map((one) => [one.key, one])).values()].toReversed();
}
