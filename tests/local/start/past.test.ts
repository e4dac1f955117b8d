import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { bringPast } from "../../../local/start/past.ts";
import { manualClock } from "../../support/manual-clock.ts";

let folder: string;
let launched: string[][];
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-past-"));
  writeFileSync(join(folder, "token"), "hl_home_t1");
  launched = [];
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const isDone = () => existsSync(join(folder, "past-brought"));

const ANSWERS: Readonly<Record<string, object>> = {
  history: { imported: 45_199 },
  analyze: { patterns: [1, 2] },
  suggestions: { suggestions: [1] },
};

/** An API of which the queues hold less at each look, and that knows the home's zone at the second. */
async function api(...waiting: number[]): Promise<{ url: string; looks: () => number }> {
  let looks = 0;
  let zone = "UTC";
  const server = createServer((request, response) => {
    if (request.url?.includes("aggregate")) {
      response.end(JSON.stringify({ time_zone: zone }));
      zone = "Europe/Amsterdam";
      return;
    }
    const now = waiting[Math.min(looks++, waiting.length - 1)];
    response.end(JSON.stringify({ parts: [{}, { queue: { waiting: now, in_flight: 0 } }] }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, looks: () => looks };
}

function bring(url: string, options: { days?: number; fails?: string; signal?: AbortSignal } = {}): Promise<void> {
  const { days = 28, fails, signal = new AbortController().signal } = options;
  const clock = manualClock(Date.UTC(2026, 10, 23, 19, 0, 0));
  const launch = (args: readonly string[]) => {
    launched.push([...args]);
    const text = JSON.stringify(ANSWERS[args[0] ?? ""]);
    const script = args[0] === fails ? 'console.error("no such home"); process.exit(3)' : `console.log('${text}')`;
    return { args: ["-e", script], env: process.env, folder };
  };
  return bringPast({
    ...{ dataFolder: folder, days, url, launch, signal, timeZone: "Europe/Amsterdam", analysisTime: "03:00" },
    clock: { ...clock, sleep: async () => {} },
    say: (line) => said.push(line),
  });
}

it("imports, waits until the queues are drained, analyses yesterday, and says what came of it, once", async () => {
  const { url, looks } = await api(40, 12, 2);
  await bring(url);
  expect(launched.map((args) => args.slice(0, 3))).toEqual([
    ["history", "import", "--include"],
    ["analyze", "--date", "2026-11-22"],
    ["suggestions", "list", "--json"],
  ]);
  expect(looks()).toBe(3);
  expect(said.at(-1)).toMatch(/^past {6}45,199 events, 2 patterns, 1 suggestions in \d+ s: http:\S+\/#suggestions$/);
  await bring(url);
  expect(launched).toHaveLength(3);
});

it("does nothing when no days are wanted", async () => {
  await bring("http://127.0.0.1:1", { days: 0 });
  expect([launched, said, isDone()]).toEqual([[], [], false]);
});

it.each(["history", "analyze", "suggestions"])(
  "says why %s failed, and tries again at the next start",
  async (fails) => {
    const { url } = await api(0);
    await bring(url, { fails });
    expect(said.at(-1)).toMatch(new RegExp(`was not brought in: hearthline ${fails} \\S+ ended with 3: no such home`));
    expect(isDone()).toBe(false);
    await bring(url);
    expect(isDone()).toBe(true);
  },
);

it("ends without a word when the stack stops", async () => {
  const { url } = await api(0);
  const over = new AbortController();
  over.abort();
  await bring(url, { signal: over.signal });
  expect(said).toHaveLength(1);
  expect(isDone()).toBe(false);
});
