import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import { EVENT_STORE_STEPS } from "../../../lib/adapters/sqlite/event-store-schema.ts";
import { openSqlite, STORE_CODES, transaction, withSqliteErrors } from "../../../lib/adapters/sqlite/open.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";

const EVERYTHING = { homeId: "home", order: "asc", limit: 1_000 } as const;
const HOUR_US = 3_600_000_000;

describe("the event store's file", () => {
  let folder: string;
  let path: string;
  const closing: (() => unknown)[] = [];
  const open = (busyTimeoutMs = 100) => {
    const store = createSqliteEventStore({ path, busyTimeoutMs });
    closing.push(() => store.close());
    return store;
  };
  const raw = () => {
    const db = new DatabaseSync(path);
    closing.push(() => db.isOpen && db.close());
    return db;
  };
  const rowsOf = (table: string) =>
    Number(
      raw()
        .prepare(table === "event_count" ? "SELECT sum(count) AS n FROM segment" : `SELECT count(*) AS n FROM ${table}`)
        .get()?.n,
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearthline-store-file-"));
    path = join(folder, "data", "store.db");
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    rmSync(folder, { recursive: true });
  });

  it("is made with its folder, which only its owner may enter", async () => {
    await open().check();
    expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
  });

  it("syncs every commit to the disk", () => {
    const db = openSqlite({ path, applicationId: 1, what: "sample", steps: [] });
    closing.push(() => db.close());
    expect(db.prepare("PRAGMA synchronous").get()?.synchronous).toBe(2);
    expect(db.prepare("PRAGMA journal_mode").get()?.journal_mode).toBe("wal");
  });

  it("is refused when a newer program wrote it, and stays as it is", async () => {
    await open().write([fullEvent]);
    raw().exec(`PRAGMA user_version = ${EVENT_STORE_STEPS.length + 1}`);
    const later = open();
    await expect(later.check()).rejects.toMatchObject({ code: "store_incompatible", fate: "stop" });
    await expect(later.check()).rejects.toThrow(/schema version "3", this program knows 2/);
    expect(rowsOf("segment")).toBe(1);
  });

  it("is refused when it is another program's", async () => {
    mkdirSync(join(folder, "data"));
    raw().exec("CREATE TABLE photos (id)");
    await expect(open().write([fullEvent])).rejects.toMatchObject({
      code: "store_incompatible",
      message: expect.stringContaining("another program's database"),
    });
    expect(raw().prepare("SELECT name FROM sqlite_schema").all()).toHaveLength(1);
  });

  it("is reported when it is no database at all, or a damaged one", async () => {
    mkdirSync(join(folder, "data"));
    writeFileSync(path, "this is text, not a database. ".repeat(300));
    await expect(open().check()).rejects.toMatchObject({ code: "store_damaged", fate: "stop" });
    await expect(open().check()).rejects.toThrow(/no SQLite database/);
    rmSync(path);
    await open().write(manyEvents(2_000));
    for (const close of closing.splice(0)) await close();
    const page = Number(raw().prepare("PRAGMA page_size").get()?.page_size);
    const root = Number(raw().prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'segment'").get()?.rootpage);
    for (const close of closing.splice(0)) await close();
    // Rubbish over the first page of the segments.
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(page, 0xa5), 0, page, (root - 1) * page);
    closeSync(file);
    await expect(open().range(EVERYTHING)).rejects.toMatchObject({ code: "store_damaged" });
  });

  it("never gives events of a segment in which a byte is wrong", async () => {
    await open().write(manyEvents(2_000));
    const db = raw();
    const { body } = db.prepare("SELECT body FROM segment").get() as { body: Uint8Array };
    body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
    db.prepare("UPDATE segment SET body = ?").run(body);
    await expect(open().range(EVERYTHING)).rejects.toMatchObject({ code: "store_damaged", fate: "stop" });
    await expect(open().compact("home", SOME_TIME_US + 9 * 24 * HOUR_US)).rejects.toMatchObject({
      code: "store_damaged",
    });
    await expect(open().write(manyEvents(3))).resolves.toBeUndefined();
  });

  it("cannot be opened where a folder is, and is opened once the folder has gone", async () => {
    mkdirSync(path, { recursive: true });
    const store = open();
    await expect(store.write([fullEvent])).rejects.toMatchObject({ code: "store_unavailable", fate: "retry" });
    await expect(store.check()).rejects.toThrow(/cannot be opened/);
    rmSync(path, { recursive: true });
    await store.write([fullEvent]);
    expect((await store.range(EVERYTHING)).events).toEqual([fullEvent]);
  });

  it.each(["deleted", "replaced"])(
    "takes nothing as stored in a file that was %s, and goes on with the one at its place",
    async (how) => {
      const store = open();
      await store.write([fullEvent]);
      const elsewhere = join(folder, "elsewhere.db");
      if (how === "replaced") {
        const other = createSqliteEventStore({ path: elsewhere });
        await other.write(manyEvents(3));
        await other.close();
      }
      for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
      if (how === "replaced") renameSync(elsewhere, path);
      await expect(store.write([buildEvent()])).rejects.toMatchObject({
        code: "store_unavailable",
        fate: "retry",
        message: expect.stringContaining("was deleted or replaced"),
      });
      await store.write([buildEvent({ state: "again" })]);
      const { events } = await open().range(EVERYTHING);
      expect(events.map(({ state }) => state)).toContain("again");
      expect(events).toHaveLength(how === "replaced" ? 4 : 1);
    },
  );

  it("is worth another try while somebody else holds the lock; reading goes on meanwhile", async () => {
    const store = open();
    await store.write([fullEvent]);
    const other = raw();
    other.exec("BEGIN IMMEDIATE");
    await expect(store.write([buildEvent()])).rejects.toMatchObject({ code: "store_unavailable", fate: "retry" });
    await expect(store.prune("home", SOME_TIME_US + 1)).rejects.toMatchObject({ code: "store_unavailable" });
    expect((await store.range(EVERYTHING)).events).toEqual([fullEvent]);
    other.exec("ROLLBACK");
    await store.write([buildEvent()]);
    expect((await store.range(EVERYTHING)).events).toHaveLength(2);
  });

  it("names a full disk and a file that may not be written", async () => {
    await open().check();
    const store = { path, codes: STORE_CODES, doing: "Writing" };
    const small = raw();
    small.exec("PRAGMA max_page_count = 1");
    const fill = () =>
      transaction(small, () => small.exec(`INSERT INTO home (name) VALUES ('${"x".repeat(100_000)}')`));
    expect(() => withSqliteErrors(store, fill)).toThrow(
      expect.objectContaining({ code: "store_full", message: expect.stringContaining("wanted is free space") }),
    );
    const readOnly = new DatabaseSync(path, { readOnly: true });
    closing.push(() => readOnly.close());
    const change = () => readOnly.exec("INSERT INTO home (name) VALUES ('x')");
    expect(() => withSqliteErrors(store, change)).toThrow(
      expect.objectContaining({
        code: "store_read_only",
        message: expect.stringContaining("wanted is write permission"),
      }),
    );
    const refused = Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
    const make = () => {
      throw refused;
    };
    expect(() => withSqliteErrors(store, make)).toThrow(expect.objectContaining({ code: "store_read_only" }));
  });

  it("takes all of a batch or nothing, and goes on after a failed one", async () => {
    const store = open();
    const unwritable = buildEvent({ atUs: SOME_TIME_US + 5, attributes: { broken: 1n } });
    const fresh = buildEvent({ entityId: "sensor.fresh", attributes: { only: "here" } });
    await expect(store.write([fullEvent, fresh, unwritable])).rejects.toThrow(TypeError);
    expect((await store.range(EVERYTHING)).events).toEqual([]);
    await store.write([fresh, fullEvent]);
    expect((await store.range(EVERYTHING)).events).toEqual([fresh, fullEvent]);
  });

  it("merges small writes as they come, and leaves large ones to compaction", async () => {
    const store = open();
    const events = manyEvents(600, { entities: 20 });
    for (const event of events) await store.write([event]);
    // At most seven of each size: 1 to 7 rows, 8 to 63, 64 to 511, 512 to 4,095.
    expect(rowsOf("segment")).toBeLessThan(30);
    expect(rowsOf("event_count")).toBe(600);
    expect((await store.range({ ...EVERYTHING, limit: 2_000 })).events).toEqual(events);
    const large = manyEvents(6_000, { entities: 20, homeId: "large" });
    for (let at = 0; at < large.length; at += 600) await store.write(large.slice(at, at + 600));
    expect(raw().prepare("SELECT count(*) AS n FROM segment WHERE count = 600").get()).toEqual({ n: 10 });
  });

  it("answers aggregates of compacted days from their rollups, and of an entity that was written to since from its events", async () => {
    const store = open();
    const events = manyEvents(3_000, { entities: 6, stepUs: 60_000_000 });
    await store.write(events);
    const upTo = SOME_TIME_US + 5 * 24 * HOUR_US;
    const edges = Array.from(
      { length: 73 },
      (_, hour) => Math.floor(SOME_TIME_US / HOUR_US) * HOUR_US + hour * HOUR_US,
    );
    const query = { homeId: "home", entityIds: ["sensor.part_0", "light.part_1"], edges };
    const before = await store.aggregate(query);
    await store.compact("home", upTo);
    expect(await store.aggregate(query)).toEqual(before);
    const late = buildEvent({ entityId: "sensor.part_0", atUs: SOME_TIME_US + HOUR_US, state: "77", value: 77 });
    await store.write([late]);
    const after = await store.aggregate(query);
    expect(after[0]).not.toEqual(before[0]);
    expect(after[1]).toEqual(before[1]);
    await store.compact("home", upTo);
    expect(await store.aggregate(query)).toEqual(after);
    // Without any events, but for the day that holds what was before the first edge.
    raw().exec(`DELETE FROM segment WHERE day > ${Math.floor(SOME_TIME_US / (24 * HOUR_US))}`);
    expect(await store.aggregate(query)).toEqual(after);
  });

  it("prunes day by day, while another store writes in between", async () => {
    const pruned = open();
    const writer = open(5_000);
    await pruned.write(manyEvents(12_000, { stepUs: 20_000_000 }));
    const pruning = pruned.prune("home", SOME_TIME_US + 11_000 * 20_000_000);
    await writer.write([buildEvent({ atUs: SOME_TIME_US + 20_000 * 20_000_000 })]);
    expect(await pruning).toBe(11_000);
    expect(rowsOf("event_count")).toBe(1_001);
  });

  it("does not grow while days are added and pruned", async () => {
    const store = open();
    const sizes: number[] = [];
    for (let day = 0; day < 8; day++) {
      const events = manyEvents(2_000, { stepUs: 40_000_000 }).map((event) => {
        const atUs = event.atUs + day * 24 * HOUR_US;
        return { ...event, atUs, lastChangedUs: atUs };
      });
      await store.write(events);
      await store.compact("home", SOME_TIME_US + day * 24 * HOUR_US);
      await store.prune("home", SOME_TIME_US + (day - 2) * 24 * HOUR_US);
      sizes.push(Number(raw().prepare("PRAGMA page_count").get()?.page_count));
    }
    expect(Math.max(...sizes.slice(4))).toBeLessThan(1.3 * (sizes[3] ?? 0));
  });

  it("is shared by processes that make it and write to it at the same time", async () => {
    const writers = [0, 1, 2].map((number) => startWriter(path, `home${number}`, 40));
    await Promise.all(writers.map((writer) => writer.ended));
    const store = open();
    for (const [number, writer] of writers.entries()) {
      expect(writer.errors).toEqual([]);
      expect((await store.range({ ...EVERYTHING, homeId: `home${number}` })).events).toHaveLength(40);
    }
  });

  it("holds everything that a killed writer was told is stored", async () => {
    const writer = startWriter(path, "home", 100_000);
    await writer.acknowledged(60);
    writer.child.kill("SIGKILL");
    await writer.ended;
    const store = open();
    const { events } = await store.range(EVERYTHING);
    expect(events.length).toBeGreaterThanOrEqual(writer.count());
    const inOrder = events.map((event: HomeEvent) => event.atUs - SOME_TIME_US);
    expect(inOrder).toEqual(events.map((_, index) => index));
  });

  it("loses and doubles nothing when a process is killed that writes, compacts and prunes", async () => {
    for (const acknowledged of [2, 9, 23]) {
      const writer = startProcess(path, UPKEEP);
      await writer.acknowledged(acknowledged);
      writer.child.kill("SIGKILL");
      await writer.ended;
      const store = open();
      const { events } = await store.range({ ...EVERYTHING, limit: 1_000_000 });
      const steps = events.map((event: HomeEvent) => (event.atUs - SOME_TIME_US) / STEP_US);
      const [first = 0] = steps;
      // What was pruned went in order, what is left has no hole.
      expect(steps).toEqual(steps.map((_, index) => first + index));
      expect(first + steps.length).toBeGreaterThanOrEqual(writer.count() * ROUND);
      const counted = await store.stats({ homeId: "home" });
      expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
      expect(await store.prune("home", Number.MAX_SAFE_INTEGER)).toBe(events.length);
      await store.close();
    }
  });
});

/** Events of a round, and the time between two of them: about a day's worth a round. */
const ROUND = 300;
const STEP_US = 300_000_000;
const UPKEEP = `
  for (let round = 0; ; round++) {
    const from = round * ${ROUND};
    const events = Array.from({ length: ${ROUND} }, (_, index) => from + index).map((step) =>
      buildEvent({ homeId: "home", entityId: "light.l" + (step % 7), atUs: SOME_TIME_US + step * ${STEP_US}, attributes: { step } }));
    await store.write(events.slice(0, 100));
    await Promise.all([
      store.write(events.slice(100)),
      store.compact("home", SOME_TIME_US + from * ${STEP_US}),
      store.prune("home", SOME_TIME_US + (from - 1_500) * ${STEP_US}),
    ]);
    console.log(round);
  }`;

/** A process that writes events one by one and prints a line for each that is stored. */
const startWriter = (path: string, homeId: string, count: number) =>
  startProcess(
    path,
    `for (let step = 0; step < ${count}; step++) {
      await store.write([buildEvent({ homeId: "${homeId}", atUs: SOME_TIME_US + step, attributes: { step } })]);
      console.log(step);
    }`,
  );

/** A process with the store open that does some work and prints a line for each step that is done. */
function startProcess(path: string, work: string) {
  const program = `
    import { createSqliteEventStore } from "./lib/adapters/sqlite/event-store.ts";
    import { buildEvent, SOME_TIME_US } from "./tests/support/events.ts";
    const store = createSqliteEventStore({ path: process.env.STORE_PATH });
    ${work}
    await store.close();`;
  const child: ChildProcess = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    env: { ...process.env, STORE_PATH: path, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let acknowledged = 0;
  const errors: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("the writer has no pipes");
  createInterface(stdout).on("line", () => {
    acknowledged++;
    for (const each of waiting) if (acknowledged >= each.count) each.resolve();
  });
  createInterface(stderr).on("line", (line) => errors.push(line));
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    child,
    errors,
    ended,
    count: () => acknowledged,
    acknowledged: (wanted: number) =>
      Promise.race([
        new Promise<void>((resolve) => waiting.push({ count: wanted, resolve })),
        ended.then(() => {
          throw new Error(`the writer ended early: ${errors.join("\n")}`);
        }),
      ]),
  };
}
