import { beforeEach, describe, expect, it } from "vitest";
import { parseIsoUs } from "../../lib/base/time.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { AT_US, disagree, furnish } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  await disagree(api);
});

interface Change {
  readonly at: string;
  readonly kind: string;
  readonly id: string;
  readonly fields: readonly object[];
}
interface Body {
  readonly changes: readonly Change[];
  readonly conflicts: readonly { readonly id: string; readonly field: string; readonly status: string }[];
  readonly next: string | null;
}
const get = async (path: string, token?: string) => {
  const response = await api.ask(`/api/v1${path}`, token === undefined ? {} : { token });
  return { status: response.status, body: (await response.json()) as Body & Record<string, unknown> };
};
const apply = async (revision: number, registry: "areas" | "labels", names: readonly string[]) => {
  const rows = names.map((name) => ({ areaId: name, labelId: name, name, labels: [] }));
  await api.index.applyRegistry("home", { registry, revision, part: 1, parts: 1, rows });
};

describe("the history of a device", () => {
  it("tells what changed, from and to, and when", async () => {
    const { status, body } = await get("/devices/ha-lamp/history");
    expect(status).toBe(200);
    expect(body).toMatchObject({ device_id: "ha-lamp", next: null });
    expect(body.changes).toEqual([
      {
        at: expect.any(String),
        registry: "devices",
        kind: "changed",
        id: "ha-lamp",
        name: "Ceiling light",
        fields: [
          { field: "name", from: "Ceiling", to: "Ceiling light" },
          { field: "model", from: "LED2003G10", to: "A lamp" },
        ],
      },
    ]);
    expect(parseIsoUs(body.changes[0]?.at ?? "") / 1000).toBe(AT_US / 1000 - 1_000);
  });

  it("is empty of a device that never changed, 404 of one that never was, and nobody else's", async () => {
    await furnish(api);
    expect(await get("/devices/none/history")).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await get("/devices/ha-lamp/history", tokenText("other"))).toMatchObject({ status: 404 });
    const fresh = await createTestApi({ clock: manualClock() });
    await furnish(fresh);
    const answer = await fresh.ask("/api/v1/devices/plug/history");
    expect(await answer.json()).toEqual({ device_id: "plug", changes: [], next: null });
  });

  it("is answered for an id that a split has ended", async () => {
    const device = { name: "Boiler", labels: [], identifiers: [["mqtt", "b"]], connections: [] };
    const rows = (...ids: readonly string[]) => ids.map((deviceId) => ({ ...device, deviceId }));
    const whole = { registry: "devices", part: 1, parts: 1 } as const;
    await api.index.applyRegistry("home", { ...whole, revision: AT_US / 1000 + 1, rows: rows("old") });
    await api.index.applyRegistry("home", { ...whole, revision: AT_US / 1000 + 2, rows: rows("left", "right") });
    expect((await get("/devices/old")).status).toBe(404);
    const split = { kind: "split", id: "old", into: ["left", "right"] };
    for (const id of ["old", "left"])
      expect((await get(`/devices/${id}/history`)).body.changes).toMatchObject([split, { kind: "added", id: "old" }]);
  });
});

describe("the changes of the index", () => {
  it("are of every registry, newest first, in pages that stay right while more come", async () => {
    const now = AT_US / 1000;
    await apply(now, "areas", []);
    await apply(now + 1, "areas", ["a", "b", "c"]);
    await apply(now, "labels", ["x"]);
    await apply(now + 2, "labels", []);
    const all = (await get("/changes")).body.changes.map(({ kind, id }) => `${kind} ${id}`);
    expect(all).toEqual(["removed x", "added a", "added b", "added c", "changed ha-lamp"]);
    const first = (await get("/changes?limit=2")).body;
    expect(first.changes.map(({ id }) => id)).toEqual(["x", "a"]);
    await apply(now + 3, "labels", ["y"]);
    const rest = (await get(`/changes?limit=2&cursor=${first.next}`)).body;
    expect(rest.changes.map(({ id }) => id)).toEqual(["b", "c"]);
    expect((await get(`/changes?registry=areas&cursor=${first.next}`)).body.code).toBe("cursor_of_another_query");
  });

  it("are filtered by registry and row", async () => {
    await apply(5, "areas", ["a"]);
    await apply(6, "areas", ["b"]);
    expect((await get("/changes?registry=areas")).body.changes).toHaveLength(2);
    expect((await get("/changes?registry=areas&id=b")).body.changes).toMatchObject([{ kind: "added", id: "b" }]);
    expect(await get("/changes?id=b")).toMatchObject({ status: 400, body: { errors: [{ field: "registry" }] } });
    expect((await get("/changes", tokenText("other"))).body).toEqual({ changes: [], next: null });
  });
});

describe("conflicts", () => {
  const sync = async () => (await (await api.post("/api/v1/conflicts/sync", {})).json()) as Record<string, number>;

  it("are found by a comparison, settled by the rules, and counted at their device", async () => {
    // The rules of this API: new-wins, and a name is asked for.
    expect(await sync()).toMatchObject({ devices: 1, open: 1, settled: 1, added: 2, unchanged: 0, over: 0 });
    expect(await sync()).toMatchObject({ added: 0, unchanged: 2 });
    const { conflicts } = (await get("/conflicts")).body;
    expect(conflicts.toSorted((a, b) => (a.field < b.field ? -1 : 1))).toMatchObject([
      { field: "model", new: "A lamp", old: "LED2003G10", status: "settled", chosen: "new", settled_by: "strategy" },
      { field: "name", new: "Ceiling light", old: "kitchen/ceiling", status: "open", strategy: "ask" },
    ]);
    expect((await get("/devices")).body.devices).toMatchObject([
      { device_id: "ha-lamp", name: "Ceiling light", conflict_count: 2, open_conflict_count: 1 },
    ]);
    expect((await get("/devices/ha-lamp")).body.conflicts).toHaveLength(2);
    expect((await get("/conflicts?status=open")).body.conflicts).toHaveLength(1);
    expect((await get("/conflicts?device_id=other")).body.conflicts).toEqual([]);
    expect((await get("/conflicts", tokenText("other"))).body.conflicts).toEqual([]);
  });

  it("are settled by hand, and the device shows it until Home Assistant says something else", async () => {
    await sync();
    const [open] = (await get("/conflicts?status=open")).body.conflicts;
    const settled = await api.post(`/api/v1/conflicts/${open?.id}/settle`, { chosen: "old" });
    expect(await settled.json()).toMatchObject({ status: "settled", chosen: "old", settled_by: "hand" });
    const shown = async () => (await get("/devices/ha-lamp")).body.name;
    expect(await shown()).toBe("kitchen/ceiling");
    await sync();
    expect(await shown()).toBe("kitchen/ceiling");
    const [device] = await api.index.list("home", "devices");
    if (!device) throw new Error("no device");
    const renamed = [{ ...device, name: "Big light" }];
    await api.index.applyRegistry("home", { registry: "devices", revision: AT_US, part: 1, parts: 1, rows: renamed });
    expect(await shown()).toBe("Big light");
    expect(await sync()).toMatchObject({ open: 1, added: 1 });
  });

  it("of another home cannot be settled", async () => {
    await sync();
    const [open] = (await get("/conflicts?status=open")).body.conflicts;
    const foreign = { token: tokenText("other") };
    expect((await api.post(`/api/v1/conflicts/${open?.id}/settle`, { chosen: "old" }, foreign)).status).toBe(404);
    expect((await get("/conflicts?status=open")).body.conflicts).toHaveLength(1);
  });
});
