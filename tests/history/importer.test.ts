import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { formatIsoUs } from "../../lib/base/time.ts";
import type { PastRow } from "../../lib/history/index.ts";
import { createAttributeFilter, createEntityFilter } from "../../lib/relay/index.ts";
import { importFolder, KeepingSink, listSource, plain, runTestImport, second } from "../support/imports.ts";
import { manualClock } from "../support/manual-clock.ts";

let place: ReturnType<typeof importFolder>;
let sink: KeepingSink;
beforeEach(() => {
  place = importFolder();
  sink = new KeepingSink();
});
afterEach(() => place.remove());

const row = (entityId: string, seconds: number, state: string | null, more: Partial<PastRow> = {}): PastRow => ({
  entityId,
  state,
  attributes: {},
  atUs: second(seconds),
  ...more,
});
const run = (rows: Parameters<typeof listSource>[0], more: Partial<Parameters<typeof runTestImport>[0]> = {}) =>
  runTestImport({ source: listSource(rows), sink, file: place.states.open("one"), ...more });
const at = (seconds: number) => formatIsoUs(second(seconds));

describe("what an imported row is", () => {
  it("follows from the row before: restore, change, attributes, removed, restore again", async () => {
    const attributes = { friendly_name: "Lamp" };
    await run([
      row("light.a", 1, "off", { attributes }),
      row("light.b", 2, "on"),
      row("light.a", 3, "on", { attributes }),
      row("light.a", 4, "on", { attributes: { brightness: 7 } }),
      row("light.a", 5, null),
      row("light.a", 6, "off"),
    ]);
    const shared = { source: "import", origin: "LOCAL", entity_id: "light.a" };
    const on = { state: "on", last_changed: at(3), last_updated: at(3) };
    expect(sink.records.filter(({ entity_id }) => entity_id === "light.a").map(plain)).toEqual([
      { t: "state", ...shared, kind: "restore", state: "off", attributes, last_changed: at(1), last_updated: at(1) },
      {
        ...{ t: "state", ...shared, kind: "change", attributes, ...on },
        old: { state: "off", last_changed: at(1), last_updated: at(1) },
      },
      { t: "state", ...shared, kind: "attributes", ...on, last_updated: at(4), attributes: { brightness: 7 }, old: on },
      { t: "removed", ...shared, time_fired: at(5), old: { ...on, last_updated: at(4) } },
      {
        ...{ t: "state", ...shared, kind: "restore", state: "off", attributes: {} },
        ...{ last_changed: at(6), last_updated: at(6) },
      },
    ]);
    expect(sink.records.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6]);
    // Nobody knows who did it: each its own context, which says that it is none of Home Assistant's.
    const ids = sink.records.map(({ context }) => (context as { id: string }).id);
    expect(new Set(ids).size).toBe(6);
    expect(ids.filter((id) => !id.startsWith("row-"))).toEqual([]);
  });

  it("is a restore where the history says that nothing was known before, and where the attribute says so", async () => {
    await run([
      row("light.a", 1, "off"),
      row("light.a", 2, "on", { isFirst: true }),
      row("light.a", 3, "off", { attributes: { restored: true } }),
      row("light.a", 4, "off", { lastChangedUs: second(4) }),
    ]);
    expect(sink.records.map((record) => record.t === "state" && record.kind)).toEqual([
      ...["restore", "restore", "restore", "change"],
    ]);
    expect(sink.records[1]?.old).toBeUndefined();
  });

  it("out of order is no change, and is counted; the same row again is left out", async () => {
    const summary = await run([
      row("light.a", 5, "off"),
      row("light.a", 5, "off"),
      row("light.a", 3, "on"),
      row("light.a", 6, "on"),
    ]);
    expect(summary).toMatchObject({ imported: 3, outOfOrder: 1, skipped: { repeated: 1 } });
    expect(sink.records.map((record) => record.t === "state" && record.kind)).toEqual(["restore", "restore", "change"]);
    expect(sink.records[2]?.old?.state).toBe("off");
  });

  it("keeps the times asked for, and still knows what came before them", async () => {
    const rows = [row("light.a", 1, "off"), row("light.a", 5, "on"), row("light.a", 9, "off")];
    const summary = await run(rows, { fromUs: second(5), toUs: second(9) });
    expect(summary).toMatchObject({
      imported: 1,
      skipped: { outside_range: 2 },
      firstUs: second(5),
      lastUs: second(5),
    });
    expect(sink.records[0]).toMatchObject({ kind: "change", old: { state: "off" } });
  });

  it("counts what is older than the store keeps, among what is sent", async () => {
    const rows = [row("light.a", 1, "off"), row("light.a", 2, "on"), row("light.b", 3, "on"), row("light.b", 4, "off")];
    expect(await run(rows, { rawFromUs: second(3), fromUs: second(2) })).toMatchObject({ imported: 3, pastRaw: 1 });
    expect(await run(rows, { isRestart: true })).toMatchObject({ imported: 4, pastRaw: 0 });
  });

  it("is read from the start when the state was damaged, and that is said", async () => {
    const rows = [row("light.a", 1, "off")];
    const { relayId } = await run(rows);
    writeFileSync(join(place.folder, "import", "one.json"), "{");
    const again = await run(rows);
    expect(again).toMatchObject({ imported: 1, remarks: [expect.stringContaining("was damaged")] });
    expect(again.relayId).not.toBe(relayId);
    expect(await run(rows)).toMatchObject({ imported: 0, remarks: [] });
  });

  it("keeps secrets and what the owner excludes at home, and says how much", async () => {
    const token = "0123456789abcdef0123456789abcdef";
    const summary = await run(
      [
        row("camera.door", 1, "idle", { attributes: { access_token: token, fps: 5, brand: "B" } }),
        row("camera.door", 2, "idle", {
          attributes: { entity_picture: `/api?token=${token}`, fps: 6, latitude: 52.1 },
        }),
        row("text.wifi", 3, "hunter2hunter2", { attributes: { mode: "password" } }),
        row("text.wifi", 4, "hunter3hunter3", { attributes: { mode: "password" }, lastChangedUs: second(4) }),
        row("light.a", 5, "on"),
      ],
      { isIncluded: createEntityFilter([], ["light"]), travelling: createAttributeFilter(["camera:brand"]) },
    );
    expect(summary).toMatchObject({ skipped: { filtered: 1 }, secrets: { stripped: 3 } });
    expect(sink.records.map((record) => record.t === "state" && [record.state, record.attributes])).toEqual([
      ["idle", { fps: 5 }],
      ["idle", { fps: 6 }],
      ["[secret]", { mode: "password" }],
      ["[secret]", { mode: "password" }],
    ]);
    expect(sink.records[3]).toMatchObject({ kind: "change", old: { state: "[secret]" } });
    expect(JSON.stringify(place.states.open("one").load())).not.toMatch(/hunter|0123456789abcdef/);
  });

  it("of a text entity is hidden where the history does not say whether it is a password, unless somebody knows", async () => {
    const known = new Map([
      ["text.wifi", true],
      ["text.note", false],
    ]);
    const summary = await run(
      [
        row("text.wifi", 1, "hunter2"),
        row("text.note", 2, "milk"),
        row("input_text.new", 3, "perhaps"),
        row("text.shown", 4, "open", { attributes: { mode: "text" } }),
        row("text.said", 5, "hunter3", { isPassword: true }),
        row("sensor.text", 6, "21"),
      ],
      { isPassword: (entityId) => known.get(entityId) },
    );
    expect(sink.records.map((record) => record.t === "state" && record.state)).toEqual([
      ...["[secret]", "milk", "[secret]", "open", "[secret]", "21"],
    ]);
    expect(summary.remarks.join()).toMatch(/^1 states of text entities.*--restart/);
  });

  it("is rejected by itself when enrich would not take it, with its place and code", async () => {
    const summary = await run([
      row("light.a", 1, "on", { place: 1 }),
      row("Light A", 2, "on", { place: 2 }),
      row("light.a", 3, "x".repeat(256), { place: 3 }),
      { place: 4, code: "record_malformed", detail: "no JSON" },
      row("light.a", 5, "on", { atUs: 1, place: 5 }),
      row("light.a", 5, "on", { atUs: Number.NaN, place: 6 }),
    ]);
    expect(summary).toMatchObject({ read: 6, imported: 1 });
    expect(summary.rejected.count).toBe(5);
    expect(summary.rejected.byCode).toEqual({
      event_entity_id_invalid: 1,
      event_state_invalid: 1,
      record_malformed: 1,
      event_time_out_of_range: 1,
      event_time_invalid: 1,
    });
    expect(summary.rejected.shown.map(({ place: line, code }) => [line, code])).toContainEqual([4, "record_malformed"]);
  });
});

describe("an import", () => {
  const rows = Array.from({ length: 10 }, (_, n) => row("sensor.a", n, String(n)));

  it("finds nothing new in a history that it has read, goes on in one that has grown, and begins again when told to", async () => {
    const first = await run(rows);
    expect(first).toMatchObject({ imported: 10, sequence: 10, isFinished: true });
    expect(await run(rows)).toMatchObject({ read: 0, imported: 0, sequence: 10, relayId: first.relayId });
    expect(await run([...rows, row("sensor.a", 10, "10")])).toMatchObject({ read: 1, imported: 1, sequence: 11 });
    expect(sink.records.at(-1)).toMatchObject({ n: 11, kind: "change", old: { state: "9" } });
    expect(await run(rows, { isRestart: true })).toMatchObject({ imported: 10, sequence: 21 });
    expect(sink.records.slice(11).map(plain)).toEqual(sink.records.slice(0, 10).map(plain));
  });

  it("goes on after its signal, without a hole", async () => {
    const stop = new AbortController();
    const stopped = await run(rows, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(stopped).toMatchObject({ isFinished: false, imported: 3 });
    expect(await run(rows)).toMatchObject({ isFinished: true, imported: 7, sequence: 10 });
    expect(sink.records.map((record) => record.t === "state" && record.state)).toEqual(rows.map(({ state }) => state));
  });

  it("imports what was read before the history broke off", async () => {
    await expect(run([], { source: listSource(rows, { failsAt: 6 }) })).rejects.toThrow("the history ends here");
    expect(sink.records).toHaveLength(6);
    expect(await run(rows)).toMatchObject({ imported: 4, sequence: 10 });
  });

  it("tries the queue again and again, gives up at last, and sends the same the next time", async () => {
    const clock = manualClock();
    sink.failing = new HearthlineError("service_unreachable", "nobody answers");
    const failed = run(rows, { clock }).catch((thrown: unknown) => thrown);
    let isOver = false;
    void failed.then(() => {
      isOver = true;
    });
    while (!isOver) await clock.advance(5_000);
    expect(await failed).toMatchObject({ code: "service_unreachable" });
    expect(sink.calls).toBe(10);
    sink.failing = undefined;
    expect(await run(rows)).toMatchObject({ resent: 10, imported: 10, read: 0, sequence: 10 });
    expect(sink.records.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("waits while the queues are full, says so, and gives up when nobody takes from them", async () => {
    const clock = manualClock();
    sink.inQueue = 101;
    const waits: (number | undefined)[] = [];
    const going = run(rows, { clock, onProgress: ({ waiting }) => waits.push(waiting) });
    await clock.advance(3_000);
    expect(sink.calls).toBe(0);
    expect(waits).toContain(101);
    sink.inQueue = 99;
    await clock.advance(1_000);
    expect(await going).toMatchObject({ imported: 10 });

    sink.inQueue = 101;
    const stuck = run(rows, { clock, isRestart: true }).catch((thrown: unknown) => thrown);
    await clock.advance(130_000);
    expect(await stuck).toMatchObject({ code: "service_timeout" });
  });

  it("packs many rows into messages of one billing unit, a batch written down before it is sent", async () => {
    const many = Array.from({ length: 30_000 }, (_, n) =>
      row(`sensor.s${n % 300}`, n / 10, String(Math.imul(n, 2_654_435_761) >>> 0), { attributes: { n } }),
    );
    const summary = await run([], { source: listSource(many, { size: 1_000 }) });
    expect(summary).toMatchObject({ imported: 30_000, sequence: 30_000 });
    expect(sink.calls).toBeGreaterThan(1);
    expect(sink.messages.every((text) => text.length <= 65_536)).toBe(true);
    expect(new Set(sink.records.map(({ n }) => n)).size).toBe(30_000);
  });
});
