import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { processStarted, readRun, removeRun, writeRun } from "../../../local/start/run-file.ts";
import { run } from "../../support/process.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-run-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mine = () => ({
  url: "http://127.0.0.1:8787",
  pid: process.pid,
  started_at: "2026-11-22T06:00:00.000Z",
  process_started: processStarted(process.pid) ?? "",
  parts: [{ name: "relay", pid: 1, port: null }],
});

it("says what runs, until it is removed", () => {
  writeRun(folder, mine());
  expect(readRun(folder)).toEqual(mine());
  removeRun(folder);
  expect(readRun(folder)).toBeUndefined();
  expect(existsSync(join(folder, "run.json"))).toBe(false);
});

it("is not fooled by a process id that another process has now", () => {
  writeRun(folder, { ...mine(), process_started: "somewhen else" });
  expect(readRun(folder)).toBeUndefined();
});

it("is not fooled by what a dead process left behind, nor by half a file", async () => {
  const dead = run(["-e", ""]);
  await dead.ended;
  expect(processStarted(dead.child.pid ?? 0)).toBeUndefined();
  writeRun(folder, { ...mine(), pid: dead.child.pid ?? 0 });
  expect(readRun(folder)).toBeUndefined();
  writeFileSync(join(folder, "run.json"), '{"url":');
  expect(readRun(folder)).toBeUndefined();
});

it("knows a process by when it began", () => {
  expect(processStarted(process.pid)).toBe(processStarted(process.pid));
  expect(processStarted(process.pid)).not.toBe(processStarted(process.ppid));
});
