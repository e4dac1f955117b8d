import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/base/clock.ts";
import { createPart, type Part, type PartMessage, type PartOptions } from "../../../local/start/part.ts";
import { eventually } from "../../support/process.ts";

const script = join(import.meta.dirname, "../../fixtures/parts/part.mjs");
const parts: Part[] = [];
afterEach(async () => {
  for (const part of parts.splice(0)) {
    part.kill();
    await part.stop();
  }
});

function setUp(how: string, more: Partial<PartOptions> = {}) {
  const ups: number[] = [];
  const downs: { why: string; againInMs: number }[] = [];
  const messages: PartMessage[] = [];
  let written = "";
  const part = createPart({
    name: "test",
    port: 1234,
    launch: () => ({ args: [script, how], env: process.env, folder: process.cwd() }),
    logFile: { write: (chunk) => (written += Buffer.from(chunk).toString()), close: () => {} },
    clock: systemClock,
    random: () => 0,
    onMessage: (message) => messages.push(message),
    onUp: (_, restarts) => ups.push(restarts),
    onDown: (_, why, againInMs) => downs.push({ why, againInMs }),
    ...more,
  });
  parts.push(part);
  return { part, ups, downs, messages, written: () => written };
}

describe("a part", () => {
  it("is up when it says so, hears what it is told, and ends when it is asked to", async () => {
    const { part, ups, downs, messages } = setUp("well");
    expect(await part.start()).toMatchObject({ ready: true, port: 1234 });
    expect(ups).toEqual([0]);
    part.tell({ hello: 1 });
    await eventually("the echo", () => messages.some(({ echo }) => echo !== undefined));
    expect(await part.stop()).toBe(true);
    expect(downs).toEqual([]);
  });

  it("is started again when it dies, and says how it ended", async () => {
    const { part, ups, downs } = setUp("well");
    await part.start();
    const { pid } = part;
    process.kill(pid ?? 0, "SIGKILL");
    await eventually("the restart", () => ups.length === 2);
    expect(ups).toEqual([0, 1]);
    expect(downs[0]?.why).toBe("ended by SIGKILL");
    expect(part.pid).not.toBe(pid);
  });

  it("waits longer with each end, up to a limit", async () => {
    const { part, downs } = setUp("broken", { random: () => 0.999 });
    await expect(part.start()).rejects.toThrow("cannot do that");
    await eventually("three ends", () => downs.length >= 3);
    const [first = 0, second = 0, third = 0] = downs.map(({ againInMs }) => againInMs);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
    expect(third).toBeLessThan(15_200);
  });

  it("is left in peace for a minute when only a person can mend it, and its own words are passed on", async () => {
    const { part, downs, written } = setUp("needs-a-person");
    await expect(part.start()).rejects.toThrow("the token is refused");
    await eventually("its end", () => downs.length === 1);
    expect(downs[0]).toEqual({ why: "ended with code 78: the token is refused", againInMs: 60_000 });
    expect(written()).toContain("the token is refused");
  });

  it("counts as failed when it says nothing in time", async () => {
    const { part } = setUp("silent", { readyMs: 200 });
    await expect(part.start()).rejects.toThrow("no word from it within 0.2 s");
  });

  it("is killed when it does not end in time", async () => {
    const { part } = setUp("stubborn", { stopMs: 200 });
    await part.start();
    expect(await part.stop()).toBe(false);
    expect(() => process.kill(part.pid ?? 0, 0)).toThrow("ESRCH");
  });
});
