import type { Device, Entity, IndexedRows, RegistryRows } from "./rows.ts";

/** A value as history and conflicts show it: lists of lists as texts, features by their names. */
export type FactValue = string | number | boolean | readonly (string | number)[];

/** Longer values and lists are cut: history says that something changed, the index says what it is now. */
const TEXT_MAX_CHARACTERS = 255;
const LIST_MAX = 50;

/** The member that holds a row's id. */
export const ID_OF: { readonly [N in IndexedRows]: (row: RegistryRows[N]) => string } = {
  areas: ({ areaId }) => areaId,
  floors: ({ floorId }) => floorId,
  labels: ({ labelId }) => labelId,
  devices: ({ deviceId }) => deviceId,
  entities: ({ entityId }) => entityId,
  capabilities: ({ ieeeAddress }) => ieeeAddress,
};

/** Of rows with one id the last, in the place of the first: pages and conflicts go by ids. */
export const uniqueRows = <N extends IndexedRows>(registry: N, rows: readonly RegistryRows[N][]): RegistryRows[N][] => [
  ...new Map(rows.map((row) => [ID_OF[registry](row), row])).values(),
];

/** Ids, and how a name is put together: the latter changes at upgrades without anyone having changed anything. */
const UNTOLD: ReadonlySet<string> = new Set([
  "areaId/areas",
  "floorId/floors",
  "labelId/labels",
  "deviceId/devices",
  "entityId/entities",
  "ieeeAddress/capabilities",
  "nameFollows/devices",
  "nameFollows/entities",
]);

/** Members of a row that history tells of. */
export const factsOf = (registry: IndexedRows, row: object): Map<string, unknown> =>
  new Map(Object.entries(row).filter(([field, value]) => value !== undefined && !UNTOLD.has(`${field}/${registry}`)));

/** undefined stays undefined. */
export function toFact(value: unknown): FactValue | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.slice(0, LIST_MAX).map((one) => short(elementText(one)));
  return short(typeof value === "string" ? value : JSON.stringify(value));
}

const short = (text: string): string => text.slice(0, TEXT_MAX_CHARACTERS);

/** A feature is its name, a pair such as `["mac", "02:00"]` is `mac 02:00`. */
function elementText(one: unknown): string {
  if (Array.isArray(one)) return one.map(String).join(" ");
  if (typeof one === "object" && one !== null) return String((one as { name?: unknown }).name ?? JSON.stringify(one));
  return String(one);
}

/**
 * What makes an entity the same one under another id: Home Assistant has one entity for a domain, a platform and its unique id. Without them its id.
 * Source: core 2026.11.0 helpers/entity_registry.py, the index of (domain, platform, unique_id).
 */
export const entityIdentity = ({ entityId, platform, uniqueId }: Entity): string =>
  platform === undefined || uniqueId === undefined
    ? JSON.stringify([entityId])
    : JSON.stringify([entityId.slice(0, entityId.indexOf(".")), platform, uniqueId]);

/** What makes a device the same one under another id: any of these. */
export const deviceMarks = ({ identifiers, connections }: Device): string[] => [
  ...identifiers.map((pair) => JSON.stringify(["identifier", ...pair])),
  ...connections.map((pair) => JSON.stringify(["connection", ...pair])),
];

/** Zigbee2MQTT's discovery names a device by `zigbee2mqtt_` and its address, whatever its base topic. Source: its lib/extension/homeassistant.ts; read 2026-09. */
const ZIGBEE_IDENTIFIER = /^zigbee2mqtt_(0x[0-9a-f]{16})$/;

/** The addresses by which Zigbee2MQTT knows a device of Home Assistant's; none: it is not Zigbee2MQTT's. */
export const zigbeeAddressesOf = ({ identifiers }: Pick<Device, "identifiers">): string[] =>
  identifiers.flatMap(([domain, text = ""]) => {
    const address = domain === "mqtt" ? ZIGBEE_IDENTIFIER.exec(text)?.[1] : undefined;
    return address === undefined ? [] : [address];
  });
