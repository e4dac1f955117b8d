import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { crc32c } from "../../../lib/adapters/journal/crc32c.ts";
import { createNodeFiles } from "../../../lib/adapters/journal/node-files.ts";
import { openJournal } from "../../../lib/adapters/journal/open.ts";
import { createLogger } from "../../../lib/base/log.ts";
import type { Spool } from "../../../lib/relay/ports.ts";
import { readConfig } from "../../../lib/wiring/config.ts";
import { openSpool } from "../../../lib/wiring/relay-spool.ts";
import { FaultFs, seededRandom } from "../../support/fault-fs.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { stateEntry } from "../../support/relay-records.ts";

const ALL = { limit: 1_000_000, maxBytes: 1_000_000_000 };
let folder: string;
let logged: string[];
const opened: Spool[] = [];

const open = async (env: Record<string, string> = {}, sinks = ["cloud"]) => {
  const config = readConfig({ HEARTHLINE_DATA: folder, ...env });
  const spool = await openSpool(config, { log: createLogger({ write: (line) => logged.push(line) }), sinks });
  opened.push(spool);
  return spool;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-upgrade-"));
  logged = [];
});
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  rmSync(folder, { recursive: true, force: true });
});

const old = () => join(folder, "relay", "spool.db");
const lineOf = (n: number) => `{"n":${n},"t":"state","entity_id":"sensor.e${n}","ü":"${"x".repeat(300)}"}`;
const LOSS = `{"n":4000,"t":"loss","first":1,"last":9,"count":9,"reason":"r","from":"2026-01-01T00:00:00.000Z","to":"2026-01-01T00:00:01.000Z"}`;

/** As version 0.1 wrote it: 2,001 to 6,000 are not acknowledged. */
function writeOld(relayId = "old-relay"): void {
  mkdirSync(dirname(old()), { recursive: true });
  const db = new DatabaseSync(old());
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE cursors (sink TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE records (n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, loss INTEGER NOT NULL, line TEXT NOT NULL);
    PRAGMA application_id = ${0x484c7370}; PRAGMA user_version = 1; BEGIN`);
  const meta = db.prepare("INSERT INTO meta VALUES (?, ?)");
  for (const [name, value] of Object.entries({
    relay_id: relayId,
    last_sequence: 6000,
    losses: 9,
    last_revision: 77,
    is_closed: 0,
  }))
    meta.run(name, value);
  db.exec("INSERT INTO cursors VALUES ('cloud', 2000)");
  const insert = db.prepare("INSERT INTO records VALUES (?, ?, ?, ?)");
  for (let n = 2001; n <= 6000; n++)
    insert.run(n, 1_700_000_000_000 + n, n === 4000 ? 1 : 0, n === 4000 ? LOSS : lineOf(n));
  db.exec("COMMIT");
  db.close();
}

describe("what version 0.1 left", () => {
  it("is taken over with its numbers, and the old file is renamed", async () => {
    writeOld();
    const spool = await open();
    expect(spool.state()).toMatchObject({
      relayId: "old-relay",
      lastSequence: 6000,
      lastRevision: 77,
      losses: 9,
      records: 4000,
      cursors: { cloud: 2000 },
      oldestAtMs: 1_700_000_002_001,
    });
    const records = await spool.read("cloud", ALL);
    expect(records.map(({ n, line }) => [n, line])).toEqual(
      Array.from({ length: 4000 }, (_, index) => [2001 + index, index === 1999 ? LOSS : lineOf(2001 + index)]),
    );
    expect(await spool.append([stateEntry("new")])).toEqual([6001]);
    expect(existsSync(old())).toBe(false);
    expect(existsSync(`${old()}.moved`)).toBe(true);
    await spool.close();
    expect((await open()).state()).toMatchObject({ relayId: "old-relay", lastSequence: 6001, losses: 9 });
  });

  it("is taken over again when the move was broken off before the old file was renamed", async () => {
    writeOld();
    const spool = await open();
    await spool.append([stateEntry("new")]);
    await spool.close();
    writeOld();
    const again = await open();
    expect(again.state()).toMatchObject({ relayId: "old-relay", lastSequence: 6001, records: 4001 });
    expect(existsSync(old())).toBe(false);
  });

  it("is appended with new numbers when another spool was begun meanwhile", async () => {
    const first = await open();
    await first.append([stateEntry("mine")]);
    const { relayId } = first;
    await first.close();
    writeOld();
    const spool = await open();
    expect(spool.state()).toMatchObject({ relayId, lastSequence: 4001 });
    const lines = (await spool.read("cloud", ALL)).map(({ line }) => JSON.parse(line));
    expect(lines[1]).toMatchObject({ n: 2, entity_id: "sensor.e2001" });
    expect(lines.filter(({ t }) => t === "loss")).toMatchObject([{ count: 9 }]);
  });

  it("is whole after a crash at any change of the move", async () => {
    const records = Array.from({ length: 400 }, (_, index) => ({
      n: 11 + index,
      appendedAtMs: 5,
      line: lineOf(11 + index),
      isLoss: false,
    }));
    const earlier = (onFinish: () => void) => ({
      relayId: "old-relay",
      last: 410,
      revision: 3,
      losses: 0,
      cursors: { cloud: 10 },
      records: () => records,
      finish: onFinish,
    });
    for (let at = 1; at < 40; at++) {
      const fs = new FaultFs(seededRandom(at));
      let isFinished = false;
      const start = () =>
        openJournal({
          files: fs.files(),
          log: createLogger({ write: (line) => logged.push(line) }),
          clock: manualClock(),
          homeId: "home",
          newRelayId: () => "never",
          sinks: ["cloud"],
          maxBytes: 1_000_000,
          earlier: isFinished
            ? undefined
            : earlier(() => {
                isFinished = true;
              }),
        });
      fs.plant(at, "crash");
      await start().catch(() => {});
      fs.crash();
      const spool = await start();
      expect(isFinished).toBe(true);
      expect(spool.state()).toMatchObject({
        relayId: "old-relay",
        lastSequence: 410,
        lastRevision: 3,
        losses: 0,
        cursors: { cloud: 10 },
      });
      expect((await spool.read("cloud", ALL)).map(({ line }) => line)).toEqual(records.map(({ line }) => line));
    }
  });

  it("is waited for while a relay of version 0.1 still runs", async () => {
    writeOld();
    const db = new DatabaseSync(old());
    db.exec("BEGIN IMMEDIATE");
    await expect(open()).rejects.toMatchObject({ code: "already_running" });
    db.exec("ROLLBACK");
    db.close();
    expect((await open()).relayId).toBe("old-relay");
  });
});

describe("a spool that is not this relay's", () => {
  it("is in use by another one, which does not notice", async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({
      code: "already_running",
      message: expect.stringContaining("one relay for one spool"),
    });
    expect(await first.append([stateEntry("a")])).toEqual([1]);
    await first.close();
    expect((await open()).state().lastSequence).toBe(1);
  });

  it("belongs to another home: refused, with what to do, and nothing is changed", async () => {
    const first = await open();
    await first.append([stateEntry("a")]);
    await first.close();
    for (const gone of ["", "state"]) {
      if (gone) rmSync(join(folder, "relay", "spool", gone));
      const before = readdirSync(join(folder, "relay", "spool"));
      await expect(open({ HEARTHLINE_HOME_ID: "other" })).rejects.toMatchObject({
        code: "data_folder_unusable",
        message: expect.stringContaining("HEARTHLINE_HOME_ID"),
      });
      expect(readdirSync(join(folder, "relay", "spool"))).toEqual(before);
    }
    expect((await open()).state().lastSequence).toBe(1);
  });

  it("was written by a newer version: refused, with what to do, and nothing is changed", async () => {
    const first = await open();
    await first.append([stateEntry("a")]);
    await first.close();
    const path = join(folder, "relay", "spool", "0000000000000001.seg");
    const bytes = readFileSync(path);
    bytes.writeUInt16LE(2, 8);
    const length = bytes.readUInt16LE(10);
    bytes.writeUInt32LE(crc32c(bytes, 0, length - 4), length - 4);
    writeFileSync(path, bytes);
    await expect(open()).rejects.toMatchObject({
      code: "data_folder_unusable",
      fate: "stop",
      message: expect.stringContaining("newer Hearthline"),
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

describe("sinks of a spool", () => {
  it("a new one begins with what the others have not all taken, one that is not named any more is forgotten", async () => {
    const first = await open();
    await first.append([stateEntry("a"), stateEntry("b"), stateEntry("c")]);
    await first.acknowledge("cloud", 1);
    await first.close();
    const both = await open({}, ["cloud", "old"]);
    expect(both.state().cursors).toEqual({ cloud: 1, old: 1 });
    await both.acknowledge("cloud", 3);
    expect(both.state().records).toBe(2);
    await both.close();
    expect((await open()).state()).toMatchObject({ cursors: { cloud: 3 }, records: 0 });
    expect(logged.join()).toContain("forgotten");
  });

  it("the folder and its files are for nobody else", async () => {
    const spool = await open();
    await spool.append([stateEntry("a")]);
    const files = createNodeFiles(join(folder, "relay", "spool"));
    expect((await files.list()).map(({ name }) => name).sort()).toEqual(["0000000000000001.seg", "state"]);
    expect(await files.freeBytes()).toBeGreaterThan(0);
  });
});
