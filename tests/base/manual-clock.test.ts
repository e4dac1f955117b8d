import { describe, expect, it } from "vitest";
import { manualClock } from "../support/manual-clock.ts";

describe("the manual clock", () => {
  it("stands still, and moves both times by what it is told", async () => {
    const clock = manualClock(1_000);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_000, 0]);
    await clock.advance(250);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1_250, 250]);
  });

  it("wakes sleepers in order of time, each at its own time", async () => {
    const clock = manualClock(0);
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push([name, clock.nowMs()]);
    };
    void sleep("late", 300);
    void sleep("early", 100);
    void sleep("never", 301);
    await clock.advance(300);
    expect(woken).toEqual([
      ["early", 100],
      ["late", 300],
    ]);
    expect(clock.sleeping()).toBe(1);
  });

  it("wakes who sleeps again within the same advance", async () => {
    const clock = manualClock(0);
    const beats: number[] = [];
    void (async () => {
      for (;;) {
        await clock.sleep(100);
        beats.push(clock.nowMs());
      }
    })();
    await clock.advance(350);
    expect(beats).toEqual([100, 200, 300]);
  });

  it("ends a sleep when its signal aborts, and at once when it has aborted already", async () => {
    const clock = manualClock();
    const stop = new AbortController();
    const asleep = clock.sleep(1_000, stop.signal);
    stop.abort();
    await asleep;
    await clock.sleep(1_000, stop.signal);
    expect(clock.sleeping()).toBe(0);
    expect(clock.monotonicMs()).toBe(0);
  });

  it("sets the wall clock back without touching who sleeps", async () => {
    const clock = manualClock(50_000);
    const slept = clock.sleep(100).then(() => clock.nowMs());
    clock.set(10_000);
    await clock.advance(100);
    expect(await slept).toBe(10_100);
    expect(clock.monotonicMs()).toBe(100);
  });
});
