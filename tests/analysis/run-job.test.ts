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
  const run = (phases: readonly Phase[]) =>
    runJob("home", ID, {
      jobs,
      homes,
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
    const options = { jobs, homes, clock, random: () => 0, peakRssBytes: () => 1 };
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
    const options = { jobs, homes, clock, random: () => 0, peakRssBytes: () => 1 };
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

  it("does nothing for a home that was removed", async () => {
    await homes.remove("home");
    expect(await run([phase("one", broken)])).toBeUndefined();
  });

  it("sets a message aside that names no job", async () => {
    const dead = createMemoryQueue();
    const phases = { daily: [phase("one")], weekly: [], monthly: [] };
    const options = { jobs, homes, phases, clock, random: () => 0, peakRssBytes: () => 1, dead };
    for (const body of ["x", "{}", '{"home_id":"home"}', '{"home_id":"","job_id":"x"}']) {
      expect(await analyzeMessage(body, options)).toBeUndefined();
    }
    expect(dead.take().map(({ attributes }) => attributes?.reason_code)).toEqual(Array(4).fill("request_invalid"));
    const { body } = jobMessage({ homeId: "home", id: ID });
    expect((await analyzeMessage(body, options))?.status).toBe("succeeded");
    expect(dead.messages).toEqual([]);
  });
});
