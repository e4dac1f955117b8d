import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJsonFile } from "../../../lib/adapters/file/json-file.ts";
import { createFileSinkSwitches } from "../../../lib/adapters/file/sink-switches.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearthline-sinks-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("which sinks were stopped", () => {
  it("is none at first, and what was kept last from then on, for whoever opens the file", async () => {
    const path = join(folder, "relay", "sinks.json");
    expect(await createFileSinkSwitches(path).load()).toEqual([]);
    await createFileSinkSwitches(path).save(["old"]);
    expect(await createFileSinkSwitches(path).load()).toEqual(["old"]);
    await createFileSinkSwitches(path).save([]);
    expect(await createFileSinkSwitches(path).load()).toEqual([]);
    expect(await readdir(join(folder, "relay"))).toEqual(["sinks.json"]);
  });

  it.each([
    ["torn", '{"format":"hearthline-sinks-1","off":["ol'],
    ["of another version", '{"format":"hearthline-sinks-2","off":["old"]}'],
    ["something else", "[]"],
  ])("is said to be unreadable when the file is %s", async (_what, text) => {
    const path = join(folder, "sinks.json");
    await writeFile(path, text);
    await expect(createFileSinkSwitches(path).load()).rejects.toMatchObject({ code: "spool_failed" });
  });

  it("is said when it cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(createFileSinkSwitches(join(folder, "file", "sinks.json")).save(["old"])).rejects.toMatchObject({
      code: "spool_failed",
      message: expect.stringContaining("sinks.json"),
    });
  });
});

describe("a value in a file", () => {
  it("is there whole, or not at all", async () => {
    const file = createJsonFile(join(folder, "value.json"));
    expect(await file.read()).toBeUndefined();
    await file.write({ a: [1, "two"] });
    expect(await file.read()).toEqual({ a: [1, "two"] });
    await writeFile(join(folder, "value.json"), "{");
    await expect(file.read()).rejects.toMatchObject({ code: "data_folder_unusable" });
  });
});
