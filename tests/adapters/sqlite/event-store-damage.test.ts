import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";

const DAY_US = 86_400_000_000;
const DAY_START_US = Math.floor(SOME_TIME_US / DAY_US) * DAY_US;
const DAMAGED = { code: "store_damaged", fate: "stop" };
const ALL = { homeId: "home", order: "asc", limit: 100_000 } as const;

describe("an event store's file in which bits have turned", () => {
  let folder: string;
  let path: string;
  let store: EventStore;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearthline-store-damage-"));
    path = join(folder, "store.db");
    store = createSqliteEventStore({ path });
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  function change(sql: string, ...values: (Uint8Array | number)[]): void {
    const db = new DatabaseSync(path);
    expect(db.prepare(sql).run(...values).changes).toBeGreaterThan(0);
    db.close();
  }
  function bodyOf(table: string): { id: number; body: Uint8Array } {
    const db = new DatabaseSync(path);
    const row = db.prepare(`SELECT rowid AS id, body FROM ${table} ORDER BY rowid LIMIT 1`).get();
    db.close();
    return row as { id: number; body: Uint8Array };
  }
  /** The first segment that was written, in its middle. */
  function damageFirst(): void {
    const { id, body } = bodyOf("segment");
    body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 4;
    change("UPDATE segment SET body = ? WHERE id = ?", body, id);
  }
  async function reopen(): Promise<void> {
    await store.close();
    store = createSqliteEventStore({ path });
  }

  it("never gives a wrong aggregate of rollups, whichever bit it is", async () => {
    const events = Array.from({ length: 9 }, (_, step) =>
      buildEvent({
        entityId: "sensor.a",
        atUs: DAY_START_US + step * 7_000_000_000,
        state: `${step}.5`,
        value: step + 0.5,
      }),
    );
    await store.write(events);
    await store.compact("home", DAY_START_US + DAY_US);
    const edges = [DAY_START_US, DAY_START_US + DAY_US];
    const query = { homeId: "home", entityIds: ["sensor.a"], edges };
    const right = await store.aggregate(query);
    const { id, body } = bodyOf("rollup");
    const db = new DatabaseSync(path);
    db.exec("PRAGMA synchronous = OFF");
    const put = db.prepare("UPDATE rollup SET body = ? WHERE rowid = ?");
    for (let bit = 0; bit < body.length * 8; bit += 5) {
      const turned = Uint8Array.from(body);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      put.run(turned, id);
      const answer = await store.aggregate(query).catch((thrown: unknown) => thrown);
      if (answer instanceof Error) expect(answer).toMatchObject(DAMAGED);
      else expect(answer).toEqual(right);
    }
    db.close();
  });

  it("goes on taking events for the day of a damaged segment, and keeps what it has of it", async () => {
    await store.write([buildEvent({ state: "damaged" })]);
    damageFirst();
    await reopen();
    for (let step = 1; step <= 40; step++) await store.write([buildEvent({ atUs: SOME_TIME_US + step })]);
    await expect(store.range({ ...ALL, toUs: SOME_TIME_US + 1 })).rejects.toMatchObject(DAMAGED);
    const { events } = await store.range({ ...ALL, fromUs: SOME_TIME_US + 1 });
    expect(events).toHaveLength(40);
    const db = new DatabaseSync(path);
    // The damaged one still stands alone; the others are merged as ever.
    expect(db.prepare("SELECT count FROM segment ORDER BY seq LIMIT 1").get()).toEqual({ count: 1 });
    expect(Number(db.prepare("SELECT count(*) AS n FROM segment").get()?.n)).toBeLessThan(15);
    db.close();
  });

  it("compacts the other days, and says that one is damaged", async () => {
    for (const day of [0, 1, 2]) await store.write([buildEvent({ atUs: DAY_START_US + day * DAY_US })]);
    damageFirst();
    await expect(store.compact("home", DAY_START_US + 3 * DAY_US)).rejects.toMatchObject(DAMAGED);
    const db = new DatabaseSync(path);
    expect(
      db
        .prepare("SELECT state FROM day ORDER BY day")
        .all()
        .map(({ state }) => state),
    ).toEqual([0, 1, 1]);
    db.close();
  });

  it("prunes what is old, damaged or not", async () => {
    for (const day of [0, 1, 2]) await store.write([buildEvent({ atUs: DAY_START_US + day * DAY_US })]);
    damageFirst();
    expect(await store.prune("home", DAY_START_US + 2 * DAY_US)).toBe(2);
    expect((await store.range(ALL)).events).toHaveLength(1);
  });

  it.each([
    [
      "another home",
      "UPDATE segment SET home = (SELECT id FROM home WHERE name = 'home') WHERE home <> (SELECT id FROM home WHERE name = 'home')",
    ],
    ["another day", "UPDATE segment SET day = day + 1"],
    ["another number of rows", "UPDATE segment SET count = count + 64"],
    ["another time", "UPDATE segment SET min_us = min_us - 4096"],
    ["a number that no double holds", "UPDATE segment SET min_us = min_us - (1 << 62)"],
  ])("never follows a directory that leads to %s", async (_, sql) => {
    await store.write(manyEvents(20, { stepUs: DAY_US / 10 }));
    await store.write(manyEvents(20, { stepUs: DAY_US / 10, homeId: "other" }));
    const answers = async () =>
      Promise.all([store.range(ALL), store.range({ ...ALL, homeId: "other" })]).then((pages) =>
        pages.map(({ events }) => events.map(({ homeId }) => homeId)),
      );
    change(sql);
    await expect(answers()).rejects.toMatchObject(DAMAGED);
    await reopen();
    await expect(answers()).rejects.toMatchObject(DAMAGED);
  });
});
