import { describe, expect, it } from "vitest";
import { createMemoryLastKnown } from "../../lib/adapters/memory/last-known.ts";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import type { NewRelayRecord } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
import { knownOf } from "../../lib/relay/known-of.ts";
import { LastKnown } from "../../lib/relay/last-known.ts";
import type { LastKnownEntity, LastKnownImage, LastKnownStore } from "../../lib/relay/ports.ts";
import { knownEntity, knownImage } from "../conformance/last-known.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateRecord } from "../support/relay-records.ts";
import { keepLog } from "./fakes.ts";

const SINCE = "2026-11-22T05:00:00.000Z";

function setUp(image?: LastKnownImage, over: { homeId?: string; relayId?: string } = {}) {
  const clock = manualClock();
  const { log, lines } = keepLog();
  const memory = createMemoryLastKnown();
  let saves = 0;
  const store: LastKnownStore = {
    load: async () => image ?? memory.load(),
    save: async (next) => {
      saves += 1;
      await memory.save(next);
    },
  };
  const spool = createMemorySpool({ relayId: over.relayId ?? "relay", clock, sinks: ["cloud"], maxBytes: 1e9 });
  const table = new LastKnown({ homeId: over.homeId ?? "home", spool, store, clock, log });
  const note = (entityId: string, entity: LastKnownEntity) => table.noteWhenDurable({ entityId, entity }, true)();
  const saved = async () => new Map((await memory.load())?.entities);
  return { clock, lines, memory, spool, table, note, saved, saves: () => saves };
}

const at = (second: number) => `2026-11-22T06:00:${String(second).padStart(2, "0")}.000000+00:00`;
const known = (second: number): LastKnownEntity => ({ ...knownEntity(String(second)), lastUpdated: at(second) });
const stateAt = (name: string, second: number): NewRelayRecord =>
  ({
    ...stateRecord(name),
    state: String(second),
    last_updated: at(second),
  }) as NewRelayRecord;
const status = (connected: boolean, since: string): NewRelayRecord => ({
  t: "relay",
  at: since,
  connected,
  since,
  spool_bytes: 0,
  spool_records: 0,
  oldest_seconds: 0,
  rejected: 0,
});

describe("the last-known table", () => {
  it("stands still from the beginning of a gap until an entity's part of it is filled", async () => {
    const { table, note, saved } = setUp();
    note("a.a", known(1));
    note("a.b", known(1));
    const { gap, saved: isSaved } = table.open(SINCE);
    await isSaved;
    expect(table.openSince).toBe(at(1));
    for (const id of ["a.a", "a.b", "a.new"]) note(id, known(5));
    expect(table.entities).toEqual(
      new Map([
        ["a.a", known(1)],
        ["a.b", known(1)],
      ]),
    );
    table.narrow(gap, ["a.a"]);
    expect(table.entities.get("a.a")).toEqual(known(1));
    expect(table.entities.get("a.b")).toEqual(known(5));
    expect(table.entities.get("a.new")).toEqual(known(5));
    await table.save();
    expect((await saved()).get("a.a")).toEqual(known(1));
    table.fill(gap, "a.a", known(4));
    expect(table.entities.get("a.a")).toEqual(known(5));
    await table.close(gap);
    expect(table.openSince).toBeUndefined();
    expect((await saved()).get("a.a")).toEqual(known(5));
  });

  it("takes what was heard before a gap for known, though it becomes durable later, and nothing of an abandoned one", async () => {
    const { table, note } = setUp();
    note("a.a", known(1));
    const before = table.noteWhenDurable({ entityId: "a.a", entity: known(2) }, true);
    const first = table.open(SINCE);
    before();
    expect(table.entities.get("a.a")).toEqual(known(2));
    const within = table.noteWhenDurable({ entityId: "a.a", entity: known(7) }, true);
    const second = table.open(SINCE);
    within();
    table.narrow(first.gap, []);
    table.fill(first.gap, "a.a", known(7));
    await table.close(first.gap);
    expect(table.entities.get("a.a")).toEqual(known(2));
    expect(table.openSince).toBe(at(1));
    table.narrow(second.gap, ["a.a"]);
    table.fill(second.gap, "a.a", undefined);
    expect(table.entities.has("a.a")).toBe(false);
  });

  it("keeps how far the home's clock was set back in an open gap: the largest, until it is closed", async () => {
    const { table, note, memory } = setUp();
    note("a.a", known(1));
    table.noteSetBack(9_000);
    expect(table.setBackMs).toBe(0);
    const { gap, saved } = table.open(SINCE);
    await saved;
    table.noteSetBack(4_500);
    table.noteSetBack(700);
    await table.save();
    const next = setUp(await memory.load());
    await next.table.load();
    expect(next.table.setBackMs).toBe(4_500);
    await table.close(gap);
    expect([table.setBackMs, (await memory.load())?.setBackMs]).toEqual([0, undefined]);
  });

  it("is saved at most once a minute, and only when something has come", async () => {
    const { clock, table, note, saves } = setUp();
    note("a.a", known(1));
    await table.saveNowAndThen();
    expect(saves()).toBe(0);
    await clock.advance(60_000);
    await table.saveNowAndThen();
    await table.saveNowAndThen();
    expect(saves()).toBe(1);
    await clock.advance(60_000);
    await table.saveNowAndThen();
    await table.save();
    expect(saves()).toBe(1);
  });

  it("goes on when it cannot be saved, and says so", async () => {
    const { table, note, memory, lines } = setUp();
    memory.save = () => Promise.reject(new Error("no space"));
    note("a.a", known(1));
    await table.save();
    expect(lines.join()).toContain("could not be saved");
  });

  it("comes back with what the spool has had since, up to the next connection", async () => {
    const { openSince: _, ...closed } = knownImage({ sequence: 2, connectedSince: SINCE });
    const { table, spool } = setUp({ ...closed, entities: [["sensor.a", known(1)]] });
    const records = [
      stateAt("a", 1),
      stateAt("b", 1),
      stateAt("a", 3),
      status(true, SINCE),
      stateAt("b", 4),
      { ...stateAt("b", 9), source: "backfill" } as NewRelayRecord,
      status(true, "2026-11-22T07:00:00.000Z"),
      stateAt("a", 8),
    ];
    await spool.append(records.map(entryOf));
    await table.load();
    expect([...table.entities].map(([id, { lastUpdated }]) => [id, lastUpdated])).toEqual([
      ["sensor.a", at(3)],
      ["sensor.b", at(4)],
    ]);
    expect(table.sequence).toBe(6);
  });

  it("comes back only up to where events were lost on their way to the spool", async () => {
    const { openSince: _, ...closed } = knownImage({ sequence: 0, connectedSince: SINCE });
    const { table, spool } = setUp({ ...closed, entities: [["sensor.a", known(1)]] });
    await spool.append([entryOf(stateAt("a", 3))]);
    await spool.recordLoss({ count: 5, reason: "the memory was full", fromMs: 1, toMs: 2 });
    await spool.append([entryOf(stateAt("a", 9))]);
    await table.load();
    expect(table.entities.get("sensor.a")?.lastUpdated).toBe(at(3));
  });

  it("takes nothing for known that was on its way when something was lost", async () => {
    const { table, note } = setUp();
    note("a.a", known(1));
    const onItsWay = table.noteWhenDurable({ entityId: "a.a", entity: known(5) }, true);
    table.lost();
    onItsWay();
    expect(table.entities.get("a.a")).toEqual(known(1));
    expect(table.openSince).toBe(at(1));
  });

  it("does not run ahead of an open gap", async () => {
    const { table, spool } = setUp(knownImage({ sequence: 0, entities: [["sensor.a", known(1)]] }));
    await spool.append([entryOf(stateAt("a", 3))]);
    await table.load();
    expect(table.entities.get("sensor.a")).toEqual(known(1));
    expect(table.openSince).toBe(knownImage().openSince);
  });

  it("of another home is not used", async () => {
    const { table, lines } = setUp(knownImage(), { homeId: "other" });
    await table.load();
    expect(table.entities.size).toBe(0);
    expect(lines.join()).toContain("another home");
  });

  it("knows nothing that another spool had not sent", async () => {
    const { openSince: _, ...image } = knownImage({ unsentSince: "2026-11-22T06:00:05.000Z" });
    const { table } = setUp(
      {
        ...image,
        entities: [
          ["a.sent", known(4)],
          ["a.unsent", known(6)],
        ],
      },
      { relayId: "new" },
    );
    await table.load();
    expect([...table.entities.keys()]).toEqual(["a.sent"]);
    expect(table.openSince).toBe("2026-11-22T06:00:05.000000+00:00");
  });
});

describe("what a record says of its entity", () => {
  it("is its state, or that it is gone; nothing of what is malformed", () => {
    const { context: _, ...state } = stateRecord("a") as Record<string, unknown>;
    expect(knownOf(state)).toMatchObject({ entityId: "sensor.a", entity: { state: "1", isRemoved: false } });
    const removed = { t: "removed", entity_id: "a.b", time_fired: at(2) };
    expect(knownOf(removed)).toEqual({
      entityId: "a.b",
      entity: { state: "", lastChanged: at(2), lastUpdated: at(2), isRemoved: true },
    });
    for (const bad of [
      { state: 5 },
      { state: "x".repeat(256) },
      { last_updated: 3 },
      { entity_id: null },
      { t: "gap" },
    ])
      expect(knownOf({ ...state, ...bad })).toBeUndefined();
  });
});
