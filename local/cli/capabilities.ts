import type { Command } from "commander";
import { table } from "./output.ts";
import { allPages } from "./pages.ts";
import type { Tools } from "./tools.ts";

interface Capability {
  readonly ieee_address: string;
  readonly friendly_name: string;
  readonly device_id?: string;
  readonly vendor?: string;
  readonly model?: string;
  readonly supported: boolean;
  readonly feature_count: number;
  readonly settable_count: number;
}

interface Feature {
  readonly name: string;
  readonly type: string;
  readonly access: number;
  readonly unit?: string;
  readonly values?: readonly unknown[];
  readonly min?: number;
  readonly max?: number;
}

/** Zigbee2MQTT's bits as words. */
const accessOf = (bits: number): string =>
  [bits & 1 && "published", bits & 2 && "settable", bits & 4 && "gettable"].filter(Boolean).join(", ");

const rangeOf = ({ values, min, max, unit }: Feature): string => {
  const range = values
    ? values.join(" | ")
    : min !== undefined || max !== undefined
      ? `${min ?? ""}..${max ?? ""}`
      : "";
  return [range, unit].filter(Boolean).join(" ");
};

/** `capabilities list|show|refresh` */
export function addCapabilityCommands(program: Command, tools: Tools): void {
  const capabilities = program.command("capabilities").description("what devices can do");
  capabilities
    .command("list")
    .description("every device of which it is known")
    .action(async () => {
      const { api, output } = tools();
      const found = await allPages<Capability, "capabilities">(api, "/api/v1/capabilities", "capabilities");
      const rows = found.map((one) => [
        one.ieee_address,
        one.friendly_name,
        [one.vendor, one.model].filter(Boolean).join(" "),
        one.feature_count,
        one.settable_count,
        one.device_id,
      ]);
      output.data({ capabilities: found }, () =>
        table(
          ["ADDRESS", "NAME", "MODEL", "FEATURES", "SETTABLE", "DEVICE"],
          rows,
          "nothing is known yet: hearthline capabilities refresh",
        ),
      );
    });
  capabilities
    .command("show <device>")
    .description("what one device can do, by Home Assistant's device id")
    .action(async (id: string) => {
      const { api, output } = tools();
      const found = await api.get<{ features: readonly Feature[] }>(
        `/api/v1/devices/${encodeURIComponent(id)}/capabilities`,
      );
      const rows = found.features.map((one) => [one.name, one.type, accessOf(one.access), rangeOf(one)]);
      output.data(found, () => table(["FEATURE", "TYPE", "ACCESS", "VALUES"], rows, "nothing is known of it"));
    });
  capabilities
    .command("refresh")
    .description("asks the home's relay to read them from Zigbee2MQTT")
    .action(async () => {
      const { api, output } = tools();
      const item = await api.post<{ id: string }>("/api/v1/outbox", { kind: "capabilities" });
      output.data(item, () => `asked as "${item.id}"; what becomes of it: hearthline outbox list`);
    });
}
