import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOldDevices } from "../../../lib/adapters/legacy/old-devices.ts";
import type { OldDevice } from "../../../lib/migration/ports.ts";
import { startLegacy } from "../../../local/legacy/server.ts";
import { manualClock } from "../../support/manual-clock.ts";

function folder(): string {
  const data = mkdtempSync(join(tmpdir(), "hearthline-devices-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  return data;
}

const FULL: OldDevice = {
  ...{ id: "d1", name: "Lamp 'é'", manufacturer: "Acme", model: "L1", swVersion: "1.0", area: "hall" },
  ...{ labels: ["a", "b"], capabilities: ["brightness"], changedAtMs: Date.UTC(2026, 10, 22) },
};

async function httpList() {
  const legacy = await startLegacy({ port: 0, data: folder(), seed: 1, token: "t", clock: manualClock() });
  onTestFinished(() => legacy.stop());
  return createOldDevices(`${legacy.url}/api/devices`, { token: "t" }, {});
}

function sqliteFile(columns: string): string {
  const path = join(folder(), "devices.db");
  const db = new DatabaseSync(path);
  db.exec(`CREATE TABLE devices (${columns})`);
  db.close();
  return path;
}
const ALL_COLUMNS =
  "id TEXT PRIMARY KEY, name TEXT, manufacturer TEXT, model TEXT, sw_version TEXT, area TEXT, labels TEXT, capabilities TEXT, changed_at TEXT";

describe.each([
  ["HTTP", httpList],
  ["a SQLite file", async () => createOldDevices(sqliteFile(ALL_COLUMNS), {}, {})],
] as const)("a list of devices by %s", (_, open) => {
  it("gives back what it was given, and changes by id", async () => {
    const devices = await open();
    expect(await devices.list()).toEqual([]);
    expect(await devices.put([FULL, { id: "d2" }])).toEqual({ refused: [] });
    expect(await devices.list()).toEqual([FULL, { id: "d2" }]);
    await devices.put([{ ...FULL, name: "Other", labels: [] }]);
    expect(await devices.list()).toEqual([{ ...FULL, name: "Other", labels: [] }, { id: "d2" }]);
    expect(await devices.put([])).toEqual({ refused: [] });
  });
});

describe("a SQLite file of somebody else's", () => {
  it("keeps columns that nobody here knows, and lacks what it has no column for", async () => {
    const path = sqliteFile("id TEXT, name TEXT NOT NULL, room INTEGER DEFAULT 7");
    const devices = createOldDevices(path, {}, {});
    const { refused } = await devices.put([FULL, { id: "d2" }]);
    expect(refused).toEqual([{ id: "d2", reason: expect.stringMatching(/NOT NULL/) as string }]);
    await devices.put([{ ...FULL, name: "Other" }]);
    expect(await devices.list()).toEqual([{ id: "d1", name: "Other" }]);
    const db = new DatabaseSync(path, { readOnly: true });
    expect(
      db
        .prepare("SELECT room FROM devices")
        .all()
        .map(({ room }) => room),
    ).toEqual([7]);
    db.close();
  });

  it("is named when it is not there, no database, without the table, or says something odd", async () => {
    const missing = join(folder(), "none.db");
    await expect(createOldDevices(missing, {}, {}).list()).rejects.toMatchObject({ code: "service_unreachable" });
    const text = join(folder(), "text.db");
    writeFileSync(text, "no database at all, but long enough to be read as one ".repeat(100));
    await expect(createOldDevices(text, {}, {}).list()).rejects.toMatchObject({ code: "old_malformed" });
    const other = createOldDevices(sqliteFile("name TEXT"), {}, {});
    await expect(other.list()).rejects.toThrow(/no column "id"/);
    const path = sqliteFile(ALL_COLUMNS);
    const db = new DatabaseSync(path);
    db.exec("INSERT INTO devices (id, changed_at) VALUES ('a', '2026-11-22 10:00:00')");
    await expect(createOldDevices(path, {}, {}).list()).rejects.toThrow(
      /ISO 8601 with an offset: .*2026-11-22 10:00:00/,
    );
    db.exec("UPDATE devices SET changed_at = NULL, labels = 'a, b'");
    await expect(createOldDevices(path, {}, {}).list()).rejects.toThrow(/labels.* no JSON/);
    db.close();
  });

  it("is waited for while another program writes, and then named", async () => {
    const path = sqliteFile(ALL_COLUMNS);
    const db = new DatabaseSync(path);
    db.exec("BEGIN EXCLUSIVE");
    const devices = createOldDevices(path, {}, { timeoutMs: 50 });
    await expect(devices.put([FULL])).rejects.toMatchObject({ code: "service_timeout" });
    db.exec("COMMIT");
    db.close();
    expect(await devices.put([FULL])).toEqual({ refused: [] });
  });
});

describe("an HTTP list", () => {
  const listOf = (answer: () => Response) =>
    createOldDevices("http://old.test/api/devices", {}, { fetch: async () => answer() });
  it.each([
    ["no list", () => Response.json({ devices: 5 })],
    ["an id that is a number", () => Response.json([{ id: 5 }])],
    ["a name that is a number", () => Response.json([{ id: "a", name: 5 }])],
    ["an error inside", () => Response.json({ error: "x" })],
    ["a web page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
  ])("is malformed when it is %s", async (_, answer) => {
    await expect(listOf(answer).list()).rejects.toMatchObject({ code: "old_malformed" });
  });

  it("is written by POST where it knows no PUT, and names what it refuses", async () => {
    const methods: (string | undefined)[] = [];
    const devices = createOldDevices(
      "http://old.test/api/devices",
      {},
      {
        fetch: async (_, init) => {
          methods.push(init?.method);
          if (init?.method === "PUT") return new Response("", { status: 405 });
          return Response.json({ rejected: [{ index: 1, code: "too_long", detail: "the name" }] });
        },
      },
    );
    expect(await devices.put([{ id: "a" }, { id: "b" }])).toEqual({
      refused: [{ id: "b", reason: "too_long: the name" }],
    });
    expect(methods).toEqual(["PUT", "POST"]);
  });
});
