import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "../../../lib/base/clock.ts";
import { readOptions } from "../../../local/start/options.ts";
import { freePorts } from "../../../local/start/ports.ts";
import { processStarted, readRun } from "../../../local/start/run-file.ts";
import { readSettings } from "../../../local/start/settings.ts";
import { createStackRun } from "../../../local/start/stack-run.ts";

const root = resolve(import.meta.dirname, "../../..");

it("says why a part does not come up, and leaves nothing running behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-run-"));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|HEARTHLINE_)/.test(name)));
  const lines: string[] = [];
  const stack = await createStackRun({
    settings: readSettings(readOptions(["--data", folder, "--home", "none"]), env, folder),
    root,
    serviceFolder: join(root, "tests/fixtures/broken-stack"),
    port: (await freePorts(1))[0] ?? 0,
    startedAt: "2026-11-22T06:00:00.000Z",
    processStarted: processStarted(process.pid) ?? "",
    clock: systemClock,
    random: () => 0.5,
    say: (line) => lines.push(line),
    warn: (line) => lines.push(line),
  });
  await expect(stack.start()).rejects.toThrow(/"functions" did not come up: ended with code 1: .*exports no "handler"/);
  const pids = (readRun(folder)?.parts ?? []).map(({ pid }) => pid);
  expect(pids).toHaveLength(3);
  await stack.stop();
  expect(pids.filter((pid) => processStarted(pid) !== undefined)).toEqual([]);
  expect(existsSync(join(folder, "run.json"))).toBe(false);
  expect(lines.some((line) => /^functions +ended with code 1/.test(line))).toBe(true);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});
