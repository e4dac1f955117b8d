import { describe, expect, it } from "vitest";
import type { Job, JobStore } from "../../lib/analysis/ports.ts";

const job = (id: string, date: string, more: Partial<Job> = {}): Job => ({
  id,
  homeId: "home",
  kind: "daily",
  date,
  attempt: 0,
  status: "queued",
  phases: [],
  queuedAt: "2026-11-22T03:00:00.000Z",
  ...more,
});
const STARTED = "2026-11-22T03:00:01.000Z";

/** What every `JobStore` does. `make` gives an empty one. */
export function jobStoreConformance(make: () => Promise<JobStore>): void {
  describe("jobs", () => {
    it("are made once for a home, kind and date", async () => {
      const store = await make();
      expect(await store.create(job("one", "2026-11-21"))).toEqual({ job: job("one", "2026-11-21"), created: true });
      expect(await store.create(job("two", "2026-11-21"))).toEqual({ job: job("one", "2026-11-21"), created: false });
      expect((await store.create(job("three", "2026-11-21", { kind: "weekly" }))).created).toBe(true);
      expect((await store.create(job("four", "2026-11-21", { homeId: "other" }))).created).toBe(true);
      expect(await store.get("home", "one")).toEqual(job("one", "2026-11-21"));
      expect(await store.get("home", "two")).toBeUndefined();
      expect(await store.get("other", "one")).toBeUndefined();
    });

    it("are made once by many at once", async () => {
      const store = await make();
      const made = await Promise.all(["a", "b", "c", "d"].map((id) => store.create(job(id, "2026-11-21"))));
      expect(made.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(made.map(({ job: { id } }) => id)).size).toBe(1);
    });

    it("are listed newest date first, no more than asked for", async () => {
      const store = await make();
      for (const day of ["03", "01", "02"]) await store.create(job(`j${day}`, `2026-11-${day}`));
      await store.create(job("other", "2026-11-09", { homeId: "other" }));
      expect((await store.list("home", 10)).map(({ date }) => date)).toEqual([
        "2026-11-03",
        "2026-11-02",
        "2026-11-01",
      ]);
      expect((await store.list("home", 2)).map(({ date }) => date)).toEqual(["2026-11-03", "2026-11-02"]);
      expect(await store.list("home", 0)).toEqual([]);
      expect(await store.list("none", 5)).toEqual([]);
    });

    it("are claimed by one, again only when the lease has ended, never when done", async () => {
      const store = await make();
      await store.create(job("one", "2026-11-21"));
      const claim = (untilMs: number, nowMs: number) =>
        store.claim("home", "one", { startedAt: STARTED, untilMs, nowMs });
      expect(await store.claim("home", "none", { startedAt: STARTED, untilMs: 2_000, nowMs: 1_000 })).toBeUndefined();
      const claims = await Promise.all([claim(2_000, 1_000), claim(2_000, 1_000), claim(2_000, 1_000)]);
      const running = job("one", "2026-11-21", { status: "running", startedAt: STARTED, attempt: 1 });
      expect(claims.filter((claimed) => claimed !== undefined)).toEqual([running]);
      expect(await store.get("home", "one")).toEqual(running);
      expect(await claim(2_500, 1_999)).toBeUndefined();
      expect(await claim(4_000, 2_000)).toEqual({ ...running, attempt: 2 });
      const phases = [
        { name: "events", status: "running", startedAt: STARTED, durationMs: 5, counts: { read: 7 } },
      ] as const;
      await store.save({ ...running, attempt: 2, phases });
      expect(await claim(9_000, 3_999)).toBeUndefined();
      for (const status of ["succeeded", "degraded", "failed"] as const) {
        const done = job("one", "2026-11-21", { status, attempt: 2, phases, finishedAt: STARTED, peakRssBytes: 1 });
        await store.save(done);
        expect(await claim(9_000, 8_000)).toBeUndefined();
        expect(await store.get("home", "one")).toEqual(done);
      }
    });

    it("are saved only by the attempt that was begun last", async () => {
      const store = await make();
      await store.create(job("one", "2026-11-21"));
      const first = await store.claim("home", "one", { startedAt: STARTED, untilMs: 2_000, nowMs: 1_000 });
      const second = await store.claim("home", "one", { startedAt: STARTED, untilMs: 4_000, nowMs: 2_000 });
      if (!first || !second) throw new Error("neither was claimed");
      const late = store.save({ ...first, status: "failed" });
      await expect(late).rejects.toMatchObject({ code: "conflict", fate: "retry" });
      expect(await store.get("home", "one")).toEqual(second);
      await store.save({ ...second, status: "succeeded" });
      await expect(store.save({ ...first, status: "failed" })).rejects.toMatchObject({ code: "conflict" });
      await expect(store.save({ ...second, attempt: 3 })).rejects.toMatchObject({ code: "conflict" });
      expect(await store.get("home", "one")).toMatchObject({ status: "succeeded", attempt: 2 });
    });

    it("wait again when they are done and somebody wants it, and only then", async () => {
      const store = await make();
      const again = () => store.requeue("home", "one", "2026-11-23T00:00:00.000Z");
      expect(await again()).toBeUndefined();
      const { job: waiting } = await store.create(job("one", "2026-11-21"));
      expect(await again()).toEqual(waiting);
      const lease = { startedAt: STARTED, untilMs: 2_000, nowMs: 1_000 };
      const running = await store.claim("home", "one", lease);
      if (!running) throw new Error("nobody could claim it");
      expect(await again()).toEqual(running);
      for (const status of ["succeeded", "degraded", "failed"] as const) {
        const held = (await store.get("home", "one")) ?? running;
        await store.save({ ...held, status, finishedAt: STARTED, peakRssBytes: 7, phases: [] });
        const { attempt } = held;
        const fresh = job("one", "2026-11-21", {
          ...{ queuedAt: "2026-11-23T00:00:00.000Z", attempt, attemptsBefore: attempt },
        });
        expect(await Promise.all([again(), again()])).toEqual([fresh, fresh]);
        expect(await store.get("home", "one")).toEqual(fresh);
        expect(await store.claim("home", "one", lease)).toMatchObject({ status: "running", attempt: attempt + 1 });
      }
    });

    it("cannot be saved before they are made", async () => {
      const store = await make();
      await expect(store.save(job("one", "2026-11-21"))).rejects.toMatchObject({ code: "not_found" });
      expect(await store.list("home", 5)).toEqual([]);
    });
  });
}
