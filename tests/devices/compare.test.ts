import { describe, expect, it } from "vitest";
import { createMemoryConflictStore } from "../../lib/adapters/memory/conflicts.ts";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { compareDevices, findConflicts } from "../../lib/devices/compare.ts";
import { parseConflictRules } from "../../lib/devices/conflicts.ts";
import { parseRows } from "../../lib/devices/parse.ts";
import type { Device, RevisionChanges } from "../../lib/devices/ports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { bridgeDevices, LAMP } from "../support/zigbee.ts";

const clock = manualClock();
const capabilities = parseRows("capabilities", bridgeDevices);
const options = (rules = "ask") => ({ rules: parseConflictRules(rules), clock });

const modelOf = (model: string | undefined) => (model === undefined ? {} : { model });

/** Each device as Zigbee2MQTT's discovery gives it to Home Assistant. */
const discovered = (model: (row: (typeof capabilities)[number]) => string | undefined): Device[] =>
  capabilities.map((row) => ({
    deviceId: `ha-${row.ieeeAddress}`,
    name: row.friendlyName,
    ...(row.vendor !== undefined && { manufacturer: row.vendor }),
    ...modelOf(model(row)),
    labels: [],
    identifiers: [["mqtt", `zigbee2mqtt_${row.ieeeAddress}`]],
    connections: [],
  }));
const lamp = (more: Partial<Device>): Device[] =>
  discovered(({ description }) => description).flatMap((row) =>
    row.deviceId === `ha-${LAMP}` ? [{ ...row, ...more }] : [],
  );

describe("Home Assistant and Zigbee2MQTT", () => {
  it.each([
    ["1.42 and later", ({ description }: { description?: string }) => description],
    [
      "before 1.42",
      (row: { description?: string; model?: string }) => row.model && `${row.description} (${row.model})`,
    ],
    ["by its model alone", ({ model }: { model?: string }) => model],
  ])("do not disagree about what discovery gave, %s", (_, model) => {
    expect(findConflicts({ devices: discovered(model), capabilities, history: [] }, options())).toEqual({
      devices: capabilities.length,
      conflicts: [],
    });
  });

  it("disagree about a name, a manufacturer, a model", () => {
    const devices = lamp({ name: "Ceiling", manufacturer: "Signify", model: "Hue" });
    const { conflicts } = findConflicts({ devices, capabilities, history: [] }, options());
    expect(conflicts.map(({ field, new: fresh, old }) => [field, fresh, old])).toEqual([
      ["name", "Ceiling", "kitchen/ceiling"],
      ["manufacturer", "Signify", "IKEA"],
      ["model", "Hue", "LED2003G10"],
    ]);
    // What the device itself says of its maker is a way to write it.
    const own = lamp({ manufacturer: "IKEA of Sweden" });
    expect(findConflicts({ devices: own, capabilities, history: [] }, options()).conflicts).toEqual([]);
  });

  it("do not disagree about a name that nobody gave, nor about devices that only one of them has", () => {
    const unnamed = { ...lamp({ name: "Valve" })[0], deviceId: "v" } as Device;
    const nameless = { ...unnamed, identifiers: [["mqtt", "zigbee2mqtt_0xa4c138b1d2e3f405"]] };
    const { devices, conflicts } = findConflicts({ devices: [nameless], capabilities, history: [] }, options());
    expect([devices, conflicts.map(({ field }) => field)]).toEqual([1, ["manufacturer", "model"]]);
    const others = [{ ...unnamed, identifiers: [["hue", LAMP]] }];
    expect(findConflicts({ devices: others, capabilities, history: [] }, options())).toEqual({
      devices: 0,
      conflicts: [],
    });
  });

  it("are settled by what the history says of when each changed", () => {
    const changed = (
      registry: "devices" | "capabilities",
      revision: number,
      id: string,
      field: string,
    ): RevisionChanges => ({
      registry,
      revision,
      from: 0,
      omitted: 0,
      changes: [{ registry, kind: "changed", id, fields: [{ field }] }],
    });
    const ours = changed("devices", 5_000, `ha-${LAMP}`, "name");
    const theirs = changed("capabilities", 9_000, LAMP, "friendlyName");
    const chosen = (history: readonly RevisionChanges[]) =>
      findConflicts({ devices: lamp({ name: "Ceiling" }), capabilities, history }, options("newest-wins")).conflicts[0];
    expect(chosen([ours, theirs])).toMatchObject({
      chosen: "old",
      reason: "zigbee2mqtt changed last, 1970-01-01T00:00:09.000Z",
    });
    expect(chosen([ours])?.chosen).toBe("new");
    expect(chosen([])?.chosen).toBe("new");
  });
});

describe("a comparison", () => {
  it("that is overtaken by another does not leave what it found in older rows", async () => {
    const memory = createMemoryDeviceIndex(clock);
    const conflicts = createMemoryConflictStore();
    const whole = { part: 1, parts: 1 };
    const devices = (revision: number, name: string) =>
      memory.applyRegistry("home", { ...whole, revision, registry: "devices", rows: lamp({ name }) });
    await memory.applyRegistry("home", { ...whole, revision: 1, registry: "capabilities", rows: capabilities });
    await devices(1, "Ceiling");
    const fast = { ...options("ask"), index: memory, conflicts };
    const names = async () =>
      (await conflicts.list("home", { limit: 10, nowMs: 0 })).conflicts.map(({ new: name, status }) => [name, status]);
    let meanwhile = async () => {
      await devices(2, "Attic");
      await compareDevices("home", fast);
      expect(await names()).toEqual([["Attic", "open"]]);
    };
    // The slow one has read the lists of revision 1 when the fast one comes and goes.
    const slow = {
      ...fast,
      conflicts: {
        note: async (...given: Parameters<typeof conflicts.note>) => {
          const first = meanwhile;
          meanwhile = async () => {};
          await first();
          return conflicts.note(...given);
        },
      },
    };
    await compareDevices("home", slow);
    expect(await names()).toEqual([["Attic", "open"]]);
    // Open for ever, until the device is gone.
    await memory.applyRegistry("home", { ...whole, revision: 3, registry: "devices", rows: [] });
    await compareDevices("home", fast);
    expect(await names()).toEqual([["Attic", "over"]]);
  });

  it("notes what it finds, ends what it finds no more, and costs a home without Zigbee2MQTT next to nothing", async () => {
    const memory = createMemoryDeviceIndex(clock);
    const conflicts = createMemoryConflictStore();
    const lists: string[] = [];
    const index: Parameters<typeof compareDevices>[1]["index"] = {
      history: memory.history,
      revisions: memory.revisions,
      list: (homeId, registry) => {
        lists.push(registry);
        return memory.list(homeId, registry);
      },
    };
    const ports = { ...options("new-wins"), index, conflicts };
    const nothing = { devices: 0, added: 0, unchanged: 0, over: 0, dropped: 0, open: 0, settled: 0 };
    expect(await compareDevices("home", ports)).toEqual({ ...nothing, operations: 0, durationMs: 0 });
    expect(lists).toEqual(["capabilities"]);
    const whole = { revision: 1, part: 1, parts: 1 };
    await memory.applyRegistry("home", { ...whole, registry: "capabilities", rows: capabilities });
    await memory.applyRegistry("home", { ...whole, registry: "devices", rows: lamp({ name: "Ceiling" }) });
    expect(await compareDevices("home", ports)).toMatchObject({ devices: 1, added: 1, settled: 1, operations: 2 });
    await memory.applyRegistry("home", { ...whole, revision: 2, registry: "devices", rows: lamp({}) });
    expect(await compareDevices("home", ports)).toMatchObject({ devices: 1, over: 1, settled: 0 });
    await memory.applyRegistry("home", { ...whole, revision: 3, registry: "devices", rows: lamp({ name: "Ceiling" }) });
    expect(await compareDevices("home", ports)).toMatchObject({ added: 1, over: 0 });
  });
});
