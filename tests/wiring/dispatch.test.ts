import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDispatch } from "../../lib/wiring/dispatch.ts";
import { startOutside } from "../support/outside.ts";
import { wallClock } from "../support/pipeline-functions.ts";

describe("the dispatch function", () => {
  let outside: Awaited<ReturnType<typeof startOutside>>;
  beforeAll(async () => {
    outside = await startOutside();
  });
  afterAll(() => outside.stop());

  it("makes the nights' jobs of a home and sends them, the second time nothing", async () => {
    const home = { homeId: "home", name: "Home", timeZone: "Asia/Tokyo", createdAt: "2026-01-01T00:00:00.000Z" };
    await outside.homes.add({ ...home, revision: 0 }, { id: "k", secret: Buffer.alloc(32) });
    // A Sunday, a week after the 1st: of the last seven nights one is a week's, none a month's.
    const clock = wallClock(Date.UTC(2026, 10, 22, 6));
    const dispatch = createDispatch(outside.env, { clock });
    expect(await dispatch()).toEqual({ homes: 1, created: 8, sentAgain: 0, failedHomes: 0 });
    expect(await dispatch()).toEqual({ homes: 1, created: 0, sentAgain: 0, failedHomes: 0 });
    const jobs = await outside.jobs.list("home", 100);
    expect(jobs.map(({ kind, status }) => `${kind} ${status}`).sort()).toEqual([
      ...Array(7).fill("daily queued"),
      "weekly queued",
    ]);
    const messages = await outside.received("analysis");
    const named = messages.map(({ Body }) => JSON.parse(Body));
    expect(named).toEqual(expect.arrayContaining(jobs.map(({ id }) => ({ home_id: "home", job_id: id }))));
  });
});
