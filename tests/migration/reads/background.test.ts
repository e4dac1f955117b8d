import { describe, expect, it } from "vitest";
import { createBackground } from "../../../lib/migration/reads/background.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { quiet } from "./fakes.ts";

const setUp = (given: object = {}) => {
  const clock = manualClock();
  return { clock, background: createBackground({ clock, log: quiet, restMs: 0, ...given }) };
};
const never = () => new Promise<void>(() => {});

describe("work in the background", () => {
  it("begins only when whoever made it has gone on", async () => {
    const { clock, background } = setUp({ delayMs: 20 });
    let done = 0;
    expect(background.add(async () => void done++, 1)).toBe(true);
    await clock.advance(19);
    expect(done).toBe(0);
    await clock.advance(1);
    expect(done).toBe(1);
    await background.idle();
    expect(clock.sleeping()).toBe(0);
  });

  it("does a few at once, all in the end", async () => {
    const { clock, background } = setUp({ concurrency: 2, delayMs: 0 });
    let [now, most, done] = [0, 0, 0];
    for (let i = 0; i < 20; i++)
      background.add(async () => {
        most = Math.max(most, ++now);
        await clock.sleep(10);
        now--;
        done++;
      }, 1);
    await clock.advance(1_000);
    expect({ most, done, dropped: background.dropped() }).toEqual({ most: 2, done: 20, dropped: 0 });
  });

  it("drops what is too much, by number and by rows, and counts it", async () => {
    const { clock, background } = setUp({ concurrency: 1, waitingMax: 3, rowsMax: 100 });
    const taken = (rows: number) => background.add(never, rows);
    expect([taken(1), taken(60), taken(50), taken(40), taken(0), taken(0)]).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(background.dropped()).toBe(2);
    await clock.advance(0);
  });

  it("takes one that is larger than all room when nothing else waits", () => {
    const { background } = setUp({ concurrency: 1, rowsMax: 100 });
    expect([background.add(never, 1_000), background.add(never, 1_000), background.add(never, 1_000)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("gives up what hangs, tells it so, and goes on", async () => {
    const { clock, background } = setUp({ concurrency: 1, timeoutMs: 100, delayMs: 0 });
    let told = false;
    let done = false;
    background.add((signal) => {
      signal.addEventListener("abort", () => {
        told = true;
      });
      return never();
    }, 1);
    background.add(async () => {
      done = true;
    }, 1);
    await clock.advance(100);
    expect({ told, done, dropped: background.dropped() }).toEqual({ told: true, done: true, dropped: 1 });
    await background.idle();
    expect(clock.sleeping()).toBe(0);
  });

  it("rests between works: at least so long, four times as long as they took, a second at most", async () => {
    const { clock, background } = setUp({ restMs: 100, delayMs: 0 });
    const startedMs: number[] = [];
    for (const tookMs of [0, 50, 5_000, 0])
      background.add(async () => {
        startedMs.push(clock.monotonicMs());
        if (tookMs > 0) await clock.sleep(tookMs);
      }, 1);
    await clock.advance(20_000);
    expect(startedMs).toEqual([0, 100, 350, 6_350]);
  });

  it("survives work that throws", async () => {
    const { clock, background } = setUp({ concurrency: 1, delayMs: 0 });
    background.add(() => Promise.reject(new Error("no")), 1);
    background.add(() => {
      throw new Error("at once");
    }, 1);
    let done = false;
    background.add(async () => {
      done = true;
    }, 1);
    await clock.advance(0);
    await background.idle();
    expect(done).toBe(true);
  });
});
