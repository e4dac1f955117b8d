import { attributesOf } from "../house/attributes.ts";
import { formerBoilerId } from "../house/house.ts";
import { type HomeCore, named } from "../live/home-core.ts";
import { CommandError } from "./answers.ts";
import { ID_OF, REGISTRIES, type RegistryName, UPDATABLE } from "./registries.ts";
import type { Fields } from "./registry-rows.ts";
import type { Call, Handler } from "./wire.ts";

/** In commands a device is `device_id`, in rows `id`. */
const parameterOf = (name: RegistryName) => (name === "device" ? "device_id" : ID_OF[name]);

function tell(core: HomeCore, name: RegistryName, data: Fields): void {
  core.bus.fire({
    type: `${name}_registry_updated`,
    at: core.now(),
    context: core.newContext(),
    data: () => JSON.stringify(data),
  });
  core.save();
}

/** What the entity registry adds to a row when one entity is asked for or changed. */
const extended = (row: Fields): Fields => ({
  ...row,
  aliases: row.aliases ?? [null],
  capabilities: null,
  device_class: null,
  original_device_class: null,
  original_icon: null,
});

const list =
  (name: RegistryName): Handler =>
  ({ core }) => ({ json: JSON.stringify(core.registries.list(name)) });

/** Changes a row and says so; the names of entities follow, as events. */
const update =
  (name: RegistryName): Handler =>
  (call) => {
    const { core, message } = call;
    const id = String(message[parameterOf(name)]);
    const fields = Object.fromEntries(Object.entries(message).filter(([key]) => UPDATABLE[name].includes(key)));
    const before = core.registries.update(name, id, fields, core.now());
    if (!before) throw notThere(name, id);
    const isChanged = Object.keys(before).length > 0;
    const hasChanges = name === "device" || name === "entity";
    const after = () => {
      if (!isChanged) return;
      tell(core, name, { action: "update", [parameterOf(name)]: id, ...(hasChanges && { changes: before }) });
      if (hasChanges) showNames(core);
    };
    const row = core.registries.get(name, id) ?? {};
    return { json: JSON.stringify(name === "entity" ? { entity_entry: extended(row) } : row), after };
  };

const notThere = (name: RegistryName, id: string): CommandError =>
  name === "device"
    ? new CommandError("not_allowed", `Device ${id} not found`)
    : name === "entity"
      ? new CommandError("not_found", "Entity not found")
      : new CommandError("invalid_info", `${name[0]?.toUpperCase()}${name.slice(1)} ID doesn't exist`);

/** Entities whose name changed say so, with their state as it is. */
function showNames(core: HomeCore): void {
  for (const entity of core.house.live) {
    const record = core.states.get(entity.id);
    if (!record) continue;
    const plain = attributesOf(entity).friendly_name;
    const attributes = named(core, entity.id, { ...record.attributes, friendly_name: plain });
    if (attributes.friendly_name === record.attributes.friendly_name) continue;
    core.states.set({
      entityId: entity.id,
      state: record.state,
      attributes,
      at: core.now(),
      context: core.newContext(),
    });
  }
  core.sent.flush();
}

const slug = (text: string) => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");

const create =
  (name: "area" | "floor" | "label"): Handler =>
  ({ core, message }) => {
    const id = slug(String(message.name));
    if (core.registries.get(name, id))
      throw new CommandError("invalid_info", `The name ${String(message.name)} (${id}) is already in use`);
    const now = core.now();
    const empty: Record<"area" | "floor" | "label", Fields> = {
      area: {
        aliases: [],
        area_id: id,
        floor_id: null,
        humidity_entity_id: null,
        icon: null,
        labels: [],
        name: "",
        picture: null,
        temperature_entity_id: null,
      },
      floor: { aliases: [], created_at: now, floor_id: id, icon: null, level: null, name: "" },
      label: { color: null, created_at: now, description: null, icon: null, label_id: id, name: "" },
    };
    const given = Object.fromEntries(Object.entries(message).filter(([key]) => UPDATABLE[name].includes(key)));
    core.registries.create(name, {
      ...empty[name],
      ...given,
      ...(name === "area" && { created_at: now }),
      modified_at: now,
    });
    const after = () => tell(core, name, { action: "create", [ID_OF[name]]: id });
    return { json: JSON.stringify(core.registries.get(name, id)), after };
  };

const remove =
  (name: "area" | "floor" | "label"): Handler =>
  ({ core, message }) => {
    const id = String(message[ID_OF[name]]);
    if (!core.registries.remove(name, id)) throw notThere(name, id);
    return { json: '"success"', after: () => tell(core, name, { action: "remove", [ID_OF[name]]: id }) };
  };

/** The twins of a device: others that share a connection. */
function linkedDevices({ core, message }: Call): string[] {
  const id = String(message.device_id);
  const connections = (row: Fields) => JSON.stringify(row.connections ?? []);
  const all = core.registries.list("device").filter((row) => connections(row) !== "[]");
  if (id === formerBoilerId(core.house.seed)) return all.map((row) => String(row.id));
  const own = all.find((row) => row.id === id);
  return own
    ? all.filter((row) => row !== own && connections(row) === connections(own)).map((row) => String(row.id))
    : [];
}

const compositeSplits: Handler = ({ core }) => {
  const twins = core.house.devices.filter((device) => device.spec.mac !== undefined).map((device) => device.id);
  return { json: JSON.stringify({ [formerBoilerId(core.house.seed)]: { split_ids: twins, primary_id: twins[0] } }) };
};

const newestOnly =
  (handler: Handler): Handler =>
  (call) => {
    if (!call.core.flavour.hasChildDevices) throw new CommandError("unknown_command", "Unknown command.");
    return handler(call);
  };

const getEntity: Handler = ({ core, message }) => {
  const row = core.registries.get("entity", String(message.entity_id));
  if (!row) throw new CommandError("not_found", "Entity not found");
  return { json: JSON.stringify(extended(row)) };
};

const CREATABLE = ["area", "floor", "label"] as const;

/** `config/<name>_registry/...` and what belongs to it. */
export function registryCommands(): [string, Handler][] {
  const of = (name: RegistryName, verb: string) => `config/${name}_registry/${verb}`;
  return [
    ...REGISTRIES.flatMap((name): [string, Handler][] => [
      [of(name, "list"), list(name)],
      [of(name, "update"), update(name)],
    ]),
    ...CREATABLE.flatMap((name): [string, Handler][] => [
      [of(name, "create"), create(name)],
      [of(name, "delete"), remove(name)],
    ]),
    [of("entity", "get"), getEntity],
    [
      of("device", "list_linked_devices"),
      newestOnly((call) => ({ json: JSON.stringify({ linked_devices: linkedDevices(call) }) })),
    ],
    [of("device", "list_composite_splits"), newestOnly(compositeSplits)],
  ];
}
