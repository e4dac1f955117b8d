import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { createOldDevices } from "../../../lib/adapters/legacy/old-devices.ts";
import { createDevicesCheck } from "../../../lib/migration/checks/devices.ts";
import { migrationOf } from "../../support/migrations.ts";
import { device, fakeHome } from "./fakes.ts";

it("a list in a SQLite file is brought in step: rows are created and changed, refused ones named, columns that are missing found out", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-devices-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "devices.db");
  const db = new DatabaseSync(path);
  onTestFinished(() => db.close());
  db.exec("CREATE TABLE devices (id TEXT PRIMARY KEY, name TEXT, model TEXT NOT NULL, area TEXT, room_colour TEXT)");
  db.exec("INSERT INTO devices VALUES ('d1', 'Lampe', 'LED1', 'Attic', 'blue'), ('7', 'Fan', 'F1', NULL, 'red')");
  const home = await fakeHome({
    devices: [
      device({ deviceId: "d1", name: "Lamp", model: "LED1", labels: ["a"] }),
      device({ deviceId: "d2", name: "Fan", model: "F1", areaId: "k" }),
      device({ deviceId: "d3", name: "Heater", model: "H1", manufacturer: "ACME" }),
      device({ deviceId: "d4", name: "No model" }),
    ],
    areas: [{ areaId: "k", name: "Kitchen", labels: [] }],
  });
  const check = createDevicesCheck({ ...home.ports, old: createOldDevices(path, {}, {}) });
  const run = (memory?: unknown) =>
    check.run({
      migration: migrationOf({ state: "shadow" }),
      nowUs: home.clock.nowMs() * 1000,
      memory,
      signal: new AbortController().signal,
    });
  const first = await run();
  expect(first.results[0]).toMatchObject({ verdict: "pass", isAlert: true });
  expect(first.results[0]?.explanation).toMatch(
    /1 were created and 2 changed .*OLD refuses: 1 \(d4: .*NOT NULL.*no place for manufacturer, labels/,
  );
  expect(
    db
      .prepare("SELECT * FROM devices ORDER BY id")
      .all()
      .map((row) => Object.values(row)),
  ).toEqual([
    ["7", "Fan", "F1", "Kitchen", "red"],
    ["d1", "Lamp", "LED1", "Attic", "blue"],
    ["d3", "Heater", "H1", null, null],
  ]);
  const next = async ({ memory }: { memory?: unknown }) => run(JSON.parse(JSON.stringify(memory)));
  const second = await next(first);
  expect(second.results[0]?.explanation).toMatch(/0 were created and 0 changed .*OLD refuses: 1 /);
  const third = await next(second);
  expect(third).toEqual({ results: second.results });
});
