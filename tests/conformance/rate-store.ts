import { describe, expect, it } from "vitest";
import type { RateStore } from "../../lib/api/ports.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

let homes = 0;

/** What every `RateStore` does. `make` gives one whose own time is the clock's; homes that nobody else uses are enough of a fresh one. */
export function rateStoreConformance(make: (clock: ManualClock) => Promise<RateStore>): void {
  const asked = (clock: ManualClock, wanted: number, atLeast = 1) => ({
    ...{ wanted, atLeast, capacity: 60, perMinute: 60 },
    nowMs: clock.nowMs(),
  });

  describe("buckets of tokens", () => {
    it("give what they hold, then say how long to wait, and fill up again with time", async () => {
      const clock = manualClock();
      const store = await make(clock);
      const home = `rate-${++homes}`;
      expect(await store.take(home, "t", asked(clock, 50))).toEqual({ granted: 50, waitMs: 0 });
      expect(await store.take(home, "t", asked(clock, 50))).toEqual({ granted: 10, waitMs: 0 });
      expect(await store.take(home, "t", asked(clock, 50, 5))).toEqual({ granted: 0, waitMs: 5_000 });
      await clock.advance(4_999);
      expect(await store.take(home, "t", asked(clock, 50, 5))).toEqual({ granted: 0, waitMs: 1 });
      await clock.advance(1);
      expect(await store.take(home, "t", asked(clock, 50, 5))).toEqual({ granted: 5, waitMs: 0 });
      await clock.advance(7_200_000);
      expect(await store.take(home, "t", asked(clock, 1_000))).toEqual({ granted: 60, waitMs: 0 });
    });

    it("are each token's own, in its own home", async () => {
      const clock = manualClock();
      const store = await make(clock);
      const home = `rate-${++homes}`;
      for (const [homeId, tokenId] of [
        [home, "t"],
        [home, "t2"],
        [`${home}2`, "t"],
        [`${home}#RATE`, "t"],
      ] as const)
        expect((await store.take(homeId, tokenId, asked(clock, 60))).granted).toBe(60);
    });

    it("give no unit twice to takers at the same moment", async () => {
      const clock = manualClock();
      const store = await make(clock);
      const home = `rate-${++homes}`;
      const taken = await Promise.all(Array.from({ length: 8 }, () => store.take(home, "t", asked(clock, 20))));
      expect(taken.reduce((sum, { granted }) => sum + granted, 0)).toBe(60);
    });

    it("are not locked by somebody whose clock is far ahead", async () => {
      const clock = manualClock();
      const store = await make(clock);
      const home = `rate-${++homes}`;
      await store.take(home, "t", { ...asked(clock, 60), nowMs: clock.nowMs() + 4_000 });
      expect((await store.take(home, "t", asked(clock, 1))).granted).toBe(0);
      await store.take(home, "t", { ...asked(clock, 60), nowMs: clock.nowMs() + 86_400_000 });
      expect((await store.take(home, "t", asked(clock, 100))).granted).toBe(60);
      expect((await store.take(home, "t", asked(clock, 1))).granted).toBe(0);
    });
  });
}
