import fc from "fast-check";
import { expect, it } from "vitest";
import { manualClock } from "../../support/manual-clock.ts";
import { countingDetector } from "./counting-detector.ts";
import { type Between, day, makeHome } from "./home.ts";

const SATURDAY = 6;
const DETECTORS = [countingDetector(), countingDetector({ kind: "room" })];

/** A week up to its Saturday, with a day to which something came late; its last night is still to be done. */
async function homeBeforeSaturday(between: Between = {}) {
  const home = makeHome(manualClock(), between);
  home.set({ detectors: DETECTORS });
  for (let number = 0; number < SATURDAY; number++) {
    await home.write(day(number));
    await home.night(day(number));
  }
  await home.write(day(3), ["light.late"], 6);
  await home.write(day(SATURDAY), ["light.a", "light.late"]);
  return home;
}

const WRITES = new Set(["change", "put", "prune", "restamp", "note", "clear"]);

/** Calls `before` ahead of each call of a store (`onlyWrites`: of each write). */
function watched<Store extends object>(store: Store, before: () => unknown, onlyWrites: boolean): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (typeof member !== "function" || (onlyWrites && !WRITES.has(String(name)))) return member;
      if (name === "range") {
        return async function* (...args: unknown[]) {
          await before();
          yield* member.apply(target, args);
        };
      }
      return async (...args: unknown[]) => {
        await before();
        return member.apply(target, args);
      };
    },
  });
}

const watching = (before: () => unknown, onlyWrites: boolean): Between => ({
  aggregates: (store) => watched(store, before, onlyWrites),
  patterns: (store) => watched(store, before, onlyWrites),
  lateDays: (days) => watched(days, before, onlyWrites),
});

it("leaves the same when it is killed before any of its writes, and run again", async () => {
  let [writes, killedAt] = [0, Number.POSITIVE_INFINITY];
  const kill = () => {
    if (++writes >= killedAt) throw new Error("killed");
  };
  const whole = await homeBeforeSaturday(watching(kill, true));
  writes = 0;
  await whole.night(day(SATURDAY));
  const all = writes;
  const expected = await whole.everything();
  expect(expected).toContain("light.late");
  expect(all).toBeGreaterThan(20);
  for (let at = 1; at <= all; at++) {
    killedAt = Number.POSITIVE_INFINITY;
    const home = await homeBeforeSaturday(watching(kill, true));
    [writes, killedAt] = [0, at];
    await expect(home.night(day(SATURDAY))).rejects.toThrow();
    killedAt = Number.POSITIVE_INFINITY;
    await home.night(day(SATURDAY));
    expect(await home.everything(), `killed before write ${at}`).toBe(expected);
  }
});

it("leaves the same when the night's jobs run at once, whatever comes first", async () => {
  const whole = await homeBeforeSaturday();
  await whole.night(day(SATURDAY));
  const expected = await whole.everything();
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      let isAtOnce = false;
      const home = await homeBeforeSaturday(
        watching(() => (isAtOnce ? scheduler.schedule(Promise.resolve()) : undefined), false),
      );
      isAtOnce = true;
      const jobs = Promise.all([
        home.at(day(SATURDAY), "daily"),
        home.at(day(SATURDAY), "weekly"),
        home.at(day(SATURDAY), "daily", day(SATURDAY - 1)),
      ]);
      await scheduler.waitFor(jobs);
      isAtOnce = false;
      // What the older job has not seen is the newer one's to tell: the next night finds all of it there.
      expect(await home.everything()).toBe(expected);
    }),
    { numRuns: 40 },
  );
});
