import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import { startLegacy } from "../../../local/legacy/server.ts";
import { runCli } from "../../support/cli.ts";
import { buildEvent } from "../../support/events.ts";

let folder: string;
let legacy: Awaited<ReturnType<typeof startLegacy>>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-precision-"));
  legacy = await startLegacy({ port: 0, data: folder, seed: 1, clock: systemClock });
});
afterEach(async () => {
  await legacy.stop();
  rmSync(folder, { recursive: true, force: true });
});

const BEGIN_US = 1_790_000_000_000_000;

/** OLD holds so many events, one a minute and some microseconds. */
async function fill(count: number, faults: object): Promise<void> {
  await fetch(`${legacy.url}/faults`, { method: "PUT", body: JSON.stringify(faults) });
  const old = createOldSystem(
    planSchema.parse({ old: { kind: "http", url: legacy.url } }).old,
    {},
    { clock: systemClock },
  );
  const events = Array.from({ length: count }, (_, n) => {
    const atUs = BEGIN_US + n * 60_001_357;
    return buildEvent({ entityId: "sensor.a", atUs, lastChangedUs: atUs, state: `${n}` });
  });
  await old.write(events);
}

const plan = async (...args: string[]) => {
  const asked = ["migrate", "plan", "--from", "http", legacy.url, "--dry-run", "--json", ...args];
  const { code, out, err } = await runCli(asked, { url: "http://127.0.0.1:9", token: "none" });
  expect([code, err]).toEqual([0, ""]);
  const { plan: made, explanation } = JSON.parse(out);
  return { precision: made.old.precision, words: explanation.join("\n") };
};

describe("migrate plan, of an OLD whose time stamps are cut", () => {
  it("finds the precision out by OLD's rows, and says so", async () => {
    await fill(60, { milliseconds: true });
    const { precision, words } = await plan();
    expect(precision).toBe("ms");
    expect(words).toContain("cut to whole milliseconds, as its newest 60 rows, of 60 different moments, show");
  });

  it("keeps what a person says, with a warning where the rows say otherwise", async () => {
    await fill(60, { milliseconds: true });
    expect(await plan("--precision", "us")).toMatchObject({
      precision: "us",
      words: expect.stringContaining("every row will differ: plan with --precision ms"),
    });
    expect(await plan("--precision", "s")).toMatchObject({
      precision: "s",
      words: expect.stringContaining("are finer, and then this migration will not begin"),
    });
    expect((await plan("--precision", "ms", "--no-look")).words).toContain("too few of its rows were seen");
  });

  it("is of microseconds where they are, or too few rows are there to tell", async () => {
    await fill(5, { milliseconds: true });
    expect((await plan()).precision).toBe("us");
    await fill(60, {});
    expect(await plan()).toMatchObject({ precision: "us", words: expect.not.stringContaining("cut") });
  });
});
