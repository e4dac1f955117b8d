import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ulidOf } from "../../../lib/adapters/recorder/context.ts";
import { createRecorderSource } from "../../../lib/adapters/recorder/source.ts";
import type { HistoryChunk, HistorySource } from "../../../lib/history/index.ts";
import { second } from "../../support/imports.ts";
import { RecorderDatabase, type WrittenRow } from "../../support/recorder-database.ts";

let folder: string;
let path: string;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-recorder-"));
  path = join(folder, "home-assistant_v2.db");
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

const rows = (count: number, from = 0): WrittenRow[] =>
  Array.from({ length: count }, (_, n) => ({
    entityId: `sensor.s${(from + n) % 20}`,
    state: String(from + n),
    atUs: second(from + n),
    attributes: { friendly_name: `Sensor ${"x".repeat(200)} ${from + n}` },
  }));

function written(count: number, schema?: ConstructorParameters<typeof RecorderDatabase>[1]): RecorderDatabase {
  const database = new RecorderDatabase(path, schema);
  database.write(rows(count));
  return database;
}
function source(of = path): HistorySource {
  const made = createRecorderSource(of);
  opened.push(made);
  return made;
}
async function all(of: HistorySource, position?: unknown) {
  const chunks: HistoryChunk[] = [];
  for await (const chunk of of.read(position, new AbortController().signal)) chunks.push(chunk);
  return {
    states: chunks.flatMap((chunk) => chunk.rows.map(({ state }) => state)),
    rejected: chunks.flatMap((chunk) => chunk.rejected),
    remarks: chunks.flatMap(({ remark }) => remark ?? []),
    position: chunks.at(-1)?.position,
    fractions: chunks.map(({ fraction }) => fraction),
  };
}
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, n) => String(from + n));

describe("a recorder's database", () => {
  it("that nobody writes is read whole and left as it was, without side files", async () => {
    written(2_500).close();
    const before = readFileSync(path);
    const found = await all(source());
    expect(found.states).toEqual(upTo(2_500));
    expect(found.fractions.at(-1)).toBe(1);
    await opened.splice(0)[0]?.close();
    expect(readdirSync(folder)).toEqual(["home-assistant_v2.db"]);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("that is being written is read with its log, and the writer goes on meanwhile", async () => {
    const writer = written(1_500);
    opened.push(writer);
    const states: (string | null)[] = [];
    for await (const chunk of source().read(undefined, new AbortController().signal)) {
      if (states.length === 0) writer.write(rows(600, 1_500));
      states.push(...chunk.rows.map(({ state }) => state));
    }
    expect(states).toEqual(upTo(2_100));
  });

  it("that Home Assistant opens in the middle is opened anew, with its log", async () => {
    written(1_500).close();
    const states: (string | null)[] = [];
    for await (const chunk of source().read(undefined, new AbortController().signal)) {
      if (states.length === 0) {
        const again = new DatabaseSync(path);
        opened.push(again);
        again.exec(
          "INSERT INTO states (state_id, state, last_updated_ts, metadata_id) VALUES (1501, 'late', 1788300000.5, 1)",
        );
      }
      states.push(...chunk.rows.map(({ state }) => state));
    }
    expect(states.at(-1)).toBe("late");
    expect(states).toHaveLength(1_501);
  });

  it("is known again in a copy, goes on in a newer one, and finds nothing new in the same", async () => {
    const writer = written(1_200);
    opened.push(writer);
    const first = source();
    const { position } = await all(first);
    expect((await all(source(), position)).states).toEqual([]);
    writer.write(rows(5, 1_200));
    writer.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const copy = join(folder, "copy.db");
    copyFileSync(path, copy);
    const second = source(copy);
    expect(second.identity).toBe(first.identity);
    expect((await all(second, position)).states).toEqual(upTo(5, 1_200));
  });

  it("goes on where old rows were purged, and begins again where numbers were used again", async () => {
    const writer = written(50);
    opened.push(writer);
    const { position } = await all(source());
    writer.db.exec("DELETE FROM states WHERE state_id <= 50");
    writer.write(rows(2, 50));
    expect((await all(source(), position)).states).toEqual(upTo(2, 50));
    writer.db.exec("UPDATE states SET state_id = state_id - 2");
    const again = await all(source(), position);
    expect(again.states).toEqual(upTo(2, 50));
    expect(again.remarks[0]).toContain("read again");
  });

  it("keeps contexts, origins and exact microseconds", async () => {
    const writer = new RecorderDatabase(path);
    const context = Uint8Array.from(Buffer.from("0199051d3f32a5b04f9d1e7a6c884420", "hex"));
    writer.write([{ entityId: "light.a", state: "on", atUs: second(1.000001), context }]);
    writer.close();
    const { done, value } = await source().read(undefined, new AbortController().signal)[Symbol.asyncIterator]().next();
    expect(done).toBe(false);
    expect((value as HistoryChunk).rows[0]).toMatchObject({
      atUs: second(1.000001),
      origin: "LOCAL",
      context: { id: "01K42HTFSJMPR4Z78YF9P8GH10", parent_id: null, user_id: null },
    });
  });

  it("writes a context as Home Assistant does", () => {
    // Pairs made with ulid-transform 0.9.0, the library of Home Assistant 2024.3.3.
    expect(ulidOf(Buffer.alloc(16))).toBe("00000000000000000000000000");
    expect(ulidOf(Buffer.from("0190a2b3c4d5e6f708192a3b4c5d6e7f", "hex"))).toBe("01J2HB7H6NWVVGG69A7D65TVKZ");
    expect(ulidOf(Buffer.alloc(16, 255))).toBe("7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  });

  it("gives wrong rows by their number, and the rest", async () => {
    const writer = written(3);
    writer.db.exec("UPDATE state_attributes SET shared_attrs = '[1' WHERE attributes_id = 1");
    writer.db.exec("UPDATE states SET last_updated_ts = NULL WHERE state_id = 2");
    writer.db.exec("INSERT INTO states (state_id, state, last_updated_ts) VALUES (9, 'x', 1)");
    writer.close();
    const { states, rejected } = await all(source());
    expect(states).toEqual(["2"]);
    expect(rejected.map(({ place, code }) => [place, code])).toEqual([
      [1, "event_attributes_invalid"],
      [2, "event_time_invalid"],
      [9, "event_entity_id_invalid"],
    ]);
  });
});

describe("rows that no recorder writes", () => {
  /** Row 1 is good; what `sql` adds is not. */
  function damaged(...sql: string[]): HistorySource {
    const database = written(1);
    for (const each of sql) database.db.exec(each);
    database.close();
    return source();
  }
  const insert = (columns: string, values: string) =>
    `INSERT INTO states (state_id, metadata_id, attributes_id, ${columns}) VALUES (2, 1, 1, ${values})`;

  it.each([
    ["a time that is infinite", "state, last_updated_ts", "'x', 9e999", "event_time_invalid"],
    ["a state of bytes", "state, last_updated_ts", "x'00ff', 1788300000.5", "event_state_invalid"],
    ["no time", "state", "'x'", "event_time_invalid"],
    ["a removal that changed never", "last_updated_ts, last_changed_ts", "1788300000.5, 9e999", "event_time_invalid"],
  ])("%s: the row is rejected, and the next time goes on behind it", async (_what, columns, values, code) => {
    const first = await all(damaged(insert(columns, values)));
    expect(first).toMatchObject({ states: ["0"], rejected: [{ place: 2, code }] });
    expect(await all(source(), JSON.parse(JSON.stringify(first.position)))).toMatchObject({
      ...{ states: [], rejected: [], remarks: [] },
    });
  });

  it("an integer that no double holds costs nothing but itself", async () => {
    const huge = "9007199254740995000";
    const found = await all(
      damaged(
        insert("state, last_updated_ts, origin_idx", `'x', 1788300000.5, ${huge}`),
        `UPDATE states SET attributes_id = ${huge} WHERE state_id = 2`,
      ),
    );
    expect(found).toMatchObject({ states: ["0", "x"], rejected: [] });
  });

  it("a row number that no double holds ends the reading with a reason, behind all rows in front of it", async () => {
    const of = damaged(
      "INSERT INTO states (state_id, metadata_id, state, last_updated_ts) VALUES (9007199254740995000, 1, 'x', 1788300000.5)",
    );
    const states: (string | null)[] = [];
    const reading = async () => {
      for await (const { rows } of of.read(undefined, new AbortController().signal))
        states.push(...rows.map(({ state }) => state));
    };
    await expect(reading()).rejects.toMatchObject({ message: expect.stringContaining("beyond 2^53") });
    expect(states).toEqual(["0"]);
  });

  it("row numbers below 1 are read", async () => {
    const of = damaged(
      "INSERT INTO states (state_id, metadata_id, state, last_updated_ts) VALUES (-4, 1, 'x', 1788300000.5)",
    );
    expect((await all(of)).states).toEqual(["x", "0"]);
  });

  it("numbers that JSON does not have, which Python's json wrote, become null", async () => {
    const database = written(1, "2021");
    database.db.exec(
      `INSERT INTO states (state_id, entity_id, state, attributes, last_updated) VALUES (2, 'sensor.n', 'x', '{"a": NaN, "b": [-Infinity], "c": "NaN \\" Infinity"}', '2026-09-01 00:00:01.5')`,
    );
    database.close();
    const rows: unknown[] = [];
    for await (const chunk of source().read(undefined, new AbortController().signal)) rows.push(...chunk.rows);
    expect(rows[1]).toMatchObject({ attributes: { a: null, b: [null], c: 'NaN " Infinity' } });
  });

  it("attributes of megabytes: a chunk stays small", async () => {
    const database = written(0, "2021");
    const big = { text: "x".repeat(3_000_000) };
    database.write(
      Array.from({ length: 12 }, (_, n) => ({
        entityId: "sensor.big",
        state: String(n),
        atUs: second(n),
        attributes: { ...big, n },
      })),
    );
    database.close();
    const counts: number[] = [];
    for await (const chunk of source().read(undefined, new AbortController().signal)) counts.push(chunk.rows.length);
    expect(counts).toEqual([3, 3, 3, 3]);
  });
});

describe("what is no whole recorder's database", () => {
  const codeOf = (of = path) => {
    try {
      source(of);
      return "opened";
    } catch (thrown) {
      const { code, message } = thrown as { code: string; message: string };
      return `${code} ${message}`;
    }
  };

  it("is named: missing, a folder, empty, another file, another database", () => {
    expect(codeOf()).toMatch(/^history_unreadable .*ENOENT/);
    expect(codeOf(folder)).toMatch(/^history_unreadable .*it is a folder/);
    writeFileSync(path, "");
    expect(codeOf()).toMatch(/^history_unreadable .*0 bytes/);
    writeFileSync(path, "entity_id,state\n".repeat(50));
    expect(codeOf()).toMatch(/^history_unreadable .*no SQLite database/);
    rmSync(path);
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE notes (text)");
    other.close();
    expect(codeOf()).toMatch(/^history_schema_unknown .*no table "states"/);
  });

  it("is of an unknown schema: read when it has what is needed, else its version is named", async () => {
    const writer = written(5);
    writer.db.exec("UPDATE schema_changes SET schema_version = 99; ALTER TABLE states ADD COLUMN something_new TEXT");
    writer.close();
    expect((await all(source())).states).toEqual(upTo(5));
    for (const each of opened.splice(0)) await each.close();
    const later = new DatabaseSync(path);
    later.exec(
      "ALTER TABLE states RENAME COLUMN last_updated_ts TO updated; ALTER TABLE states DROP COLUMN last_updated",
    );
    later.close();
    expect(codeOf()).toMatch(/^history_schema_unknown .*schema version "99".*last_updated_ts/);
  });

  it("has damaged pages: everything in front of them is read, then it is said", async () => {
    written(4_000).close();
    const file = openSync(path, "r+");
    const size = readFileSync(path).length;
    // Leaf pages of the rows, in the middle of the file.
    writeSync(file, Buffer.alloc(40_960, 0xff), 0, 40_960, Math.floor(size / 2 / 4096) * 4096);
    const states: (string | null)[] = [];
    const read = async () => {
      for await (const chunk of source().read(undefined, new AbortController().signal))
        states.push(...chunk.rows.map(({ state }) => state));
    };
    await expect(read()).rejects.toMatchObject({ code: "history_damaged" });
    await expect(read()).rejects.toThrow(/after the row with state_id \d+ .*\.recover/);
    expect(states.length).toBeGreaterThan(100);
  });

  it("is locked by another program", async () => {
    written(5).close();
    const other = new DatabaseSync(path);
    opened.push(other);
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO states (state) VALUES ('x')");
    expect(codeOf()).toMatch(/^history_busy .*stayed locked for 5 s/);
  });

  it("has the half of a transaction beside it", () => {
    written(5).close();
    const other = new DatabaseSync(path);
    other.exec("PRAGMA journal_mode = DELETE");
    other.close();
    writeFileSync(`${path}-journal`, "half");
    expect(codeOf()).toMatch(/^history_unreadable .*half of a transaction/);
  });

  it("lies in a folder that may only be read: with and without a log", async () => {
    const shut = join(folder, "shut");
    mkdirSync(shut);
    const writer = written(5);
    copyFileSync(path, join(shut, "with-log.db"));
    copyFileSync(`${path}-wal`, join(shut, "with-log.db-wal"));
    writer.close();
    copyFileSync(path, join(shut, "alone.db"));
    const isRoot = process.geteuid?.() === 0;
    chmodSync(folder, 0o755);
    chmodSync(shut, 0o555);
    // To root every folder is open.
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect((await all(source(join(shut, "alone.db")))).states).toEqual(upTo(5));
      expect(codeOf(join(shut, "with-log.db"))).toMatch(/^history_unreadable .*copy of both files/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(shut, 0o700);
    }
  });
});
