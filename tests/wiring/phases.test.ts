import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemoryJobStore } from "../../lib/adapters/memory/jobs.ts";
import { createMemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { newJob, type Phase, runJob } from "../../lib/analysis/index.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { addDays, homeDayOf } from "../../lib/base/zone.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createPhases } from "../../lib/wiring/phases.ts";
import { buildEvent } from "../support/events.ts";
import { startOutside } from "../support/outside.ts";

const ZONE = "Europe/Amsterdam";
const NAMES = ["capabilities", "events", "patterns", "features", "suggestions", "publish", "retention"];

/** Waits between tries are over at once; the time that a phase has is not. */
const hastyClock = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms < 20_000 ? 0 : ms, signal),
};

describe("the phases of a night", () => {
  let outside: Awaited<ReturnType<typeof startOutside>>;
  let good: readonly Phase[];
  let withoutTable: readonly Phase[];
  let withoutStore: readonly Phase[];
  const homesOf = () => outside.homes;
  const date = addDays(homeDayOf(Date.now() * 1000, "03:00", ZONE), -1);

  beforeAll(async () => {
    outside = await startOutside();
    const home = { homeId: "home", name: "Home", timeZone: ZONE, createdAt: "2026-01-01T00:00:00.000Z" };
    await outside.homes.add({ ...home, revision: 0 }, { id: "k", secret: Buffer.alloc(32) });
    const atUs = (Date.now() - 30 * 3_600_000) * 1000;
    await outside.store.write([buildEvent({ entityId: "light.hall", state: "on", oldState: "off", atUs })]);
    const cloud = createCloud(readConfig(outside.env), { clock: hastyClock });
    const down = () => {
      throw new HearthlineError("service_unreachable", "The table is away.");
    };
    const table = new Proxy(cloud.table, {
      get: (target, name) => (typeof Reflect.get(target, name) === "function" ? down : Reflect.get(target, name)),
    });
    const lost = readConfig({ ...outside.env, HEARTHLINE_SQLITE_PATH: "/dev/null/store.db" });
    good = createPhases(cloud).daily;
    withoutTable = createPhases({ ...cloud, table }).daily;
    withoutStore = createPhases({ ...cloud, config: lost }).daily;
  });
  afterAll(() => outside.stop());

  async function run(phases: readonly Phase[]) {
    const jobs = createMemoryJobStore();
    const { job } = await jobs.create(newJob("home", { kind: "daily", date }, Date.now()));
    return runJob("home", job.id, {
      jobs,
      queue: createMemoryQueue(),
      homes: homesOf(),
      phases: { daily: phases, weekly: [], monthly: [] },
      clock: hastyClock,
      random: () => 0.5,
      peakRssBytes: () => 1,
    });
  }
  const failedOf = (job: Awaited<ReturnType<typeof run>>) =>
    job?.phases.filter(({ status }) => status !== "succeeded").map(({ name }) => name);

  it("are these, in order, and all succeed", async () => {
    const job = await run(good);
    expect(job?.phases.map(({ name, error }) => [name, error])).toEqual(NAMES.map((name) => [name, undefined]));
    expect(job?.status).toBe("succeeded");
  });

  it.each(NAMES)("go on when the table is away from %s alone", async (name) => {
    const job = await run(good.map((phase, at) => (phase.name === name ? (withoutTable[at] ?? phase) : phase)));
    expect(failedOf(job)).toEqual([name]);
    expect(job?.status).toBe("degraded");
    expect(job?.phases.find((phase) => phase.name === name)?.error).toContain("The table is away.");
  });

  it("go on without the store of events as far as they need none, and catch up when it is there", async () => {
    const job = await run(withoutStore);
    expect(failedOf(job)).toEqual(expect.arrayContaining(["events", "patterns", "retention"]));
    expect(failedOf(job)).not.toContain("publish");
    expect(job?.status).toBe("degraded");
    expect((await run(good))?.status).toBe("succeeded");
  });

  it("fail as a job when the table is away from all", async () => {
    expect(await run(withoutTable)).toMatchObject({ status: "failed" });
  });
});
