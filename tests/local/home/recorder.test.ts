import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { openRecorder } from "../../../local/home/live/recorder.ts";

it("a recorder that is older than contexts is gone on with: old rows have none, new ones have", () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-recorder-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "recorder.db");
  const old = new DatabaseSync(path);
  old.exec(`
    CREATE TABLE entities (id INTEGER PRIMARY KEY, entity_id TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE attributes (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE states (id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, updated REAL NOT NULL, changed REAL, state TEXT, attributes INTEGER NOT NULL) STRICT;
    INSERT INTO entities VALUES (1, 'light.a'); INSERT INTO attributes VALUES (1, '{}');
    INSERT INTO states VALUES (1, 1, 5, NULL, 'off', 1);
  `);
  old.close();
  const context = { id: "01M82WTM2HYY3CR6EE3XTX8JZK", parent_id: null, user_id: "u" };
  const recorder = openRecorder(path);
  onTestFinished(() => recorder.close());
  recorder.add("light.a", { at: 6, changedAt: 6, state: "on", attributes: {}, context });
  recorder.commit();
  expect([...recorder.rows("light.a", 0, 9)].map((row) => [row.state, row.context])).toEqual([
    ["off", undefined],
    ["on", context],
  ]);
  expect(recorder.entityIds()).toEqual(["light.a"]);
});
