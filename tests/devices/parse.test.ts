import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRegistryRows, type RawRow } from "../../lib/devices/index.ts";
import { REGISTRIES } from "../../lib/event/index.ts";
import { HA_VERSIONS, recordedLists, recordedRegistry } from "./registries.ts";

const find = <T extends object>(rows: readonly T[], key: keyof T, value: unknown) =>
  rows.find((row) => row[key] === value);

it("is the same row in whatever order Home Assistant lists its sets", () => {
  const sets = {
    labels: ["b", "a", "c"],
    identifiers: [
      ["mqtt", "2"],
      ["hue", "1"],
    ],
    connections: [
      ["mac", "02:00"],
      ["bluetooth", "01:00"],
    ],
    config_entries: ["second", "first"],
  };
  const other = Object.fromEntries(Object.entries(sets).map(([name, all]) => [name, all.toReversed()]));
  const [one, two] = [sets, other].map((more) => parseRegistryRows("devices", [{ id: "d", ...more }]));
  expect(one).toEqual(two);
  expect(one?.[0]).toMatchObject({ labels: ["a", "b", "c"], configEntryId: "first" });
});

describe("rows as recorded", () => {
  it.each(HA_VERSIONS)("of %s are all read", (version) => {
    for (const registry of REGISTRIES) {
      const rows = recordedRegistry(version, registry);
      expect(parseRegistryRows(registry, rows)).toHaveLength(rows.length);
    }
    expect(recordedRegistry(version, "devices").length).toBeGreaterThan(2);
    expect(recordedRegistry(version, "entities").length).toBeGreaterThan(2);
  });

  it("of 2024.3.3: no labels, no floors, no subentries", () => {
    expect(parseRegistryRows("areas", recordedRegistry("2024.3.3", "areas"))[0]).toEqual({
      areaId: "living_room",
      name: "Living Room",
      labels: [],
    });
    expect(
      find(parseRegistryRows("devices", recordedRegistry("2024.3.3", "devices")), "name", "Outside Humidity"),
    ).toEqual({
      deviceId: "8eabaaf7372ec380618e440870f81b98",
      name: "Outside Humidity",
      configEntryId: "2d10dee1dc9a95b2cf2575f715c1ad6c",
      labels: [],
      identifiers: [["demo", "sensor_2"]],
      connections: [],
    });
    expect(parseRegistryRows("entities", recordedRegistry("2024.3.3", "entities"))[0]).toEqual({
      entityId: "input_button.relay_button",
      name: "Relay button",
      platform: "input_button",
      uniqueId: "relay_button",
      labels: [],
    });
  });

  it("of 2026.11.0: floors, labels, the user's names", () => {
    expect(find(parseRegistryRows("areas", recordedRegistry("2026.11.0", "areas")), "areaId", "boiler_room")).toEqual({
      areaId: "boiler_room",
      name: "Boiler room",
      floorId: "ground_floor",
      labels: ["relay_tested"],
    });
    expect(parseRegistryRows("floors", recordedRegistry("2026.11.0", "floors"))).toEqual([
      { floorId: "ground_floor", name: "Ground floor", level: 0 },
    ]);
    expect(parseRegistryRows("labels", recordedRegistry("2026.11.0", "labels"))).toEqual([
      { labelId: "relay_tested", name: "Relay tested" },
    ]);
    const devices = parseRegistryRows("devices", recordedRegistry("2026.11.0", "devices"));
    expect(devices.map(({ name }) => name)).toContain("Outside, north side");
    const lamp = find(
      parseRegistryRows("entities", recordedRegistry("2026.11.0", "entities")),
      "entityId",
      "light.bed_light",
    );
    expect(lamp).toMatchObject({
      name: "Bed lamp",
      nameFollows: "device",
      areaId: "boiler_room",
      labels: ["relay_tested"],
    });
  });

  it("of child devices: most keys are absent", () => {
    const [devices = []] = recordedLists("2026.11.0", "31-child-devices").map((rows) =>
      parseRegistryRows("devices", rows),
    );
    expect(find(devices, "name", "Socket 1")).toEqual({
      deviceId: "c7215681403bdde255fd56adec56b482",
      name: "Socket 1",
      nameFollows: "parent",
      parentDeviceId: "9454b292033bff4b9381ba5dc0308fef",
      configEntryId: "01M80WWHSBSPMCMCZ32G93NBKS",
      labels: [],
      identifiers: [["mqtt", "relay_strip_1"]],
      connections: [],
    });
  });
});

describe("rows of any kind", () => {
  it("without their id, or with an impossible one, are left out alone", () => {
    const rows: RawRow[] = [
      {},
      { entity_id: null },
      { entity_id: "none" },
      { entity_id: `a.${"b".repeat(300)}` },
      { entity_id: "a.b", aliases: null },
    ];
    expect(parseRegistryRows("entities", rows)).toEqual([{ entityId: "a.b", labels: [] }]);
    expect(parseRegistryRows("areas", [{ name: "x" }])).toEqual([]);
    expect(parseRegistryRows("floors", [{ floor_id: 7 }])).toEqual([]);
    expect(parseRegistryRows("labels", [{ label_id: "" }])).toEqual([]);
    expect(parseRegistryRows("devices", [{ id: ["x"] }])).toEqual([]);
  });

  it("take the user's name first, then the integration's, then what there is", () => {
    const names = (row: RawRow) => parseRegistryRows("devices", [{ id: "d", ...row }])[0]?.name;
    expect(names({ name_by_user: "Mine", name: "Theirs", model: "M" })).toBe("Mine");
    expect(names({ name_by_user: null, name: "Theirs", model: "M" })).toBe("Theirs");
    expect(names({ name: "", model: "M" })).toBe("M");
    expect(names({})).toBe("d");
  });

  it("take the configuration entry where the version has it, and identifiers that hold numbers", () => {
    const device = (row: RawRow) => parseRegistryRows("devices", [{ id: "d", ...row }])[0];
    expect(device({ config_entries: ["a"], config_entry_id: "b", primary_config_entry: "c" })?.configEntryId).toBe("b");
    expect(device({ config_entries: ["a"], primary_config_entry: "c" })?.configEntryId).toBe("c");
    expect(device({ config_entries: ["a"] })?.configEntryId).toBe("a");
    expect(device({ identifiers: [["hue", 7], "broken"], connections: "none" })).toMatchObject({
      identifiers: [["hue", "7"]],
      connections: [],
    });
  });

  it("never throw, whatever they hold", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...REGISTRIES),
        fc.array(
          fc.dictionary(
            fc.constantFrom(
              "id",
              "area_id",
              "entity_id",
              "floor_id",
              "label_id",
              "name",
              "labels",
              "identifiers",
              "level",
              "config_entries",
              "parent_device_id",
            ),
            fc.anything(),
          ),
        ),
        (registry, rows) => {
          expect(parseRegistryRows(registry, rows).length).toBeLessThanOrEqual(rows.length);
        },
      ),
    );
  });
});
