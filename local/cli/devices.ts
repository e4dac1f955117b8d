import type { Command } from "commander";
import { type Change, type Conflict, changesTable, conflictsTable } from "./device-words.ts";
import { table } from "./output.ts";
import { allPages } from "./pages.ts";
import type { Tools } from "./tools.ts";

interface Utilisation {
  readonly features: number;
  readonly used: number;
  readonly unused: readonly { feature: string; label: string; entity_id?: string; not_used_since: string }[];
  readonly watched_since?: string;
}

interface Device {
  readonly device_id: string;
  readonly name: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly area_id?: string;
  readonly parent_device_id?: string;
  readonly entity_count: number;
  readonly conflict_count: number;
  readonly open_conflict_count: number;
  readonly utilisation?: Utilisation;
  readonly last_seen?: string;
}
interface DeviceDetail extends Device {
  readonly conflicts: readonly Conflict[];
  readonly entities: readonly { entity_id: string; name?: string; state?: string; unit?: string; last_seen?: string }[];
}

/** What a comparison came to. */
interface Comparison {
  readonly devices: number;
  readonly added: number;
  readonly over: number;
  readonly operations: number;
  readonly duration_ms: number;
}

/** Changes that `show` prints; all of them are behind `--all`. */
const CHANGES_SHOWN = 20;

/** `devices list|show|sync|settle` */
export function addDeviceCommands(program: Command, tools: Tools): void {
  const devices = program.command("devices").description("the index of devices");
  devices
    .command("list")
    .description("every device with its area and when it was seen last")
    .option("--area <id>", "only those of this area")
    .action((options: { area?: string }) => list(tools, options));
  devices
    .command("show <device>")
    .description("one device: its entities, its conflicts and what happened to it")
    .option("--all", `every change that is known, not only the ${CHANGES_SHOWN} newest`)
    .action((id: string, options: { all?: boolean }) => show(tools, id, options));
  devices
    .command("sync")
    .description("compares what the sources say of every device now, and shows how conflicts were settled")
    .action(() => sync(tools));
  devices
    .command("settle <conflict> <choice>")
    .description('settles a conflict by hand: "new" (Home Assistant), "old" (the other source), "both" (of lists)')
    .option("--reason <text>", "why")
    .action(async (id: string, chosen: string, options: { reason?: string }) => {
      const { api, output } = tools();
      const conflict = await api.post<Conflict>(`/api/v1/conflicts/${encodeURIComponent(id)}/settle`, {
        chosen,
        ...options,
      });
      output.data(conflict, () => conflictsTable([conflict], ""));
    });
}

const modelOf = ({ manufacturer, model }: Device): string => [manufacturer, model].filter(Boolean).join(" ");

/** `3`, or `3 (1 open)`. */
const conflictsOf = ({ conflict_count: all, open_conflict_count: open }: Device): string =>
  all > 0 ? `${all}${open > 0 ? ` (${open} open)` : ""}` : "";

/** `2 of 5 features`. */
const usedOf = ({ utilisation }: Device): string =>
  utilisation ? `${utilisation.used} of ${utilisation.features} features` : "";

async function list(tools: Tools, { area }: { area?: string }): Promise<void> {
  const { api, output } = tools();
  const found = (await allPages<Device, "devices">(api, "/api/v1/devices", "devices")).filter(
    (device) => area === undefined || device.area_id === area,
  );
  const rows = found.map((device) => [
    device.device_id,
    device.name,
    device.area_id,
    modelOf(device),
    device.entity_count,
    conflictsOf(device),
    usedOf(device),
    device.last_seen,
  ]);
  output.data({ devices: found }, () =>
    table(["DEVICE", "NAME", "AREA", "MODEL", "ENTITIES", "CONFLICTS", "USED", "LAST SEEN"], rows, "no devices"),
  );
}

async function show(tools: Tools, id: string, { all = false }: { all?: boolean }): Promise<void> {
  const { api, output } = tools();
  const path = `/api/v1/devices/${encodeURIComponent(id)}`;
  // First: an id that a split has ended has a history and no device.
  const changes = all
    ? await allPages<Change, "changes">(api, `${path}/history`, "changes")
    : (await api.get<{ changes: Change[] }>(`${path}/history`, { limit: CHANGES_SHOWN })).changes;
  const { status, body } = await api.ask<DeviceDetail>("GET", path);
  const history = changesTable(changes, "nothing has happened to it since the index knows it");
  if (status === 404) {
    output.data({ device_id: id, changes }, () => `"${id}" is no device any more.\n\n${history}`);
    return;
  }
  const device = status === 200 ? body : await api.get<DeviceDetail>(path);
  const facts = [
    ["device", device.device_id],
    ["name", device.name],
    ["area", device.area_id],
    ["model", modelOf(device)],
    ["part of", device.parent_device_id],
    ["used", usedOf(device)],
    ["watched since", device.utilisation?.watched_since],
    ["last seen", device.last_seen],
  ].filter(([, value]) => value);
  const rows = device.entities.map((entity) => [
    entity.entity_id,
    entity.name,
    entity.state && entity.state + (entity.unit ? ` ${entity.unit}` : ""),
    entity.last_seen,
  ]);
  const unused = (device.utilisation?.unused ?? []).map((one) => [
    one.feature,
    one.label,
    one.entity_id,
    one.not_used_since,
  ]);
  output.data({ ...device, changes }, () =>
    [
      table(["", ""], facts, "").trim(),
      table(["ENTITY", "NAME", "STATE", "LAST SEEN"], rows, "no entities"),
      ...(unused.length > 0 ? [table(["UNUSED FEATURE", "WHAT", "ENTITY", "NOT USED SINCE"], unused, "")] : []),
      conflictsTable(device.conflicts, "no conflicts"),
      history,
    ].join("\n\n"),
  );
}

async function sync(tools: Tools): Promise<void> {
  const { api, output } = tools();
  const comparison = await api.post<Comparison>("/api/v1/conflicts/sync", {});
  const all = await allPages<Conflict, "conflicts">(api, "/api/v1/conflicts", "conflicts");
  const conflicts = all.filter(({ status }) => status !== "over");
  const { devices, added, over, operations, duration_ms } = comparison;
  const open = conflicts.filter(({ status }) => status === "open").length;
  output.data({ comparison, conflicts }, () =>
    [
      `${devices} devices compared in ${duration_ms} ms and ${operations} operations: ${added} conflicts new, ${over} over, ${open} wait for hearthline devices settle`,
      conflictsTable(conflicts, "no conflicts"),
    ].join("\n\n"),
  );
}
