import { domainOf } from "../event/index.ts";
import { abilitiesOf, PART_DOMAINS } from "./abilities.ts";
import type { Entity, Feature } from "./rows.ts";

type Attributes = Readonly<Record<string, unknown>>;

const LIST_MAX = 100;
const VALUE_MAX_CHARACTERS = 100;
const isShort = (value: unknown): boolean =>
  (typeof value === "number" && Number.isFinite(value)) ||
  (typeof value === "string" && value.length <= VALUE_MAX_CHARACTERS);

/** What of an entity's attributes tells what it can do; nothing that tells how it is. */
export function abilityAttributes(entityId: string, attributes: Attributes): Attributes {
  const kept: Record<string, unknown> = {};
  const keep = (name: string) => {
    const value = attributes[name];
    if (isShort(value)) kept[name] = value;
    if (Array.isArray(value)) kept[name] = value.filter(isShort).slice(0, LIST_MAX);
  };
  for (const name of ["supported_features", "supported_color_modes"]) keep(name);
  for (const { list, range = [] } of abilitiesOf(domainOf(entityId)))
    for (const name of [list, ...range]) if (name) keep(name);
  return kept;
}

const PUBLISHED_AND_SETTABLE = 3;
const SETTABLE = 2;

/** What an entity can do, in the model of Zigbee2MQTT's exposes. `property` is its name alone; who has several entities makes it unique. */
export function featuresOfEntity(
  { entityId, name, nameFollows, entityCategory }: Entity,
  attributes: Attributes,
): Feature[] {
  const domain = domainOf(entityId);
  // What an integration calls by a name beside the device's is a part of it.
  const part = PART_DOMAINS.has(domain) && nameFollows === "device" && name !== undefined ? name : undefined;
  return abilitiesOf(domain)
    .filter(({ isThere }) => isThere(attributes))
    .map((ability) => {
      const own = part === undefined ? ability.name : slug(part);
      const values = ability.list === undefined ? undefined : attributes[ability.list];
      const [min, max] = (ability.range ?? []).map((at) => attributes[at]);
      return {
        name: own,
        property: own,
        type: ability.type,
        group: domain,
        access: ability.name === "state" || ability.value ? PUBLISHED_AND_SETTABLE : SETTABLE,
        ...(entityCategory !== undefined && { category: entityCategory }),
        label: part ?? ability.label,
        ...(ability.unit !== undefined && { unit: ability.unit }),
        ...(Array.isArray(values) && values.length > 0 && { values: values as (string | number)[] }),
        ...(typeof min === "number" && { min }),
        ...(typeof max === "number" && { max }),
        entityId,
      };
    });
}

const slug = (name: string): string =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "") || "state";
