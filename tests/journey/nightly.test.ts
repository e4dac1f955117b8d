import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { wallClock } from "../support/pipeline-functions.ts";
import { sealed, stateRecord } from "../support/records.ts";
import type { Journey } from "./records.ts";

const DAY_MS = 86_400_000;
/** Both homes are some days old: the nights since then are theirs. */
const CREATED_MS = Date.UTC(2026, 10, 10, 12);
/** 03:05 in Kathmandu (+05:45) on 22 November; in Lisbon (UTC) it is still 21:20 of the 21st. */
const KATHMANDU_NIGHT_MS = Date.UTC(2026, 10, 21, 21, 20);
const LISBON_NIGHT_MS = Date.UTC(2026, 10, 22, 3, 5);

interface JobAnswer {
  readonly date: string;
  readonly kind: string;
  readonly status: string;
  readonly phases: { readonly name: string; readonly status: string; readonly counts: Record<string, number> }[];
}

describe("a night in two homes of different time zones", () => {
  const clock = wallClock(CREATED_MS);
  let pipeline: Pipeline;
  let kathmandu: Journey;
  let lisbon: Journey;

  beforeAll(async () => {
    pipeline = await startPipeline({ clock });
    kathmandu = await pipeline.addHome("kathmandu", "Asia/Kathmandu");
    lisbon = await pipeline.addHome("lisbon", "Europe/Lisbon");
    clock.set(KATHMANDU_NIGHT_MS);
    // One event at each noon UTC of the last twelve days, in both.
    const records = Array.from({ length: 12 }, (_, back) =>
      stateRecord({ atUs: (Date.UTC(2026, 10, 21, 12) - (11 - back) * DAY_MS) * 1000 + 7 }),
    );
    for (const { key, homeId } of [kathmandu, lisbon]) await pipeline.send("events", sealed(records, { key, homeId }));
    await pipeline.drain();
    // And one on either side of the border: 03:00 in Kathmandu on the 15th.
    const borderUs = Date.UTC(2026, 10, 14, 21, 15) * 1000;
    const around = [-1, 0].map((us) => stateRecord({ entity_id: "light.border", atUs: borderUs + us }));
    await pipeline.send("events", sealed(around, { key: kathmandu.key, homeId: "kathmandu", relayId: "second" }));
    await pipeline.drain();
  });
  afterAll(() => pipeline.stop());

  const times = async ({ token }: Journey) => (await pipeline.events(token)).map((event) => event.last_updated);
  const jobs = async ({ token }: Journey) => (await pipeline.ask(token, "/api/v1/jobs")).json.jobs as JobAnswer[];
  const night = async () => {
    const made = await pipeline.dispatch();
    await pipeline.drain();
    return made;
  };

  it("begins with nothing pruned and no job", async () => {
    expect(await times(kathmandu)).toHaveLength(14);
    expect(await times(lisbon)).toHaveLength(12);
    expect([await jobs(kathmandu), await jobs(lisbon)]).toEqual([[], []]);
  });

  it("prunes each home by its own clock: what began before 03:00 local, seven days back, is gone to the microsecond", async () => {
    const outcome = await night();
    expect(outcome).toMatchObject({ homes: 2, sentAgain: 0, failedHomes: 0 });
    // Kathmandu's day of the 21st has ended; the last seven begin on the 15th at 03:00 local, the 14th 21:15 UTC.
    const kept = await times(kathmandu);
    expect(kept).toEqual([
      formatIsoUs(Date.UTC(2026, 10, 14, 21, 15) * 1000),
      ...Array.from({ length: 7 }, (_, day) => formatIsoUs(Date.UTC(2026, 10, 15 + day, 12) * 1000 + 7)),
    ]);
    // Lisbon's day of the 20th ended last: its last seven begin on the 14th.
    expect(await times(lisbon)).toEqual(
      Array.from({ length: 8 }, (_, day) => formatIsoUs(Date.UTC(2026, 10, 14 + day, 12) * 1000 + 7)),
    );
    const daily = async (home: Journey) => (await jobs(home)).filter(({ kind }) => kind === "daily");
    expect((await daily(kathmandu)).at(-1)).toMatchObject({
      date: "2026-11-21",
      kind: "daily",
      status: "succeeded",
      phases: expect.arrayContaining([
        expect.objectContaining({ name: "events", status: "succeeded" }),
        expect.objectContaining({ name: "patterns", status: "succeeded" }),
        expect.objectContaining({ name: "retention", status: "succeeded" }),
      ]),
    });
    expect((await daily(lisbon)).at(-1)).toMatchObject({ date: "2026-11-20", status: "succeeded" });
    const pruned = async (home: Journey) =>
      (await daily(home)).reduce(
        (sum, { phases }) => sum + (phases.find(({ name }) => name === "retention")?.counts.pruned_events ?? 0),
        0,
      );
    expect([await pruned(kathmandu), await pruned(lisbon)]).toEqual([14 - 8, 12 - 8]);
  });

  it("keeps what each day was beyond its raw events, and the week as the sum of its days", async () => {
    const layer = async (name: string, { token }: Journey) =>
      (await pipeline.ask(token, `/api/v1/aggregates/${name}?entity_id=light.bed_light`)).json.aggregates as {
        date: string;
        count: number;
      }[];
    const days = await layer("daily", kathmandu);
    // Twelve days with an event each, the five that are pruned among them.
    expect(days.filter(({ count }) => count === 1).map(({ date }) => date)).toEqual(
      Array.from({ length: 12 }, (_, day) => `2026-11-${day + 10}`),
    );
    expect(await layer("weekly", kathmandu)).toMatchObject([
      { date: "2026-11-08", count: 5 },
      { date: "2026-11-15", count: 7 },
    ]);
    const { layers } = (await pipeline.ask(kathmandu.token, "/api/v1/retention")).json as { layers: unknown[] };
    expect(layers[0]).toMatchObject({
      layer: "raw",
      keep_days: 7,
      oldest: expect.stringContaining("2026-11-14T21:15"),
    });
  });

  it("does nothing more when it is dispatched again, or a job's message comes again", async () => {
    const before = [await jobs(kathmandu), await jobs(lisbon), await times(kathmandu), await times(lisbon)];
    expect(await night()).toEqual({ homes: 2, created: 0, sentAgain: 0, failedHomes: 0 });
    await pipeline.send("analysis", JSON.stringify({ home_id: "kathmandu", job_id: "daily-2026-11-21" }));
    await pipeline.drain("again");
    expect([await jobs(kathmandu), await jobs(lisbon), await times(kathmandu), await times(lisbon)]).toEqual(before);
    expect(await pipeline.dead("analysis")).toEqual([]);
  });

  it("goes on to the other home when its night comes, and only there", async () => {
    clock.set(LISBON_NIGHT_MS);
    // The 22nd is a Sunday: the day's job and the week's.
    expect(await night()).toMatchObject({ created: 2 });
    expect((await jobs(lisbon)).slice(-2)).toMatchObject([
      { date: "2026-11-21", kind: "daily", status: "succeeded" },
      { date: "2026-11-21", kind: "weekly", status: "succeeded" },
    ]);
    expect(await times(lisbon)).toHaveLength(7);
    expect(await times(kathmandu)).toHaveLength(8);
  });

  it("runs a job once when two functions have its message at the same moment", async () => {
    clock.set(LISBON_NIGHT_MS + DAY_MS);
    await pipeline.dispatch();
    await pipeline.drain("at-once");
    expect(new Set((await jobs(lisbon)).map(({ status }) => status))).toEqual(new Set(["succeeded"]));
    expect(await times(lisbon)).toHaveLength(6);
    expect(await pipeline.dead("analysis")).toEqual([]);
  });
});
