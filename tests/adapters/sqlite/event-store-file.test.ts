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
import { openSqlite, transaction, withSqliteErrors } from "../../../lib/adapters/sqlite/open.ts";
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
  const rowsOf = (table: string) => Number(raw().prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);

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
    await expect(later.check()).rejects.toMatchObject({ code: "data_folder_unusable", fate: "stop" });
    await expect(later.check()).rejects.toThrow(/schema version "2", this program knows 1/);
    expect(rowsOf("event")).toBe(1);
  });

  it("is refused when it is another program's", async () => {
    mkdirSync(join(folder, "data"));
    raw().exec("CREATE TABLE photos (id)");
    await expect(open().write([fullEvent])).rejects.toThrow(/another program's database/);
    expect(raw().prepare("SELECT name FROM sqlite_schema").all()).toHaveLength(1);
  });

  it("is reported when it is no database at all, or a damaged one", async () => {
    mkdirSync(join(folder, "data"));
    writeFileSync(path, "this is text, not a database. ".repeat(300));
    await expect(open().check()).rejects.toMatchObject({ code: "data_folder_unusable", fate: "stop" });
    await expect(open().check()).rejects.toThrow(/no SQLite database/);
    rmSync(path);
    await open().write(manyEvents(2_000));
    for (const close of closing.splice(0)) await close();
    const page = Number(raw().prepare("PRAGMA page_size").get()?.page_size);
    const root = Number(raw().prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'event'").get()?.rootpage);
    for (const close of closing.splice(0)) await close();
    // Rubbish over the first page of the events.
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(page, 0xa5), 0, page, (root - 1) * page);
    closeSync(file);
    await expect(open().range(EVERYTHING)).rejects.toMatchObject({ code: "data_folder_unusable" });
  });

  it("cannot be opened where a folder is, and is opened once the folder has gone", async () => {
    mkdirSync(path, { recursive: true });
    const store = open();
    await expect(store.write([fullEvent])).rejects.toMatchObject({ code: "service_failed", fate: "retry" });
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
        code: "service_failed",
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
    await expect(store.write([buildEvent()])).rejects.toMatchObject({ code: "service_timeout", fate: "retry" });
    await expect(store.prune("home", 0)).rejects.toMatchObject({ code: "service_timeout" });
    expect((await store.range(EVERYTHING)).events).toEqual([fullEvent]);
    other.exec("ROLLBACK");
    await store.write([buildEvent()]);
    expect((await store.range(EVERYTHING)).events).toHaveLength(2);
  });

  it("names a full disk and a file that may not be written", async () => {
    await open().check();
    const small = raw();
    small.exec("PRAGMA max_page_count = 1");
    const fill = () =>
      transaction(small, () => small.exec(`INSERT INTO home (name) VALUES ('${"x".repeat(100_000)}')`));
    expect(() => withSqliteErrors("Writing", path, fill)).toThrow(/disk is full; wanted is free space/);
    const readOnly = new DatabaseSync(path, { readOnly: true });
    closing.push(() => readOnly.close());
    const change = () => readOnly.exec("INSERT INTO home (name) VALUES ('x')");
    expect(() => withSqliteErrors("Writing", path, change)).toThrow(/wanted is write permission/);
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

  it("keeps attribute sets, weather and users once, and drops what no event uses any more", async () => {
    const store = open();
    const repeated = Array.from({ length: 50 }, (_, step) => ({ ...fullEvent, atUs: SOME_TIME_US + step * HOUR_US }));
    await store.write(repeated);
    expect(rowsOf("text")).toBe(3);
    const last = repeated.at(-1)?.atUs ?? 0;
    expect(await store.prune("home", last)).toBe(49);
    expect(rowsOf("text")).toBe(3);
    expect(await store.prune("home", last + 2 * HOUR_US)).toBe(1);
    expect(["text", "series", "entity"].map(rowsOf)).toEqual([0, 0, 0]);
  });

  it("prunes more than one chunk, while another store writes in between", async () => {
    const pruned = open();
    const writer = open(5_000);
    await pruned.write(manyEvents(12_000));
    const pruning = pruned.prune("home", SOME_TIME_US + 11_000 * 250_000);
    await writer.write([buildEvent({ atUs: SOME_TIME_US + 20_000 * 250_000 })]);
    expect(await pruning).toBe(11_000);
    expect(rowsOf("event")).toBe(1_001);
  });

  it("does not let a writer use ids that another process has deleted", async () => {
    const writer = open();
    const other = open();
    await writer.write([fullEvent]);
    await other.prune("home", SOME_TIME_US + 2 * HOUR_US);
    await writer.write([fullEvent]);
    expect((await other.range(EVERYTHING)).events).toEqual([fullEvent]);
    expect((await other.range({ ...EVERYTHING, areaId: "garden" })).events).toEqual([fullEvent]);
  });

  it("keeps what a later event uses, whoever wrote that, when an earlier one is written after it", async () => {
    const [one, other] = [open(), open()];
    const at = (hours: number) => ({ ...fullEvent, atUs: SOME_TIME_US + hours * HOUR_US });
    await one.write([at(0)]);
    await other.write([at(48)]);
    await one.write([at(24)]);
    await one.prune("home", SOME_TIME_US + 40 * HOUR_US);
    const { events } = await one.range(EVERYTHING);
    expect(events.map((event) => event.attributes)).toEqual([fullEvent.attributes]);
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
});

/** A process that writes events one by one and prints a line for each that is stored. */
function startWriter(path: string, homeId: string, count: number) {
  const program = `
    import { createSqliteEventStore } from "./lib/adapters/sqlite/event-store.ts";
    import { buildEvent, SOME_TIME_US } from "./tests/support/events.ts";
    const store = createSqliteEventStore({ path: process.env.STORE_PATH });
    for (let step = 0; step < ${count}; step++) {
      await store.write([buildEvent({ homeId: "${homeId}", atUs: SOME_TIME_US + step, attributes: { step } })]);
      console.log(step);
    }
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
