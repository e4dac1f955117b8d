import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryJobStore } from "../../lib/adapters/memory/jobs.ts";
import { createMemoryQueue } from "../../lib/adapters/memory/queue.ts";
import {
  analyzeMessage,
  JOB_LEASE_MS,
  type JobStore,
  jobMessage,
  newJob,
  type Phase,
  runJob,
} from "../../lib/analysis/index.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

const NIGHT_MS = Date.UTC(2026, 10, 22, 3, 5);
const ID = "daily-2026-11-21";
const phase = (name: string, run: Phase["run"] = async () => ({ done: 1 })): Phase => ({ name, run });
const broken = () => Promise.reject(new TypeError("broken"));

describe("runJob", () => {
  let clock: ManualClock;
  let jobs: JobStore;
  const homes = createMemoryHomeDirectory();
  const queue = createMemoryQueue();
  const run = (phases: readonly Phase[]) =>
    runJob("home", ID, {
      jobs,
      homes,
      queue,
      phases: { daily: phases, weekly: [], monthly: [] },
      clock,
      random: () => 0.5,
      peakRssBytes: () => 123,
    });

  beforeEach(async () => {
    clock = manualClock(NIGHT_MS);
    jobs = createMemoryJobStore();
    await homes.remove("home");
    const home = { homeId: "home", name: "Home", timeZone: "Europe/Amsterdam", createdAt: "2026-01-01T00:00:00Z" };
    await homes.add({ ...home, revision: 0 }, { id: "k", secret: Buffer.alloc(32) });
    await jobs.create(newJob("home", { kind: "daily", date: "2026-11-21" }, NIGHT_MS));
  });

  it("runs the phases in order and saves what each did", async () => {
    const seen: string[] = [];
    const slow = phase("slow", async (job, timeZone) => {
      const saved = await jobs.get("home", ID);
      seen.push(timeZone, job.date, ...(saved?.phases.map(({ name, status }) => `${name} ${status}`) ?? []));
      await clock.sleep(1_500);
      return { counted: 7 };
    });
    const running = run([phase("quick"), slow]);
    await clock.advance(1_500);
    const job = await running;
    expect(seen).toEqual(["Europe/Amsterdam", "2026-11-21", "quick succeeded", "slow running"]);
    expect(job).toEqual({
      id: ID,
      homeId: "home",
      kind: "daily",
      date: "2026-11-21",
      attempt: 1,
      status: "succeeded",
      phases: [
        {
          name: "quick",
          status: "succeeded",
          startedAt: "2026-11-22T03:05:00.000Z",
          durationMs: 0,
          counts: { done: 1 },
        },
        {
          name: "slow",
          status: "succeeded",
          startedAt: "2026-11-22T03:05:00.000Z",
          durationMs: 1500,
          counts: { counted: 7 },
        },
      ],
      queuedAt: "2026-11-22T03:05:00.000Z",
      startedAt: "2026-11-22T03:05:00.000Z",
      finishedAt: "2026-11-22T03:05:01.500Z",
      peakRssBytes: 123,
    });
    expect(await jobs.get("home", ID)).toEqual(job);
  });

  it("is degraded when a phase fails, and the next ones run; failed when all do", async () => {
    const job = await run([phase("one", broken), phase("two")]);
    expect(job?.status).toBe("degraded");
    expect(job?.phases.map(({ status, error }) => [status, error])).toEqual([
      ["failed", "broken"],
      ["succeeded", undefined],
    ]);
    await jobs.create(newJob("home", { kind: "daily", date: "2026-11-20" }, NIGHT_MS));
    const options = { jobs, homes, queue, clock, random: () => 0, peakRssBytes: () => 1 };
    const phases = { daily: [phase("one", broken)], weekly: [], monthly: [] };
    expect((await runJob("home", "daily-2026-11-20", { ...options, phases }))?.status).toBe("failed");
  });

  it("tries a phase again whose store was away, three times in all", async () => {
    let calls = 0;
    const flaky = phase("flaky", async () => {
      calls++;
      if (calls < 3) throw new HearthlineError("service_timeout", "locked");
      return { calls };
    });
    const running = run([flaky]);
    await clock.advance(10_000);
    expect((await running)?.phases[0]).toMatchObject({ status: "succeeded", counts: { calls: 3 } });
    expect(calls).toBe(3);
  });

  it("runs a job once, and nothing for one that does not exist", async () => {
    const work = vi.fn(async () => ({}));
    expect((await run([phase("one", work)]))?.status).toBe("succeeded");
    expect(await run([phase("one", work)])).toBeUndefined();
    expect(work).toHaveBeenCalledTimes(1);
    const options = { jobs, homes, queue, clock, random: () => 0, peakRssBytes: () => 1 };
    const phases = { daily: [phase("one", work)], weekly: [], monthly: [] };
    expect(await runJob("home", "daily-2020-01-01", { ...options, phases })).toBeUndefined();
    expect(await runJob("other", ID, { ...options, phases })).toBeUndefined();
  });

  it("is never run by two at once; after a crash it runs again when the lease has ended", async () => {
    const stuck = run([phase("stuck", () => new Promise(() => {}))]);
    await clock.advance(JOB_LEASE_MS - 1);
    await expect(run([phase("one")])).rejects.toMatchObject({ code: "conflict", fate: "retry" });
    await clock.advance(1);
    expect((await run([phase("one")]))?.status).toBe("succeeded");
    await expect(Promise.race([stuck, "still running"])).resolves.toBe("still running");
  });

  it("overwrites nothing when it outlived its lease and the job was begun again", async () => {
    let goOn = () => {};
    const late = phase("late", () => new Promise((resolve) => (goOn = () => resolve({ late: 1 }))));
    const never = vi.fn(async () => ({}));
    const outlived = run([late, phase("after", never)]);
    const outcome = expect(outlived).rejects.toMatchObject({ code: "conflict", fate: "retry" });
    await clock.advance(JOB_LEASE_MS);
    const second = await run([phase("one")]);
    expect(second).toMatchObject({ attempt: 2, status: "succeeded" });
    goOn();
    await outcome;
    expect(never).not.toHaveBeenCalled();
    expect(await jobs.get("home", ID)).toEqual(second);
  });

  it("fails a phase that is beyond its time, tells it so, and goes on with the next", async () => {
    let signal: AbortSignal | undefined;
    let leftMs = 0;
    const slow: Phase = {
      name: "slow",
      budgetMs: 2_000,
      run: (_job, _zone, time) => {
        signal = time.signal;
        leftMs = time.remainingMs();
        return new Promise(() => {});
      },
    };
    const quick: Phase = { ...phase("quick"), budgetMs: 5_000 };
    const running = run([slow, quick]);
    await clock.advance(2_000);
    const job = await running;
    expect([leftMs, signal?.aborted]).toEqual([2_000, true]);
    expect(job).toMatchObject({ status: "degraded", phases: [{ status: "failed" }, { status: "succeeded" }] });
    expect(job?.phases[0]?.error).toMatch(/"slow".*2 seconds/);
  });

  it("goes on in a next message while a phase has more to do, from what it has kept", async () => {
    let left = 3;
    const long: Phase = {
      name: "long",
      run: async () => ({ days_left: --left }),
      isUnfinished: ({ days_left = 0 }) => days_left > 0,
    };
    queue.take();
    expect(await run([long])).toMatchObject({ status: "queued", attempt: 1, phases: [{ counts: { days_left: 2 } }] });
    expect(queue.take()).toEqual([jobMessage({ homeId: "home", id: ID })]);
    expect(await run([long])).toMatchObject({ status: "queued", attempt: 2 });
    expect(await run([long])).toMatchObject({ status: "succeeded", attempt: 3 });
    expect(queue.take()).toHaveLength(1);
  });

  it("does not go on for ever", async () => {
    const endless: Phase = { ...phase("endless"), isUnfinished: () => true };
    let job = await run([endless]);
    for (let round = 1; job?.status === "queued" && round < 100; round++) job = await run([endless]);
    expect(job).toMatchObject({ status: "degraded", attempt: 40 });
  });

  it("has all its rounds once more when a person wants it run once more", async () => {
    const endless: Phase = { ...phase("endless"), isUnfinished: () => true };
    for (let round = 0; round < 40; round++) await run([endless]);
    await jobs.requeue("home", ID, "2026-11-22T04:00:00.000Z");
    expect(await run([endless])).toMatchObject({ status: "queued", attempt: 41 });
  });

  it("does not begin a phase again whose time is over", async () => {
    let calls = 0;
    const slow: Phase = {
      name: "slow",
      budgetMs: 2_000,
      run: async () => {
        calls++;
        await clock.sleep(3_000);
        throw new HearthlineError("service_timeout", "locked");
      },
    };
    const running = run([slow]);
    await clock.advance(2_000);
    expect((await running)?.status).toBe("failed");
    await clock.advance(60_000);
    expect(calls).toBe(1);
  });

  it("does nothing for a home that was removed", async () => {
    await homes.remove("home");
    expect(await run([phase("one", broken)])).toBeUndefined();
  });

  it("sets a message aside that names no job", async () => {
    const dead = createMemoryQueue();
    const phases = { daily: [phase("one")], weekly: [], monthly: [] };
    const options = { jobs, homes, queue, phases, clock, random: () => 0, peakRssBytes: () => 1, dead };
    for (const body of ["x", "{}", '{"home_id":"home"}', '{"home_id":"","job_id":"x"}']) {
      expect(await analyzeMessage(body, options)).toBeUndefined();
    }
    expect(dead.take().map(({ attributes }) => attributes?.reason_code)).toEqual(Array(4).fill("request_invalid"));
    const { body } = jobMessage({ homeId: "home", id: ID });
    expect((await analyzeMessage(body, options))?.status).toBe("succeeded");
    expect(dead.messages).toEqual([]);
  });
});
