import type { Command } from "commander";
import { table } from "./output.ts";
import { allPages } from "./pages.ts";
import type { Tools } from "./tools.ts";

interface Device {
  readonly device_id: string;
  readonly name: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly area_id?: string;
  readonly parent_device_id?: string;
  readonly entity_count: number;
  readonly last_seen?: string;
}
interface DeviceDetail extends Device {
  readonly entities: readonly { entity_id: string; name?: string; state?: string; unit?: string; last_seen?: string }[];
}

/** `devices list|show` */
export function addDeviceCommands(program: Command, tools: Tools): void {
  const devices = program.command("devices").description("the index of devices");
  devices
    .command("list")
    .description("every device with its area and when it was seen last")
    .option("--area <id>", "only those of this area")
    .action(async ({ area }: { area?: string }) => {
      const { api, output } = tools();
      const found = (await allPages<Device, "devices">(api, "/api/v1/devices", "devices")).filter(
        (device) => area === undefined || device.area_id === area,
      );
      const rows = found.map((device) => [
        device.device_id,
        device.name,
        device.area_id,
        [device.manufacturer, device.model].filter(Boolean).join(" "),
        device.entity_count,
        device.last_seen,
      ]);
      output.data({ devices: found }, () =>
        table(["DEVICE", "NAME", "AREA", "MODEL", "ENTITIES", "LAST SEEN"], rows, "no devices"),
      );
    });
  devices
    .command("show <device>")
    .description("one device and its entities")
    .action(async (id: string) => {
      const { api, output } = tools();
      const device = await api.get<DeviceDetail>(`/api/v1/devices/${encodeURIComponent(id)}`);
      const facts = [
        ["device", device.device_id],
        ["name", device.name],
        ["area", device.area_id],
        ["model", [device.manufacturer, device.model].filter(Boolean).join(" ")],
        ["part of", device.parent_device_id],
        ["last seen", device.last_seen],
      ].filter(([, value]) => value);
      const rows = device.entities.map((entity) => [
        entity.entity_id,
        entity.name,
        entity.state && entity.state + (entity.unit ? ` ${entity.unit}` : ""),
        entity.last_seen,
      ]);
      output.data(
        device,
        () =>
          `${table(["", ""], facts, "").trim()}\n\n${table(["ENTITY", "NAME", "STATE", "LAST SEEN"], rows, "no entities")}`,
      );
    });
}
