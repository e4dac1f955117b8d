import { describe, expect, it } from "vitest";
import { boundChanges, diffRows } from "../../lib/devices/diff.ts";
import { parseRegistryRows, parseRows } from "../../lib/devices/parse.ts";
import type { Device, Entity, RowChange } from "../../lib/devices/ports.ts";
import { cpuTimer } from "../support/cpu.ts";
import { bridgeDevices } from "../support/zigbee.ts";
import { recordedLists } from "./registries.ts";

const device = (deviceId: string, more: Partial<Device> = {}): Device => ({
  deviceId,
  name: `The ${deviceId}`,
  labels: [],
  identifiers: [["demo", deviceId]],
  connections: [],
  ...more,
});
const entity = (entityId: string, more: Partial<Entity> = {}): Entity => ({
  entityId,
  platform: "mqtt",
  uniqueId: entityId,
  labels: [],
  ...more,
});
const brief = (changes: readonly RowChange[]) =>
  changes.map(({ kind, id, before, into }) => [kind, id, ...(before ? [before] : []), ...(into ? [into] : [])]);

describe("what changed between two revisions of a registry", () => {
  it("is nothing where rows are as they were, in whatever order", () => {
    const [a, b] = [device("a"), device("b")];
    expect(diffRows("devices", [a, b], [b, { ...a }])).toEqual([]);
    expect(diffRows("labels", [], [])).toEqual([]);
  });

  it("names each row once, and each member from and to", () => {
    const changes = diffRows(
      "areas",
      [
        { areaId: "attic", name: "Attic", labels: ["cold"] },
        { areaId: "bath", name: "Bath", labels: [] },
        { areaId: "hall", name: "Hall", labels: [] },
      ],
      [
        { areaId: "attic", name: "Loft", labels: ["cold", "dark"] },
        { areaId: "hall", name: "Hall", floorId: "ground", labels: [] },
        { areaId: "shed", name: "Shed", labels: [] },
      ],
    );
    expect(changes).toEqual([
      { registry: "areas", kind: "moved", id: "hall", name: "Hall", fields: [{ field: "floorId", to: "ground" }] },
      { registry: "areas", kind: "removed", id: "bath", name: "Bath", fields: [] },
      { registry: "areas", kind: "added", id: "shed", name: "Shed", fields: [] },
      {
        registry: "areas",
        kind: "changed",
        id: "attic",
        name: "Loft",
        fields: [
          { field: "name", from: "Attic", to: "Loft" },
          { field: "labels", from: ["cold"], to: ["cold", "dark"] },
        ],
      },
    ]);
  });

  it("knows an entity under another id by its domain, platform and unique id", () => {
    const before = [entity("light.a", { uniqueId: "1" }), entity("light.b", { uniqueId: "2", areaId: "attic" })];
    const after = [entity("light.bed", { uniqueId: "1" }), entity("light.b", { uniqueId: "2", areaId: "bath" })];
    expect(diffRows("entities", before, after)).toEqual([
      { registry: "entities", kind: "renamed", id: "light.bed", before: "light.a", fields: [] },
      {
        registry: "entities",
        kind: "moved",
        id: "light.b",
        fields: [{ field: "areaId", from: "attic", to: "bath" }],
      },
    ]);
  });

  it("sees through two entities that exchange their ids, and one that has the same id by another integration", () => {
    const [one, two] = [{ uniqueId: "1" }, { uniqueId: "2" }];
    const swapped = diffRows(
      "entities",
      [entity("light.a", one), entity("light.b", two)],
      [entity("light.a", two), entity("light.b", one)],
    );
    expect(brief(swapped)).toEqual([
      ["renamed", "light.a", "light.b"],
      ["renamed", "light.b", "light.a"],
    ]);
    const [replaced] = diffRows("entities", [entity("light.a")], [entity("light.a", { platform: "hue" })]);
    expect(replaced).toMatchObject({ kind: "changed", fields: [{ field: "platform", from: "mqtt", to: "hue" }] });
    expect(brief(diffRows("entities", [entity("sensor.a", one)], [entity("light.a", one)]))).toEqual([
      ["removed", "sensor.a"],
      ["added", "light.a"],
    ]);
  });

  it("tells a device that Home Assistant 2026.8 split as one change, by a recording of it", () => {
    const [after] = recordedLists("2026.11.0", "29-list-composite-splits")
      .filter((rows) => rows.some(({ connections }) => connections !== undefined))
      .map((rows) => parseRegistryRows("devices", rows));
    const [first] = after ?? [];
    if (!after || !first) throw new Error("the recording holds no devices");
    const before = [{ ...first, deviceId: "4f4d3be5b50dc9e06ce1717e212a8318" }];
    expect(diffRows("devices", before, after)).toEqual([
      {
        registry: "devices",
        kind: "split",
        id: "4f4d3be5b50dc9e06ce1717e212a8318",
        name: "Boiler in the cellar",
        into: ["679d8ef51c91ed08532d5ec565a37fe1", "fee7c00348bca2a90fd2ec4211091542"],
        fields: [],
      },
    ]);
  });

  it("tells child devices of a device that was there as one change, by a recording of them", () => {
    const [after] = recordedLists("2026.11.0", "31-child-devices").map((rows) => parseRegistryRows("devices", rows));
    if (!after) throw new Error("the recording holds no devices");
    const before = after.filter(({ parentDeviceId }) => parentDeviceId === undefined);
    expect(diffRows("devices", before, after)).toEqual([
      {
        registry: "devices",
        kind: "branched",
        id: "9454b292033bff4b9381ba5dc0308fef",
        name: "Relay power strip",
        into: ["c7215681403bdde255fd56adec56b482", "8fd5d042d0f98baa0e6d927e0e55163b"],
        fields: [],
      },
    ]);
    // A strip that is new with its sockets has not branched.
    expect(brief(diffRows("devices", [], after)).map(([kind]) => kind)).toEqual(["added", "added", "added"]);
  });

  it("tells a device under another id as replaced, one that gets a parent as moved, and joins two into one", () => {
    const old = device("old", { identifiers: [["zha", "00:11"]], areaId: "attic" });
    const again = device("again", { identifiers: [["zha", "00:11"]] });
    expect(diffRows("devices", [old, device("plug")], [device("plug", { parentDeviceId: "again" }), again])).toEqual([
      {
        registry: "devices",
        kind: "replaced",
        id: "again",
        name: "The again",
        before: "old",
        fields: [
          { field: "name", from: "The old", to: "The again" },
          { field: "areaId", from: "attic" },
        ],
      },
      {
        registry: "devices",
        kind: "moved",
        id: "plug",
        name: "The plug",
        fields: [{ field: "parentDeviceId", to: "again" }],
      },
    ]);
    const both = device("both", {
      identifiers: [
        ["demo", "a"],
        ["demo", "b"],
      ],
    });
    expect(brief(diffRows("devices", [device("a"), device("b")], [both]))).toEqual([
      ["replaced", "both", "a"],
      ["replaced", "both", "b"],
    ]);
  });

  it("of features names only those that differ", () => {
    const [, lamp] = parseRows("capabilities", bridgeDevices);
    if (!lamp) throw new Error("no lamp");
    const features = lamp.features.map((one) => (one.name === "brightness" ? { ...one, max: 255 } : one)).slice(1);
    const [change] = diffRows("capabilities", [lamp], [{ ...lamp, features }]);
    expect(change?.fields).toEqual([
      { field: "features", from: [lamp.features[0]?.name, "brightness"], to: ["brightness"] },
    ]);
  });

  it("leaves a change that is too large by itself out alone", () => {
    const before = [device("parent"), device("gone")];
    const children = Array.from({ length: 12_000 }, (_, at) =>
      device(`a child with a long id, number ${at}`, { parentDeviceId: "parent" }),
    );
    const { changes, omitted } = boundChanges(diffRows("devices", before, [device("parent"), ...children]));
    expect([brief(changes), omitted]).toEqual([[["removed", "gone"]], 1]);
  });

  it("finds 20,000 devices again that all got other ids, in seconds", () => {
    const rows = (prefix: string) =>
      Array.from({ length: 20_000 }, (_, at) =>
        device(`${prefix}${at}`, { name: "", identifiers: [["demo", `n${at}`]], connections: [["mac", `m${at}`]] }),
      );
    const cpuMs = cpuTimer();
    const changes = diffRows("devices", rows("old"), rows("new"));
    expect(changes).toHaveLength(20_000);
    expect(changes.every(({ kind, id, before }) => kind === "replaced" && id.slice(3) === before?.slice(3))).toBe(true);
    // What all have in common marks none.
    const alike = (prefix: string) => rows(prefix).map((row) => ({ ...row, identifiers: [[]], connections: [] }));
    expect(diffRows("devices", alike("old"), alike("new"))).toHaveLength(40_000);
    expect(cpuMs()).toBeLessThan(10_000);
  });

  it("is bounded, the most telling first, and says how much was left out", () => {
    const before = Array.from({ length: 3_000 }, (_, at) => device(`d${at}`));
    const after = before.slice(1).map((row) => ({ ...row, swVersion: "2" }));
    const { changes, omitted } = boundChanges(diffRows("devices", before, after));
    expect(changes).toHaveLength(2_000);
    expect(omitted).toBe(1_000);
    expect(changes[0]).toMatchObject({ kind: "removed", id: "d0" });
    const long = before.map((row) => ({ ...row, name: "x".repeat(5_000), model: "y".repeat(5_000) }));
    const bounded = boundChanges(diffRows("devices", before, long));
    expect(Buffer.byteLength(JSON.stringify(bounded.changes))).toBeLessThanOrEqual(380_000);
    expect(bounded.changes.length + bounded.omitted).toBe(3_000);
  });
});
