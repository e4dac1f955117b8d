import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeLock } from "../../../lib/adapters/sqlite/lock.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { fileProblemOf } from "../../../lib/base/file-errors.ts";
import { relayExit } from "../../../lib/wiring/relay.ts";

describe("the lock of the relay's folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearthline-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("lets one in at a time", () => {
    const path = join(folder, "relay", "spool.lock");
    const unlock = takeLock(path, "relay's folder");
    expect(() => takeLock(path, "relay's folder")).toThrow(expect.objectContaining({ code: "already_running" }));
    unlock();
    takeLock(path, "relay's folder")();
  });

  it("says what is wrong with the folder, and that a person has to act", () => {
    writeFileSync(join(folder, "relay"), "");
    const path = join(folder, "relay", "spool.lock");
    expect(() => takeLock(path, "relay's folder")).toThrow(
      expect.objectContaining({ code: "data_folder_unusable", message: expect.stringContaining("wanted is a folder") }),
    );
  });

  it("a read-only file system is named, with what to do, and the relay ends as one that only a person can help", () => {
    const readOnly = Object.assign(new Error("EROFS: read-only file system, open"), { code: "EROFS" });
    expect(fileProblemOf(readOnly)).toMatchObject({
      needsPerson: true,
      state: expect.stringMatching(/read-only.*mount it read-write.*HEARTHLINE_DATA/),
    });
    expect(fileProblemOf(Object.assign(new Error("full"), { code: "ENOSPC" }))).toMatchObject({ needsPerson: false });
    expect(fileProblemOf(new Error("other"))).toBeUndefined();
    expect(relayExit(new HearthlineError("data_folder_unusable", "read-only"))).toMatchObject({ code: 78 });
    expect(relayExit(new HearthlineError("spool_failed", "full"))).toMatchObject({ code: 1 });
  });
});
