import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newJob } from "../../lib/analysis/index.ts";
import { createAnalyze } from "../../lib/wiring/analyze.ts";
import { createDispatch } from "../../lib/wiring/dispatch.ts";
import { buildEvent } from "../support/events.ts";
import { lambdaContext, sqsEvent, startOutside } from "../support/outside.ts";

const SOME_DAYS_AGO_US = (Date.now() - 12 * 86_400_000) * 1000;

describe("the analyze function", () => {
  let outside: Awaited<ReturnType<typeof startOutside>>;
  beforeAll(async () => {
    outside = await startOutside();
    const home = { homeId: "home", name: "Home", timeZone: "Asia/Tokyo", createdAt: "2026-01-01T00:00:00.000Z" };
    await outside.homes.add({ ...home, revision: 0 }, { id: "k", secret: Buffer.alloc(32) });
  });
  afterAll(() => outside.stop());

  it("runs the job that dispatch has sent, prunes old events and saves what it did", async () => {
    await outside.store.write([buildEvent({ atUs: SOME_DAYS_AGO_US, lastChangedUs: SOME_DAYS_AGO_US })]);
    await createDispatch({ ...outside.env, HEARTHLINE_RAW_DAYS: "2" })();
    const message = (await outside.received("analysis")).find(({ Body }) => /daily/.test(Body ?? ""));
    const handler = createAnalyze({ ...outside.env, HEARTHLINE_RAW_DAYS: "2" });
    const event = sqsEvent(message?.Body ?? "");
    expect(await handler(event, lambdaContext)).toEqual({ batchItemFailures: [] });
    const job = await outside.jobs.get("home", JSON.parse(message?.Body ?? "{}").job_id);
    expect(job).toMatchObject({
      status: "succeeded",
      phases: expect.arrayContaining([
        expect.objectContaining({ name: "events", counts: expect.objectContaining({ events: 1 }) }),
        expect.objectContaining({ name: "patterns", counts: expect.objectContaining({ events: 1, days: 1 }) }),
        expect.objectContaining({ name: "retention", counts: expect.objectContaining({ pruned_events: 1 }) }),
      ]),
    });
    expect(job?.peakRssBytes).toBeGreaterThan(10_000_000);
    expect(await handler(event, lambdaContext)).toEqual({ batchItemFailures: [] });
    expect(await outside.jobs.get("home", job?.id ?? "")).toEqual(job);
  });

  it("has a message come again while another runs its job, and sets aside one that names none", async () => {
    const job = newJob("home", { kind: "daily", date: "2025-01-01" }, 0);
    await outside.jobs.create(job);
    await outside.jobs.claim("home", job.id, {
      startedAt: "2025-01-02T03:00:00.000Z",
      untilMs: Number.MAX_SAFE_INTEGER,
      nowMs: 0,
    });
    const body = JSON.stringify({ home_id: "home", job_id: job.id });
    const answer = await createAnalyze(outside.env)(sqsEvent(body, "nonsense"), lambdaContext);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m0" }] });
    const dead = await outside.received("analysis-dead");
    expect(dead.map(({ Body }) => Body)).toEqual(["nonsense"]);
  });
});
