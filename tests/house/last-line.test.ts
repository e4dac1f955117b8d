import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const PASSES = 'it("passes", () => {});';
const FAILS = 'it("fails", () => { throw new Error("no"); });';
const SKIPS = 'describe("a peer", () => it.skip("cannot run here: no network", () => {}));';

/** Runs one of the two scripts over test files of its own; its last lines and its exit code. */
async function runScript(script: string, files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), "hearthline-last-line-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const config = join(folder, "vitest.config.mjs");
  await writeFile(config, 'export default { test: { globals: true, include: ["*.test.mjs"] } };');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  const args = [join(ROOT, "scripts", script), "--config", config, "--root", folder];
  return new Promise<{ code: number; lines: readonly string[] }>((settle) => {
    execFile(process.execPath, args, { env, cwd: ROOT }, (error, stdout) => {
      settle({ code: typeof error?.code === "number" ? error.code : 0, lines: stdout.trimEnd().split("\n").slice(-2) });
    });
  });
}

describe("the last line", () => {
  it.each([
    ["all that passed", { "a.test.mjs": `${PASSES}\n${PASSES}` }, "2 passed, 0 failed", 0],
    ["what failed", { "a.test.mjs": `${PASSES}\n${FAILS}` }, "1 passed, 1 failed", 1],
    [
      "a file that cannot be loaded",
      { "a.test.mjs": PASSES, "b.test.mjs": 'import "./nothing.mjs";' },
      "1 passed, 1 failed",
      1,
    ],
    [
      "an error that no test caught",
      { "a.test.mjs": `${PASSES}\nPromise.reject(new Error("lost"));` },
      "1 passed, 1 failed",
      1,
    ],
    ["that there was nothing to run", {}, "0 passed, 1 failed", 1],
    ["a skipped test, as a failure", { "a.test.mjs": `${PASSES}\n${SKIPS}` }, "1 passed, 1 failed", 1],
  ])("of npm test counts %s", async (_what, files, line, code) => {
    const ended = await runScript("test.mjs", files);
    expect([ended.lines.at(-1), ended.code]).toEqual([line, code]);
  });

  it("of npm run test:peers counts skips, after a line with each one's reason, and does not fail for them", async () => {
    const ended = await runScript("test-peers.mjs", { "a.test.mjs": `${PASSES}\n${SKIPS}` });
    expect(ended).toEqual({
      code: 0,
      lines: ["skipped: a peer cannot run here: no network", "1 passed, 0 failed, 1 skipped"],
    });
  });
});
