import { describe, expect, it } from "vitest";
import type { LateDays } from "../../lib/store/ports.ts";

/** What every `LateDays` does. `make` gives an empty one. */
export function lateDaysConformance(make: () => Promise<LateDays>): void {
  describe("late days", () => {
    const dates = async (days: LateDays, homeId = "home") => (await days.list(homeId)).map(({ date }) => date);

    it("are listed by home, ascending, as often as they were noted", async () => {
      const days = await make();
      await days.note("home", ["2026-11-20", "2026-11-18"]);
      await days.note("home", ["2026-11-18"]);
      await days.note("home2", ["2026-11-19"]);
      await days.note("home", []);
      expect(await dates(days)).toEqual(["2026-11-18", "2026-11-18", "2026-11-20"]);
      expect(await dates(days, "home2")).toEqual(["2026-11-19"]);
      expect(await dates(days, "hom")).toEqual([]);
    });

    it("stay when they were noted again after they were listed", async () => {
      const days = await make();
      await days.note("home", ["2026-11-18", "2026-11-19"]);
      const seen = await days.list("home");
      await days.note("home", ["2026-11-18"]);
      await days.clear("home", seen);
      expect(await dates(days)).toEqual(["2026-11-18"]);
      await days.clear("home", seen);
      expect(await dates(days)).toEqual(["2026-11-18"]);
      await days.clear("home", await days.list("home"));
      expect(await dates(days)).toEqual([]);
    });
  });
}
