import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createImportStates } from "../../../lib/adapters/file/import-states.ts";
import type { ImportState } from "../../../lib/history/index.ts";

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "hearthline-states-")), "import");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const state: ImportState = {
  version: 1,
  homeId: "home",
  source: { kind: "jsonl", identity: "/a", name: "a" },
  relayId: "import-1",
  sequence: 7,
  position: { offset: 5 },
  pending: ["message"],
  entities: { "light.a": ["on", 1, 2], "light.b": [null, 3, 4] },
  isFinished: false,
};

describe("the state of an import", () => {
  it("is what was saved last, private, and listed", () => {
    const states = createImportStates(folder);
    expect(states.known()).toEqual([]);
    const file = states.open("one");
    expect(file.load()).toBeUndefined();
    file.save({ ...state, sequence: 6 });
    file.save(state);
    expect(file.load()).toEqual(state);
    expect(statSync(join(folder, "one.json")).mode & 0o777).toBe(0o600);
    expect(existsSync(join(folder, "one.json.new"))).toBe(false);
    expect(states.known()).toEqual([{ homeId: "home", source: state.source }]);
    file.close();
  });

  it("is held by one import at a time", () => {
    const file = createImportStates(folder).open("one");
    expect(() => createImportStates(folder).open("one")).toThrow(expect.objectContaining({ code: "already_running" }));
    createImportStates(folder).open("two").close();
    file.close();
    createImportStates(folder).open("one").close();
  });

  it("is set aside when it is damaged, and refused when it is of a newer program", () => {
    const file = createImportStates(folder).open("one");
    writeFileSync(join(folder, "one.json"), JSON.stringify(state).slice(0, 50));
    expect(file.load()).toBeUndefined();
    expect(file.remark).toMatch(/was damaged and is now called ".*one\.json\.damaged"/);
    expect(file.load()).toBeUndefined();
    expect(file.remark).toBeUndefined();
    expect(readFileSync(join(folder, "one.json.damaged"), "utf8")).toHaveLength(50);
    writeFileSync(join(folder, "one.json"), JSON.stringify({ ...state, version: 2 }));
    expect(() => file.load()).toThrow(expect.objectContaining({ code: "history_state_newer" }));
    expect(readdirSync(folder)).toContain("one.json");
    file.close();
  });

  it("says so when it cannot be written", () => {
    writeFileSync(folder, "a file stands where the folder should be");
    expect(() => createImportStates(folder).open("one")).toThrow(
      expect.objectContaining({ code: "data_folder_unusable" }),
    );
  });
});
