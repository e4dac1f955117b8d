import { describe, expect, it } from "vitest";
import { RECORDER_MAX_BACKLOG } from "../../../local/home/live/recorder.ts";
import { testHome } from "./support.ts";

const counted = (home: Awaited<ReturnType<typeof testHome>>) => home.core.sent.total();

describe("the rate", () => {
  it("is on the average what was asked for, over a day at 0.3", async () => {
    const home = await testHome({ rate: 0.3, speed: 3_600 });
    for (let hour = 0; hour < 24; hour++) home.advance(1_000);
    expect(counted(home) / 86_400).toBeGreaterThan(0.285);
    expect(counted(home) / 86_400).toBeLessThan(0.315);
  });

  it("stays that of a lived-in house when less is asked for", async () => {
    const home = await testHome({ rate: 0.001, speed: 3_600 });
    for (let hour = 0; hour < 24; hour++) home.advance(1_000);
    expect(counted(home)).toBeGreaterThan(1_000);
    expect(counted(home)).toBeLessThan(3_500);
  });

  it("reaches 2,000 a second, top-heavy over the sensors", async () => {
    const home = await testHome({ rate: 2_000 });
    home.advance(3_000);
    expect(counted(home)).toBeGreaterThan(5_800);
    expect(counted(home)).toBeLessThan(6_200);
    const counts = [...home.core.states.counts.values()].sort((a, b) => b - a);
    expect((counts[0] ?? 0) / counted(home)).toBeGreaterThan(0.3);
  });

  it("keeps what waits for the recorder bounded", async () => {
    const home = await testHome({ rate: 20_000 });
    home.fault({ fault: "recorder-slow", rows_per_second: 1, seconds: 3_600 });
    for (let step = 0; step < 40; step++) {
      home.advance(100);
      expect(home.core.recorder.backlog()).toBeLessThanOrEqual(RECORDER_MAX_BACKLOG);
    }
    expect(counted(home)).toBeGreaterThan(RECORDER_MAX_BACKLOG);
  });

  it("is the same run for the same seed, event for event", async () => {
    const run = async () => {
      const home = await testHome({ rate: 20, seed: 6 });
      home.advance(60_000);
      return (await (await fetch(`${home.url}/_sim/events`)).text()).split("\n");
    };
    const [first, second] = [await run(), await run()];
    expect(first.length).toBeGreaterThan(1_000);
    expect(second).toEqual(first);
  });
});
