import { describe, expect, it } from "vitest";
import { changesOf, type Frame, settled, signedIn, temporaryFolder, testHome } from "./support.ts";

const rows = (frame: Frame) => frame.result as Record<string, unknown>[];
const list = (name: string) => ({ type: `config/${name}_registry/list` });

const DEVICE_KEYS = [
  "area_id",
  "configuration_url",
  "config_entries",
  "config_entries_subentries",
  "config_entry_id",
  "config_subentry_id",
  "connections",
  "created_at",
  "disabled_by",
  "entry_type",
  "hw_version",
  "id",
  "identifiers",
  "labels",
  "manufacturer",
  "model",
  "model_id",
  "modified_at",
  "name_by_user",
  "name",
  "next_name_part",
  "parent_device_id",
  "primary_config_entry",
  "serial_number",
  "sw_version",
  "via_device_id",
];
const CHILD_KEYS = [
  "area_id",
  "config_entry_id",
  "config_subentry_id",
  "created_at",
  "disabled_by",
  "id",
  "identifiers",
  "labels",
  "modified_at",
  "name_by_user",
  "name",
  "next_name_part",
  "parent_device_id",
];
const ENTITY_KEYS = [
  "area_id",
  "categories",
  "config_entry_id",
  "config_subentry_id",
  "created_at",
  "device_id",
  "disabled_by",
  "entity_category",
  "entity_id",
  "hidden_by",
  "icon",
  "id",
  "labels",
  "modified_at",
  "name",
  "next_name_part",
  "options",
  "original_name",
  "platform",
  "translation_key",
  "unique_id",
];
const AREA_KEYS = [
  "aliases",
  "area_id",
  "floor_id",
  "humidity_entity_id",
  "icon",
  "labels",
  "name",
  "picture",
  "temperature_entity_id",
  "created_at",
  "modified_at",
];

describe("the registries of 2026.11", () => {
  it("have the keys of the real ones, in their order", async () => {
    const client = await signedIn(await testHome());
    expect(Object.keys(rows(await client.command(list("device")))[0] ?? {})).toEqual(DEVICE_KEYS);
    expect(Object.keys(rows(await client.command(list("device"))).at(-1) ?? {})).toEqual(CHILD_KEYS);
    expect(Object.keys(rows(await client.command(list("entity")))[0] ?? {})).toEqual(ENTITY_KEYS);
    expect(Object.keys(rows(await client.command(list("area")))[0] ?? {})).toEqual(AREA_KEYS);
    expect(rows(await client.command(list("floor"))).map((floor) => floor.floor_id)).toEqual([
      "ground_floor",
      "first_floor",
    ]);
    expect(rows(await client.command(list("label"))).map((label) => label.label_id)).toContain("critical");
  });

  it("hold what readers stumble over: children, a split device, no area, disabled and hidden entities", async () => {
    const client = await signedIn(await testHome());
    const devices = rows(await client.command(list("device")));
    const entities = rows(await client.command(list("entity")));
    const strip = devices.find((device) => device.name === "Power strip");
    const children = devices.filter((device) => device.parent_device_id === strip?.id);
    expect(children.map((child) => child.name)).toEqual(["Monitor socket", "Printer socket"]);
    const splits = (await client.command({ type: "config/device_registry/list_composite_splits" })).result as Record<
      string,
      { split_ids: string[] }
    >;
    const [[old, { split_ids }] = ["", { split_ids: [] }]] = Object.entries(splits);
    expect(devices.some((device) => device.id === old)).toBe(false);
    expect(devices.filter((device) => split_ids.includes(String(device.id))).map((device) => device.name)).toEqual([
      "Boiler",
      "Boiler",
    ]);
    const linked = await client.command({
      type: "config/device_registry/list_linked_devices",
      device_id: split_ids[0],
    });
    expect(linked.result).toEqual({ linked_devices: [split_ids[1]] });
    expect(devices.some((device) => device.area_id === null)).toBe(true);
    expect(entities.some((entity) => entity.area_id === "garden")).toBe(true);
    expect(entities.some((entity) => entity.disabled_by === "integration")).toBe(true);
    expect(entities.some((entity) => entity.hidden_by === "user")).toBe(true);
    expect(entities.length).toBeGreaterThan(100);
    const ids = new Set(devices.map((device) => device.id));
    expect(entities.every((entity) => entity.device_id === null || ids.has(entity.device_id))).toBe(true);
  });

  it("say what was renamed, show the new name, and remember it", async () => {
    const data = temporaryFolder();
    const home = await testHome({ data });
    const client = await signedIn(home);
    for (const type of ["device_registry_updated", "entity_registry_updated", "state_changed"])
      await client.command({ type: "subscribe_events", event_type: type });
    const device = rows(await client.command(list("device"))).find((one) => one.name === "Coffee machine");
    const answer = await client.command({
      type: "config/device_registry/update",
      device_id: device?.id,
      name_by_user: "Espresso",
      area_id: "study",
    });
    expect(answer.result).toMatchObject({ name_by_user: "Espresso", area_id: "study" });
    await settled(client);
    expect(client.frames.find((frame) => frame.event?.event_type === "device_registry_updated")?.event?.data).toEqual({
      action: "update",
      device_id: device?.id,
      changes: { name_by_user: null, area_id: "kitchen" },
    });
    const names = changesOf(client).map(
      (event) => (event.data.new_state as { attributes: { friendly_name: string } }).attributes.friendly_name,
    );
    expect(names).toEqual(["Espresso", "Espresso Power", "Espresso Energy"]);
    const before = client.frames.length;
    await client.command({ type: "config/device_registry/update", device_id: device?.id, name_by_user: "Espresso" });
    await settled(client);
    expect(client.frames.length - before).toBe(2);
    expect(
      (await client.command({ type: "config/device_registry/update", device_id: "none", name_by_user: "x" })).error
        ?.code,
    ).toBe("not_allowed");
    await home.stop();
    const again = await signedIn(await testHome({ data }));
    const kept = rows(await again.command(list("device"))).find((one) => one.id === device?.id);
    expect(kept).toMatchObject({ name_by_user: "Espresso", area_id: "study" });
  });

  it("make and delete areas, floors and labels", async () => {
    const client = await signedIn(await testHome());
    await client.command({ type: "subscribe_events", event_type: "area_registry_updated" });
    expect(
      (await client.command({ type: "config/area_registry/create", name: "Boiler room", floor_id: "ground_floor" }))
        .result,
    ).toMatchObject({ area_id: "boiler_room", floor_id: "ground_floor" });
    expect((await client.command({ type: "config/area_registry/create", name: "Boiler room" })).error?.code).toBe(
      "invalid_info",
    );
    expect((await client.command({ type: "config/area_registry/delete", area_id: "boiler_room" })).result).toBe(
      "success",
    );
    await settled(client);
    const actions = client.frames.filter((frame) => frame.type === "event").map((frame) => frame.event?.data.action);
    expect(actions).toEqual(["create", "remove"]);
  });
});
