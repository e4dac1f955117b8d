import { describe, expect, it } from "vitest";
import { parseConflictRules } from "../../../lib/devices/index.ts";
import { type DeviceMemory, emptyDeviceMemory, readDeviceMemory } from "../../../lib/migration/devices/memory.ts";
import { syncDevices } from "../../../lib/migration/devices/sync.ts";
import type { OldDevice } from "../../../lib/migration/ports.ts";
import { device, fakeHome, HOME } from "./fakes.ts";

type Home = Awaited<ReturnType<typeof fakeHome>>;

const syncer = (home: Home, rules = "new-wins") => {
  let memory: DeviceMemory = emptyDeviceMemory;
  return async ({ isComplete = false, signal = new AbortController().signal } = {}) => {
    const done = await syncDevices(HOME, home.ports, { rules: parseConflictRules(rules), memory, isComplete, signal });
    // As the store gives it back.
    memory = readDeviceMemory(JSON.parse(JSON.stringify(done.memory)));
    expect(memory).toEqual(done.memory);
    return done.run;
  };
};

const LAMP = device({ deviceId: "d1", name: "Lamp", manufacturer: "IKEA", model: "LED1", labels: ["a"] });
const rowsOf = ({ old }: Home) => old.rows.toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe("Devices of both lists", () => {
  it("are created in OLD where it lacks them, once, with all that NEW knows", async () => {
    const home = await fakeHome({
      devices: [{ ...LAMP, areaId: "k", swVersion: "1.2" }],
      areas: [{ areaId: "k", name: "Kitchen", labels: [] }],
    });
    const sync = syncer(home);
    expect(await sync()).toMatchObject({ created: 1, updated: 0, isUnchanged: false });
    expect(home.old.rows).toEqual([
      { id: "d1", name: "Lamp", manufacturer: "IKEA", model: "LED1", swVersion: "1.2", area: "Kitchen", labels: ["a"] },
    ]);
    expect(await sync()).toMatchObject({ isUnchanged: true, created: 0, updated: 0 });
    expect(await sync({ isComplete: true })).toMatchObject({ isUnchanged: false, created: 0, updated: 0 });
    expect(home.old.puts).toHaveLength(1);
    expect(await home.allConflicts()).toEqual([]);
  });

  it.each([
    ["new-wins", "Lamp", "over", "new"],
    ["old-wins", "Lampe", "settled", "old"],
    ["merge", "Lamp", "over", "new"],
    ["newest-wins", "Lampe", "settled", "old"],
    ["ask", "Lampe", "open", undefined],
    ["new-wins,name:old-wins", "Lampe", "settled", "old"],
  ])(
    "with two names and %s: OLD has %s, and the conflict is recorded once and %s",
    async (rules, name, status, chosen) => {
      const old = [{ id: "d1", name: "Lampe", manufacturer: "ikea ", model: "LED1", labels: ["a"], changedAtMs: 1 }];
      const home = await fakeHome({ devices: [LAMP], old });
      const sync = syncer(home, rules);
      for (const _ of [1, 2, 3]) await sync();
      expect(home.old.rows[0]?.name).toBe(name);
      // Another way to write it is no difference: nobody's spelling is touched.
      expect(home.old.rows[0]?.manufacturer).toBe("ikea ");
      const conflicts = await home.allConflicts();
      expect(conflicts).toHaveLength(1);
      expect(conflicts[0]).toMatchObject({ subjectId: "d1", field: "name", status, new: "Lamp", old: "Lampe" });
      expect(conflicts[0]?.chosen).toBe(chosen);
      expect(conflicts[0]?.reason).not.toBe("");
      expect(conflicts[0]?.cost.operations).toBeGreaterThan(0);
      expect(await sync()).toMatchObject({ isUnchanged: true });
    },
  );

  it("keep what only OLD knows: it stays there, and holds in NEW where the strategy says so", async () => {
    const old = [{ id: "d1", name: "Lamp", manufacturer: "IKEA", model: "LED1", area: "Attic", labels: ["a"] }];
    for (const [rules, held] of [
      ["new-wins", []],
      ["merge", [["area", "", "Attic", "old"]]],
    ] as const) {
      const home = await fakeHome({ devices: [LAMP], old });
      const run = await syncer(home, rules)();
      expect(home.old.rows).toEqual(old);
      expect(run.keptInOld).toBe(held.length === 0 ? 1 : 0);
      const conflicts = await home.allConflicts();
      expect(conflicts.map((one) => [one.field, one.new, one.old, one.chosen])).toEqual(held);
    }
  });

  it("merge labels; the union is written once and the conflict keeps what was found", async () => {
    const home = await fakeHome({ devices: [LAMP], old: [{ id: "d1", name: "Lamp", labels: ["b"] }] });
    const sync = syncer(home, "merge");
    await sync();
    const first = await home.allConflicts();
    expect(home.old.rows[0]?.labels).toEqual(["a", "b"]);
    await sync();
    await sync({ isComplete: true });
    expect(await home.allConflicts()).toEqual(first);
    expect(first).toMatchObject([{ field: "labels", new: ["a"], old: ["b"], chosen: "both" }]);
    expect(home.old.puts).toHaveLength(1);
  });

  it("do what a person answers, and do not ask again", async () => {
    const home = await fakeHome({ devices: [LAMP], old: [{ id: "d1", name: "Lampe", labels: ["b"] }] });
    const sync = syncer(home, "ask");
    await sync();
    expect(home.old.rows[0]).toMatchObject({ name: "Lampe", labels: ["b"], manufacturer: "IKEA" });
    for (const { id, field } of await home.allConflicts())
      await home.conflicts.settle(HOME, id, { chosen: field === "labels" ? "both" : "new", atMs: 5 });
    expect(await sync()).toMatchObject({ isUnchanged: false, updated: 1 });
    expect(home.old.rows[0]).toMatchObject({ name: "Lamp", labels: ["a", "b"] });
    for (const _ of [1, 2, 3]) await sync({ isComplete: true });
    const open = (await home.allConflicts()).filter(({ status }) => status === "open");
    expect(open).toEqual([]);
  });

  it("newest wins by who changed it: that we wrote OLD's row is no word of OLD's", async () => {
    const home = await fakeHome({ devices: [LAMP], old: [{ id: "d1", name: "Lamp" }] });
    home.old.keeps = (row) => ({ ...row, changedAtMs: home.clock.nowMs() + 1e9 });
    const sync = syncer(home, "newest-wins");
    await sync();
    await home.put("devices", [{ ...LAMP, name: "Lamp 2" }]);
    await sync();
    expect(home.old.rows[0]?.name).toBe("Lamp 2");
    // A person changes OLD's, later.
    await home.clock.advance(1e7);
    home.old.rows = home.old.rows.map((row) => ({ ...row, name: "By hand", changedAtMs: home.clock.nowMs() }));
    for (const _ of [1, 2, 3]) await sync();
    expect(home.old.rows[0]?.name).toBe("By hand");
    expect(await home.allConflicts()).toMatchObject([{ field: "name", chosen: "old", status: "settled" }]);
  });

  it("killed in the middle and run again does nothing twice", async () => {
    const devices = Array.from({ length: 450 }, (_, i) =>
      device({ deviceId: `d${i}`, name: `Device ${i}`, model: "M" }),
    );
    const home = await fakeHome({ devices });
    home.old.diesAt = 3;
    await expect(syncer(home)()).rejects.toThrow("killed");
    expect(home.old.rows).toHaveLength(200);
    home.old.diesAt = undefined;
    expect(await syncer(home)()).toMatchObject({ created: 250, left: 0 });
    expect(home.old.rows).toHaveLength(450);
    expect(new Set(home.old.rows.map(({ id }) => id)).size).toBe(450);
    expect(home.old.puts.flat()).toHaveLength(450);
  });

  it("records conflicts before it writes, so that none is lost", async () => {
    const home = await fakeHome({ devices: [LAMP], old: [{ id: "d1", name: "Lampe" }] });
    home.old.diesAt = 1;
    await expect(syncer(home)()).rejects.toThrow("killed");
    expect(await home.allConflicts()).toMatchObject([{ field: "name", old: "Lampe", chosen: "new" }]);
  });

  it("name rows that OLD refuses, and do not try them at every step", async () => {
    const home = await fakeHome({ devices: [LAMP, device({ deviceId: "d2", name: "x".repeat(300) })] });
    home.old.refuses = ({ name = "" }) => (name.length > 255 ? "name too long" : undefined);
    const sync = syncer(home);
    expect(await sync()).toMatchObject({ created: 1, refused: [{ id: "d2", reason: "name too long", isKept: true }] });
    expect(await sync()).toMatchObject({ isUnchanged: true });
    expect(home.old.puts).toHaveLength(1);
    await sync({ isComplete: true });
    expect(home.old.puts).toHaveLength(2);
    await home.put("devices", [LAMP, device({ deviceId: "d2", name: "short" })]);
    expect(await sync()).toMatchObject({ created: 1, refused: [] });
    expect(rowsOf(home).map(({ name }) => name)).toEqual(["Lamp", "short"]);
  });

  it("find out what OLD takes and keeps otherwise, and for what it has no place", async () => {
    const cut = await fakeHome({ devices: [device({ deviceId: "d1", name: "A very long name" })] });
    cut.old.keeps = (row) => ({ ...row, name: (row.name ?? "").slice(0, 6) });
    expect(await syncer(cut)()).toMatchObject({ refused: [{ id: "d1", isKept: false }] });

    const home = await fakeHome({ devices: [LAMP] });
    home.old.keeps = ({ labels: _, ...row }) => row;
    const sync = syncer(home);
    expect(await sync()).toMatchObject({ created: 1, refused: [] });
    expect(await sync()).toMatchObject({ isUnchanged: true });
  });

  it("are 5,000 in one list, in runs of bounded length", async () => {
    const devices = Array.from({ length: 5_000 }, (_, i) =>
      device({ deviceId: `d${i}`, name: `Device ${i}`, model: "M" }),
    );
    const old = devices.slice(0, 2_000).map(({ deviceId: id, name }): OldDevice => ({ id, name }));
    const home = await fakeHome({ devices, old });
    const sync = syncer(home);
    const runs = [];
    for (let run = await sync({ isComplete: true }); ; run = await sync()) {
      runs.push(run);
      if (run.left === 0) break;
    }
    expect(runs.map(({ created, updated }) => created + updated)).toEqual(Array.from({ length: 5 }, () => 1_000));
    expect(home.old.puts.every((rows) => rows.length <= 100)).toBe(true);
    expect(home.old.rows).toHaveLength(5_000);
    expect(await sync()).toMatchObject({ isUnchanged: true });
  });

  it("a thousand rows that OLD refuses do not keep the others waiting", async () => {
    const devices = Array.from({ length: 1_500 }, (_, i) =>
      device({ deviceId: `d${i}`, name: `Device ${i}`, model: "M" }),
    );
    const home = await fakeHome({ devices });
    home.old.refuses = ({ id }) => (Number(id.slice(1)) < 1_200 ? "no" : undefined);
    const sync = syncer(home);
    for (const _ of [1, 2, 3, 4]) await sync();
    expect(home.old.rows).toHaveLength(300);
  });
});
