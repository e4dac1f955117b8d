import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryHomeDirectory, type MemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryJobStore } from "../../lib/adapters/memory/jobs.ts";
import { createMemoryQueue, type MemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { dispatch, JOB_LEASE_MS, type JobStore, TICK_MS } from "../../lib/analysis/index.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createLogger } from "../../lib/base/log.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

const HOUR_MS = 3_600_000;
/** A Sunday, 03:05 in UTC. */
const NIGHT_MS = Date.UTC(2026, 10, 22, 3, 5);

describe("dispatch", () => {
  let homes: MemoryHomeDirectory;
  let jobs: JobStore;
  let queue: MemoryQueue;
  let clock: ManualClock;
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
  const add = (homeId: string, timeZone = "UTC", createdAt = "2026-11-21T12:00:00.000Z") =>
    homes.add({ homeId, name: homeId, timeZone, createdAt, revision: 0 }, { id: "k", secret: Buffer.alloc(32) });
  const tick = (kinds: readonly ("daily" | "weekly" | "monthly")[] = ["daily"]) =>
    dispatch({ homes, jobs, queue, clock, log, analysisTime: "03:00", kinds });
  const sent = () => queue.take().map(({ body }) => Object.values(JSON.parse(body)).join(" "));

  beforeEach(() => {
    homes = createMemoryHomeDirectory();
    jobs = createMemoryJobStore();
    queue = createMemoryQueue();
    clock = manualClock(NIGHT_MS);
    lines.length = 0;
  });

  it("makes and sends the job of each home whose night has come, once", async () => {
    await add("london");
    await add("tokyo", "Asia/Tokyo");
    await add("denver", "America/Denver");
    expect(await tick()).toEqual({ homes: 3, created: 2, sentAgain: 0, failedHomes: 0 });
    expect(sent().sort()).toEqual(["london daily-2026-11-21", "tokyo daily-2026-11-21"]);
    expect(await jobs.get("london", "daily-2026-11-21")).toEqual({
      id: "daily-2026-11-21",
      homeId: "london",
      kind: "daily",
      date: "2026-11-21",
      attempt: 0,
      status: "queued",
      phases: [],
      queuedAt: "2026-11-22T03:05:00.000Z",
    });
    expect(await tick()).toMatchObject({ created: 0, sentAgain: 0 });
    clock.set(NIGHT_MS + 7 * HOUR_MS);
    await tick();
    expect(sent().filter((text) => text.startsWith("denver"))).toEqual(["denver daily-2026-11-21"]);
  });

  it("makes each job once when two run at the same time", async () => {
    await add("home");
    const outcomes = await Promise.all([tick(), tick(), tick()]);
    expect(outcomes.map(({ created }) => created).sort()).toEqual([0, 0, 1]);
    expect(sent()).toHaveLength(1);
  });

  it("makes weekly and monthly jobs only when they have something to do", async () => {
    await add("home");
    expect(await tick(["daily", "weekly", "monthly"])).toMatchObject({ created: 2 });
    expect(sent()).toEqual(["home daily-2026-11-21", "home weekly-2026-11-21"]);
  });

  it("catches up with the last seven nights after a long sleep", async () => {
    await add("home", "UTC", "2026-10-01T00:00:00.000Z");
    await tick();
    expect(sent()).toEqual([15, 16, 17, 18, 19, 20, 21].map((day) => `home daily-2026-11-${day}`));
  });

  it("sends a job again whose message was not taken, a few times, at growing distances", async () => {
    await add("home");
    const send = queue.send;
    queue.send = () => Promise.reject(new HearthlineError("queue_send_failed", "away"));
    await expect(tick()).rejects.toMatchObject({ code: "service_failed", fate: "retry" });
    queue.send = send;
    const sentAtTick: number[] = [];
    for (let count = 1; count <= 90; count++) {
      clock.set(NIGHT_MS + count * TICK_MS);
      const { sentAgain } = await tick();
      if (sentAgain > 0) sentAtTick.push(count);
    }
    expect(sentAtTick).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(sent()).toHaveLength(7);
  });

  it("sends again what somebody has begun only when the lease has ended, and nothing that is done", async () => {
    await add("home");
    await tick();
    sent();
    const startedMs = NIGHT_MS + 60_000;
    const id = "daily-2026-11-21";
    await jobs.claim("home", id, {
      startedAt: new Date(startedMs).toISOString(),
      untilMs: startedMs + JOB_LEASE_MS,
      nowMs: startedMs,
    });
    const sentAtTick: number[] = [];
    for (let count = 1; count <= 10; count++) {
      clock.set(startedMs + count * TICK_MS);
      if ((await tick()).sentAgain > 0) sentAtTick.push(count);
    }
    expect(sentAtTick).toEqual([2, 4, 8]);
    expect(sent()).toEqual(Array(3).fill(`home ${id}`));
    const job = await jobs.get("home", id);
    if (job) await jobs.save({ ...job, status: "failed" });
    clock.set(startedMs + 16 * TICK_MS);
    expect(await tick()).toMatchObject({ created: 0, sentAgain: 0 });
  });

  it("goes on with the other homes when one fails, and says so at the end", async () => {
    for (const homeId of ["a", "mars", "z"]) await add(homeId, homeId === "mars" ? "Mars/Olympus" : "UTC");
    const create = jobs.create;
    jobs.create = vi.fn((job) => (job.homeId === "a" ? Promise.reject(new Error("no disk")) : create(job)));
    await expect(tick()).rejects.toThrow(/2 of 3 homes failed/);
    expect(sent()).toEqual(["z daily-2026-11-21"]);
    expect(lines.map((line) => line.homeId).sort()).toEqual(["a", "mars"]);
  });

  it("fails when the homes cannot be listed", async () => {
    homes.list = async function* () {
      yield* [];
      throw new HearthlineError("service_unreachable", "away");
    };
    await expect(tick()).rejects.toMatchObject({ code: "service_unreachable" });
  });
});
