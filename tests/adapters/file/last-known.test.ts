import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { createFileLastKnown } from "../../../lib/adapters/file/last-known.ts";
import { knownEntity, knownImage, lastKnownConformance } from "../../conformance/last-known.ts";
import { keepLog } from "../../relay/fakes.ts";
import { manualClock } from "../../support/manual-clock.ts";

const root = mkdtempSync(join(tmpdir(), "hearthline-last-known-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

function place() {
  const folder = join(root, String(count++));
  const path = join(folder, "last-known.gz");
  const { log, lines } = keepLog();
  return { folder, path, lines, again: () => createFileLastKnown({ path, clock: manualClock(), log }) };
}

lastKnownConformance("a file", async () => place());

describe("the file of the last-known table", () => {
  it("is for its owner only, and nothing is left beside it", async () => {
    const { folder, path, again } = place();
    await again().save(knownImage());
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["last-known.gz"]);
    expect(gunzipSync(readFileSync(path)).toString().split("\n")[0]).toContain('"format":"hearthline-last-known-1"');
  });

  const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ["is cut short", (bytes) => bytes.subarray(0, bytes.length - 9)],
    ["is empty", () => Buffer.alloc(0)],
    ["is something else", () => Buffer.from("hello")],
    ["is of a newer form", (bytes) => changed(bytes, (text) => text.replace("last-known-1", "last-known-2"))],
    ["says another state", (bytes) => changed(bytes, (text) => text.replace('"on"', '"of"'))],
    ["lacks a line", (bytes) => changed(bytes, (text) => text.slice(0, text.lastIndexOf("\n")))],
  ];
  it.each(damages)("that %s is set aside, and the log says so", async (_, damage) => {
    const { folder, path, again, lines } = place();
    await again().save(knownImage());
    writeFileSync(path, damage(readFileSync(path)));
    expect(await again().load()).toBeUndefined();
    expect(readdirSync(folder)).toEqual([expect.stringContaining("last-known.gz.damaged-")]);
    expect(lines.join()).toContain("set aside");
    await again().save(knownImage());
    expect(await again().load()).toBeDefined();
  });

  it("stays what it was when the next one cannot be written", async () => {
    const { folder, path, again } = place();
    await again().save(knownImage());
    // A folder stands where the new file would be written.
    mkdirSync(`${path}.new`);
    await expect(again().save(knownImage({ sequence: 99 }))).rejects.toMatchObject({
      code: "spool_failed",
      fate: "retry",
    });
    expect((await again().load())?.sequence).toBe(7);
    expect(existsSync(folder)).toBe(true);
  });

  it("says when it cannot be read at all", async () => {
    const { path, again } = place();
    mkdirSync(path, { recursive: true });
    await expect(again().load()).rejects.toMatchObject({ code: "spool_failed" });
    chmodSync(path, 0o700);
  });

  it("takes 200,000 entities", async () => {
    const { again } = place();
    const entities = Array.from(
      { length: 200_000 },
      (_, at) => [`sensor.number_${at}`, knownEntity(String(at))] as const,
    );
    await again().save(knownImage({ entities }));
    expect([...((await again().load())?.entities ?? [])]).toHaveLength(200_000);
  }, 30_000);
});

const changed = (bytes: Buffer, change: (text: string) => string): Buffer =>
  gzipSync(change(gunzipSync(bytes).toString()));
