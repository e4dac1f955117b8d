import { beforeEach, describe, expect, it } from "vitest";
import { JOB_LEASE_MS, jobMessage } from "../../lib/analysis/index.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

/** Sunday, 22 November 2026, 03:00 in Amsterdam. */
const NIGHT_MS = Date.UTC(2026, 10, 22, 2);

let api: TestApi;
let clock: ManualClock;
beforeEach(async () => {
  clock = manualClock(NIGHT_MS);
  api = await createTestApi({ clock });
});

const run = async (body: unknown, token = tokenText("home")) => {
  const response = await api.post("/api/v1/jobs", body, { token });
  // biome-ignore lint/suspicious/noExplicitAny: the answer is JSON of the route that was asked
  return { status: response.status, location: response.headers.get("location"), body: (await response.json()) as any };
};

describe("a job by hand", () => {
  it("is made and sent for a day that has ended, and is then found like any other", async () => {
    const { status, location, body } = await run({ kind: "daily", date: "2026-11-21" });
    expect([status, location]).toEqual([202, "/api/v1/jobs/daily-2026-11-21"]);
    expect(body).toMatchObject({ id: "daily-2026-11-21", home_id: "home", status: "queued", date: "2026-11-21" });
    expect(await (await api.ask(location ?? "")).json()).toEqual(body);
    expect(api.analysisQueue.take()).toEqual([jobMessage({ homeId: "home", id: "daily-2026-11-21" })]);
  });

  it("is refused to the moment while the day goes on", async () => {
    clock.set(NIGHT_MS - 1);
    const early = await run({ kind: "daily", date: "2026-11-21" });
    expect(early).toMatchObject({ status: 400, body: { code: "request_invalid", errors: [{ field: "date" }] } });
    expect(early.body.detail).toContain("2026-11-22T02:00:00");
    expect(api.analysisQueue.take()).toEqual([]);
    expect(await api.jobs.list("home", 5)).toEqual([]);
  });

  it("of a week or month is named by its last day, whichever day of it is asked for", async () => {
    for (const date of ["2026-11-15", "2026-11-18", "2026-11-21"])
      expect((await run({ kind: "weekly", date })).body.id).toBe("weekly-2026-11-21");
    expect((await run({ kind: "weekly", date: "2026-11-22" })).status).toBe(400);
    expect((await run({ kind: "monthly", date: "2026-10-07" })).body.id).toBe("monthly-2026-10-31");
    expect((await run({ kind: "monthly", date: "2026-11-01" })).status).toBe(400);
  });

  it("that is done runs once more; one that waits or runs does so once", async () => {
    await run({ kind: "daily", date: "2026-11-20" });
    expect((await run({ kind: "daily", date: "2026-11-20" })).body.status).toBe("queued");
    api.analysisQueue.take();
    const lease = { startedAt: "2026-11-22T02:00:01.000Z", untilMs: NIGHT_MS + 1_000, nowMs: NIGHT_MS };
    const running = await api.jobs.claim("home", "daily-2026-11-20", lease);
    if (!running) throw new Error("nobody could begin it");
    expect((await run({ kind: "daily", date: "2026-11-20" })).body.status).toBe("running");
    expect(api.analysisQueue.take()).toEqual([]);
    await api.jobs.save({ ...running, status: "degraded" });
    expect((await run({ kind: "daily", date: "2026-11-20" })).body).toMatchObject({ status: "queued", phases: [] });
    expect(api.analysisQueue.take()).toHaveLength(1);
  });

  it("whose runner is gone is sent again: dispatch looks after the newest alone", async () => {
    await run({ kind: "daily", date: "2026-07-20" });
    api.analysisQueue.take();
    const lease = { startedAt: "2026-11-22T02:00:00.000Z", untilMs: NIGHT_MS + JOB_LEASE_MS, nowMs: NIGHT_MS };
    await api.jobs.claim("home", "daily-2026-07-20", lease);
    clock.set(NIGHT_MS + JOB_LEASE_MS - 1);
    await run({ kind: "daily", date: "2026-07-20" });
    expect(api.analysisQueue.take()).toEqual([]);
    clock.set(NIGHT_MS + JOB_LEASE_MS);
    expect((await run({ kind: "daily", date: "2026-07-20" })).body.status).toBe("running");
    expect(api.analysisQueue.take()).toEqual([jobMessage({ homeId: "home", id: "daily-2026-07-20" })]);
  });

  it("is refused where the calendar ends, and leaves nothing there", async () => {
    for (const date of ["0000-01-01", "0001-01-01", "1999-12-31", "9990-12-31", "9999-12-31"])
      for (const kind of ["daily", "weekly", "monthly"]) {
        const refused = await run({ kind, date });
        expect([date, refused.status, refused.body.errors?.[0]?.field]).toEqual([date, 400, "date"]);
        expect(refused.body.detail).toContain(date);
      }
    expect(await api.jobs.list("home", 5)).toEqual([]);
    for (const date of ["2000-01-01", "2026-03-29", "2025-10-26"])
      expect((await run({ kind: "daily", date })).status).toBe(202);
  });

  it("needs a token that may write, a body that says what, and no foreign home", async () => {
    expect((await run({ kind: "daily", date: "2026-11-20" }, tokenText("home", "r"))).status).toBe(403);
    expect((await run({ kind: "daily", date: "2026-11-20", home_id: "home" })).status).toBe(202);
    expect(await run({ kind: "daily", date: "2026-11-20", home_id: "other" })).toMatchObject({ status: 404 });
    for (const body of [{}, { kind: "yearly", date: "2026-11-20" }, { kind: "daily", date: "2026-02-30" }, [], 1])
      expect((await run(body)).status).toBe(400);
    expect(await api.jobs.list("other", 5)).toEqual([]);
  });
});
