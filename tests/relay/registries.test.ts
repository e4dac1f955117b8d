import { describe, expect, it } from "vitest";
import { parseRows } from "../../lib/devices/parse.ts";
import { createRegistryView } from "../../lib/devices/view.ts";
import type { RegistryName } from "../../lib/event/index.ts";
import { registryRecords } from "../../lib/relay/registries.ts";

const options = { revision: 1, isIncluded: () => true };
/** What the cloud makes of rows that the relay sent. */
const arrived = <N extends RegistryName>(registry: N, rows: readonly Record<string, unknown>[]) =>
  parseRows(
    registry,
    registryRecords(registry, rows, options).flatMap((record) => ("rows" in record ? record.rows : [])) as never,
  );

describe("what travels of the registries", () => {
  const device = { id: "d1", name: "Hall sensor", identifiers: [["mqtt", "x"]], connections: [], labels: [] };
  const entity = { entity_id: "binary_sensor.hall_motion", original_name: "Motion", name: null, device_id: "d1" };

  it.each([
    ["2024.3", { has_entity_name: true }],
    ["2026.11", { next_name_part: "device" }],
  ])("is enough to call an entity as Home Assistant %s does", (_version, naming) => {
    const view = createRegistryView({
      devices: arrived("devices", [device]),
      entities: arrived("entities", [{ ...entity, ...naming }]),
    });
    expect(view.entity("binary_sensor.hall_motion")?.name).toBe("Hall sensor Motion");
  });

  it("is enough to call a socket after its strip", () => {
    const child = { ...device, id: "d2", name: "Socket 1", parent_device_id: "d1", next_name_part: "parent_device" };
    const view = createRegistryView({
      devices: arrived("devices", [device, child]),
      entities: arrived("entities", [{ ...entity, device_id: "d2", next_name_part: "device" }]),
    });
    expect(view.entity("binary_sensor.hall_motion")?.name).toBe("Hall sensor Socket 1 Motion");
  });

  it("is nothing that the house keeps to itself", () => {
    const rows = registryRecords(
      "entities",
      [{ ...entity, options: { secret: 1 }, aliases: ["x"], capabilities: {} }],
      options,
    );
    expect(JSON.stringify(rows)).not.toMatch(/options|aliases|capabilities/);
  });
});
