import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileSinkTunings } from "../../../lib/adapters/file/sink-tunings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hearthline-tunings-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("what was tuned", () => {
  it("is nothing at first, and what was kept last from then on, for whoever opens the file", async () => {
    const path = join(folder, "relay", "tuning.json");
    expect(await createFileSinkTunings(path).load()).toEqual({});
    const kept = { flush: { ms: 5_000, insteadOfMs: 60_000 }, batch: { records: 500 } };
    await createFileSinkTunings(path).save(kept);
    expect(await createFileSinkTunings(path).load()).toEqual(kept);
    expect(await readdir(join(folder, "relay"))).toEqual(["tuning.json"]);
  });

  it.each([
    ["torn", '{"format":"hearthline-tuning-1","flush":{"ms":'],
    ["of another version", '{"format":"hearthline-tuning-2"}'],
    ["with a time that is none", '{"format":"hearthline-tuning-1","flush":{"ms":0,"insteadOfMs":1}}'],
  ])("is said to be unreadable when the file is %s", async (_what, text) => {
    const path = join(folder, "tuning.json");
    await writeFile(path, text);
    await expect(createFileSinkTunings(path).load()).rejects.toMatchObject({ code: "spool_failed" });
  });
});
