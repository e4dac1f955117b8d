import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import { type HomeEvent, naturalKey } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { buildEvent } from "../../support/events.ts";

/** What the program wrote that knew schema version 1, and what it read from it. */
const FIXTURES = resolve(import.meta.dirname, "../../fixtures/sqlite");
const LINES = readFileSync(join(FIXTURES, "event-store-1.jsonl"), "utf8").trim().split("\n");
const EVENTS = LINES.map((line) => JSON.parse(line) as HomeEvent);
const SHIFT_US = 100_000_000_000;
const DEADLINE_MS = 30_000;

describe("an event store of schema version 1", () => {
  let folder: string;
  let path: string;
  const closing: (() => unknown)[] = [];
  const notices: string[] = [];
  const open = (): EventStore => {
    const store = createSqliteEventStore({ path, onNotice: (message) => notices.push(message) });
    closing.push(() => store.close());
    return store;
  };
  const numbers = (file: string, sql: string): number[] => {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      return db
        .prepare(sql)
        .all()
        .map((row) => Number(Object.values(row)[0]));
    } finally {
      db.close();
    }
  };
  const copies = () => readdirSync(join(folder, "data")).filter((name) => name.includes("schema-1"));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearthline-store-old-"));
    mkdirSync(join(folder, "data"));
    path = join(folder, "data", "store.db");
    copyFileSync(join(FIXTURES, "event-store-1.db"), path);
    notices.length = 0;
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    rmSync(folder, { recursive: true });
  });

  /** The fixture's rows `times` over, each time a little later. */
  function multiply(times: number): void {
    const db = new DatabaseSync(path);
    const columns = db.prepare("SELECT name FROM pragma_table_info('event') WHERE name <> 'at_us'").all();
    const names = columns.map(({ name }) => String(name)).join();
    db.exec(`INSERT INTO event (at_us, ${names}) WITH RECURSIVE time (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM time WHERE n < ${times - 1})
      SELECT at_us + n * ${SHIFT_US}, ${names} FROM event CROSS JOIN time WHERE at_us > 0`);
    db.close();
  }

  async function all(store: EventStore): Promise<HomeEvent[]> {
    const pages = await Promise.all(
      ["home", "ho'me", "third"].map((homeId) => store.range({ homeId, order: "asc", limit: 1_000_000 })),
    );
    return pages.flatMap(({ events }) => events);
  }

  it("gives every event as it was, and is kept as a copy that says so", async () => {
    const store = open();
    expect(await all(store)).toEqual(EVENTS);
    expect(copies()).toEqual(["store.db.schema-1"]);
    expect(notices).toEqual([
      expect.stringContaining(`"${path}.schema-1"`),
      expect.stringContaining("schema version 2"),
    ]);
    expect(numbers(`${path}.schema-1`, "PRAGMA user_version")).toEqual([1]);
    expect(numbers(`${path}.schema-1`, "SELECT count(*) FROM event")).toEqual([EVENTS.length]);
    expect(numbers(path, "PRAGMA user_version")).toEqual([2]);
    expect(numbers(path, "SELECT count(*) FROM sqlite_schema WHERE name IN ('event', 'text', 'series')")).toEqual([0]);
    await store.write([buildEvent({ state: "after" })]);
    expect(await all(open())).toHaveLength(EVENTS.length);
  });

  it("can be changed by several processes at once, and by calls at once", async () => {
    multiply(60);
    const stores = [open(), open(), open()];
    await Promise.all(stores.flatMap((store) => [store.check(), store.write([buildEvent({ homeId: "new" })])]));
    const count = numbers(`${path}.schema-1`, "SELECT count(*) FROM event")[0] ?? 0;
    expect(count).toBeGreaterThan(9_000);
    for (const store of stores) expect(await all(store)).toHaveLength(count);
  });

  it("keeps another copy beside one that is of something else", async () => {
    copyFileSync(join(FIXTURES, "event-store-1.jsonl"), `${path}.schema-1`);
    await open().check();
    expect(copies().sort()).toEqual(["store.db.schema-1", "store.db.schema-1.2"]);
    expect(numbers(`${path}.schema-1.2`, "SELECT count(*) FROM event")).toEqual([EVENTS.length]);
  });

  const ONE = "(home, at_us) IN (SELECT home, at_us FROM event WHERE at_us > 0 LIMIT 1)";
  it.each([
    ["attributes that are no JSON", "UPDATE text SET body = '{' WHERE id = (SELECT max(attributes) FROM event)"],
    ["tags that are no JSON", "UPDATE series SET tags = '[' WHERE id = (SELECT min(series) FROM event)"],
    ["a series that is missing", "DELETE FROM series WHERE id = (SELECT min(series) FROM event)"],
    ["an entity that is missing", "DELETE FROM entity WHERE id = (SELECT min(entity) FROM event)"],
    ["a home that is missing", "DELETE FROM home WHERE name = 'third'"],
    ["a time that is a text", `UPDATE event SET at_us = 'x' || at_us WHERE ${ONE}`],
    ["a time between two microseconds", `UPDATE event SET at_us = at_us + 0.5 WHERE at_us < 1000 AND at_us > -1000`],
    ["a value that is a text", `UPDATE event SET value = 'NaN', flags = flags | (4 << 9) WHERE ${ONE}`],
    ["a state that is no text", `UPDATE event SET state = x'ff00' WHERE ${ONE}`],
    ["a kind that nobody knows", `UPDATE event SET flags = flags | 7 WHERE ${ONE}`],
  ])("moves all other rows where there is %s, and tells how many only the copy has", async (_, sql) => {
    const db = new DatabaseSync(path);
    expect(db.prepare(sql).run().changes).toBeGreaterThan(0);
    db.close();
    const events = await all(open());
    const leftOut = EVENTS.length - events.length;
    expect(leftOut).toBeGreaterThan(0);
    expect(leftOut).toBeLessThan(EVENTS.length / 2);
    expect(notices.at(-1)).toContain(`; ${leftOut} rows could not be read: only the copy has them`);
    expect(numbers(`${path}.schema-1`, "SELECT count(*) FROM event")).toEqual([EVENTS.length]);
    for (const event of events) expect(EVENTS).toContainEqual(event);
  });

  it("removes the copy that a killed process left unfinished, and nothing else", async () => {
    const names = ["store.db.4194000.unfinished", "store.db.4194000.unfinished-journal"];
    for (const name of [...names, "store.db.unfinished", "other.db.1.unfinished"])
      copyFileSync(join(FIXTURES, "event-store-1.jsonl"), join(folder, "data", name));
    await open().check();
    const left = readdirSync(join(folder, "data")).filter((name) => name.includes("unfinished"));
    expect(left.sort()).toEqual(["other.db.1.unfinished", "store.db.unfinished"]);
  });

  it.each([
    ["as soon as there is a copy", () => existsSync(`${path}.schema-1`)],
    ["in the midst of the rows", () => moved(path) > 0],
    ["a moment later", () => moved(path) > 8_000],
  ])("loses nothing when the process is killed %s", async (_, isTime) => {
    multiply(150);
    const program = `
      import { createSqliteEventStore } from "./lib/adapters/sqlite/event-store.ts";
      await createSqliteEventStore({ path: process.env.STORE_PATH }).check();`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
      env: { ...process.env, STORE_PATH: path, NODE_OPTIONS: "" },
      stdio: "ignore",
    });
    const ended = new Promise((settle) => child.on("close", settle));
    const giveUpMs = performance.now() + DEADLINE_MS;
    while (!isTime() && child.exitCode === null && performance.now() < giveUpMs) await sleep(1);
    child.kill("SIGKILL");
    await ended;
    const events = await all(open());
    const [copied = 0] = numbers(`${path}.schema-1`, "SELECT count(*) FROM event");
    expect(copied).toBeGreaterThan(20_000);
    expect(events).toHaveLength(copied);
    const found = new Map(events.map((event) => [naturalKey(event), event]));
    expect(EVENTS.map((event) => found.get(naturalKey(event)))).toEqual(EVENTS);
    const last = EVENTS.filter(({ atUs }) => atUs > 0).map((event) => ({
      ...event,
      atUs: event.atUs + 149 * SHIFT_US,
    }));
    for (const event of last) expect(found.get(naturalKey(event))?.state).toBe(event.state);
    expect(statSync(path).size).toBeLessThan(statSync(`${path}.schema-1`).size);
  });
});

/** Events in segments, as another process sees them; 0 before there are any. */
function moved(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(db.prepare("SELECT sum(count) AS n FROM segment").get()?.n ?? 0);
  } catch {
    return 0;
  } finally {
    db.close();
  }
}
