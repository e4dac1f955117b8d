import { beforeEach, describe, expect, it } from "vitest";
import { unpackDays } from "../../../lib/analysis/patterns/learned.ts";
import { periodOf } from "../../../lib/analysis/periods.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { buildEvent } from "../../support/events.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { countingDetector } from "./counting-detector.ts";
import { CALENDAR, day, makeHome } from "./home.ts";

describe("the phase patterns, when", () => {
  let clock: ManualClock;
  beforeEach(() => {
    clock = manualClock();
  });

  async function nights(home: ReturnType<typeof makeHome>, from: number, to: number) {
    for (let number = from; number <= to; number++) {
      await home.write(day(number));
      await home.night(day(number));
    }
  }

  it("another job learns from a day while its week is being summed, sums the week as it is then", async () => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    const home = makeHome(clock, {
      aggregates: (store) => ({
        ...store,
        async put(aggregate, expiresMs) {
          if (aggregate.layer === "weekly" && aggregate.kind === "time-of-day") {
            const work = meanwhile;
            meanwhile = undefined;
            await work?.();
          }
          return store.put(aggregate, expiresMs);
        },
      }),
    });
    await nights(home, 0, 6);
    await home.write(day(3), ["light.late"], 6);
    meanwhile = () => home.run("daily", day(6));
    await home.run("weekly", day(6));
    expect(meanwhile).toBeUndefined();
    expect(await home.rows("weekly")).toEqual([
      [
        day(0),
        [
          { id: "light.a", n: 7 },
          { id: "light.late", n: 1 },
        ],
      ],
    ]);
  });

  it("a detector cannot add up, has it fail alone and catch up", async () => {
    const home = makeHome(clock);
    let isBroken = true;
    const counting = countingDetector({ kind: "room" });
    const merge: typeof counting.merge = (parts) => {
      const all = [...parts];
      if (isBroken && all.length > 1) throw new Error("cannot add up");
      return counting.merge(all);
    };
    home.set({ detectors: [{ ...counting, merge }, countingDetector()] });
    await nights(home, 0, 5);
    await home.write(day(6));
    await expect(home.night(day(6))).rejects.toThrow("room (cannot add up)");
    expect(await home.rows("weekly")).toEqual([[day(0), [{ id: "light.a", n: 7 }]]]);
    expect(await home.told()).toHaveLength(2);
    isBroken = false;
    await home.run("daily", day(6));
    expect(await home.rows("weekly", "room")).toEqual([[day(0), [{ id: "light.a", n: 7 }]]]);
  });

  it("the table is down, fails as a whole and is tried again, and no detector is blamed", async () => {
    let isDown = false;
    const home = makeHome(clock, {
      aggregates: (store) => ({
        ...store,
        async put(aggregate, expiresMs) {
          if (isDown && aggregate.kind === "time-of-day") throw new HearthlineError("service_unreachable", "down");
          return store.put(aggregate, expiresMs);
        },
      }),
    });
    await home.write(day(0));
    isDown = true;
    await expect(home.night(day(0))).rejects.toMatchObject({ code: "service_unreachable" });
    expect(await home.rows("daily", "day")).toEqual([]);
    isDown = false;
    expect(await home.night(day(0))).toMatchObject({ days: 1 });
  });

  it("the home has moved, keeps each day in its own time zone, with no event in two days or in none", async () => {
    for (const [from, to] of [
      ["Europe/Amsterdam", "Asia/Tokyo"],
      ["Asia/Tokyo", "Europe/Amsterdam"],
      ["Australia/Lord_Howe", "Pacific/Kiritimati"],
    ] as const) {
      const home = makeHome(clock);
      const minutes = new Map<string, readonly number[]>();
      const counting = countingDetector();
      const watching = {
        ...counting,
        aggregate: (facts: Parameters<typeof counting.aggregate>[0]) => {
          minutes.set(
            facts.date,
            facts.occurrences.map(({ minute }) => Math.round(minute)),
          );
          return counting.aggregate(facts);
        },
      };
      home.set({ detectors: [watching], timeZone: from });
      const startUs = periodOf("daily", day(0), { ...CALENDAR, timeZone: from }).fromUs;
      const HOUR_US = 3.6e9;
      const at = (hour: number, state: "on" | "off") =>
        buildEvent({
          ...{ entityId: "light.a", atUs: startUs + hour * HOUR_US, state, oldState: state === "on" ? "off" : "on" },
          context: { id: `${hour}`, userId: "somebody" },
        });
      const hours = Array.from({ length: 24 * 6 }, (_, hour) => hour);
      await home.store.write(hours.map((hour) => at(hour, hour % 2 === 0 ? "on" : "off")));
      const night = async (number: number) => {
        const end = Math.max(
          periodOf("daily", day(number), { ...CALENDAR, timeZone: from }).toUs,
          periodOf("daily", day(number), { ...CALENDAR, timeZone: to }).toUs,
        );
        clock.set(end / 1000 + 60_000);
        await home.run("daily", day(number));
      };
      await night(0);
      await night(1);
      const own = minutes.get(day(1));
      home.set({ timeZone: to });
      for (const number of [2, 3, 4]) await night(number);
      const counted = (await home.rows("daily")).flatMap(([, rows]) => rows as { n: number }[]);
      const lastUs = periodOf("daily", day(4), { ...CALENDAR, timeZone: to }).toUs;
      const wanted = hours.filter((hour) => hour % 2 === 0 && startUs + hour * HOUR_US < lastUs);
      expect(counted.reduce((sum, { n }) => sum + n, 0)).toBe(wanted.length);
      // Something comes late to a day before the move: its clock is that of then.
      await home.relearn.note("home", [day(1)]);
      minutes.clear();
      await night(4);
      expect(minutes.get(day(1))).toEqual(own);
    }
  });

  it("one night is missed after the other, and then all are caught up, learns from all days that are left", async () => {
    const home = makeHome(clock);
    await nights(home, 0, 3);
    for (let number = 4; number <= 20; number++) await home.write(day(number));
    expect(await home.night(day(20))).toMatchObject({ days: 17 });
    expect(await home.rows("daily")).toHaveLength(21);
    expect((await home.told()).map(({ status, lastSeen }) => [status, lastSeen])).toEqual([["active", day(20)]]);
  });

  it("next to nothing is kept, still learns from the day that has ended", async () => {
    const home = makeHome(clock);
    home.set({ retention: { rawDays: 1, dailyDays: 1, weeklyWeeks: 1 } });
    await nights(home, 0, 9);
    expect((await home.rows("daily")).at(-1)).toEqual([day(9), [{ id: "light.a", n: 1 }]]);
    expect(await home.told()).toHaveLength(1);
    const days: unknown[] = [];
    for await (const one of home.aggregates.range({
      ...{ homeId: "home", layer: "daily", kind: "day", fromDate: day(9), toDate: day(10) },
    }))
      days.push(unpackDays(one));
    expect(days).toMatchObject([{ timeZone: "Europe/Amsterdam", day: { date: day(9) } }]);
  });
});
