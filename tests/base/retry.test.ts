import { describe, expect, it } from "vitest";
import { type ErrorCode, HearthlineError } from "../../lib/base/errors.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { backoffMs, retry } from "../../lib/base/retry.ts";
import { manualClock } from "../support/manual-clock.ts";

const failing = (times: number, code: ErrorCode = "service_failed") => {
  const seen: number[] = [];
  const work = async (attempt: number) => {
    seen.push(attempt);
    if (attempt <= times) throw new HearthlineError(code, `attempt ${attempt} failed`);
    return `attempt ${attempt}`;
  };
  return { seen, work };
};

/** The longest wait each time: nothing is left to chance. */
const longest = () => 1;

describe("retry", () => {
  it("does not wait when the first attempt succeeds", async () => {
    const clock = manualClock();
    const { work, seen } = failing(0);
    await expect(retry(work, { clock, random: longest })).resolves.toBe("attempt 1");
    expect(seen).toEqual([1]);
    expect(clock.sleeping()).toBe(0);
  });

  it("waits longer each time, up to its bound, and gives the first success", async () => {
    const clock = manualClock(0);
    const { work, seen } = failing(4);
    const result = retry(work, { clock, random: longest, baseMs: 100, maxMs: 300 });
    await clock.advance(99);
    expect(seen).toEqual([1]);
    await clock.advance(1);
    expect(seen).toEqual([1, 2]);
    await clock.advance(200);
    expect(seen).toEqual([1, 2, 3]);
    await clock.advance(300);
    expect(seen).toEqual([1, 2, 3, 4]);
    await clock.advance(300);
    await expect(result).resolves.toBe("attempt 5");
  });

  it("gives up after its attempts with the last error", async () => {
    const clock = manualClock();
    const { work, seen } = failing(99);
    const result = retry(work, { clock, random: longest, attempts: 3 });
    const outcome = expect(result).rejects.toThrow("attempt 3 failed");
    await clock.advance(60_000);
    await outcome;
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each([
    ["an error that a person must mend", "service_refused"],
    ["an input that is wrong", "event_malformed"],
  ] as const)("does not repeat %s", async (_what, code) => {
    const { work, seen } = failing(99, code);
    await expect(retry(work, { clock: manualClock(), random: longest })).rejects.toMatchObject({ code });
    expect(seen).toEqual([1]);
  });

  it("does not repeat a foreign error unless told to", async () => {
    const clock = manualClock();
    const work = (attempt: number) => (attempt < 2 ? Promise.reject(new TypeError("bug")) : Promise.resolve("done"));
    await expect(retry(work, { clock, random: longest })).rejects.toThrow("bug");
    const told = retry(work, { clock, random: longest, isRetryable: () => true });
    await clock.advance(200);
    await expect(told).resolves.toBe("done");
  });

  it("stops in the middle of a wait when its signal aborts, with the last error", async () => {
    const clock = manualClock();
    const stop = new AbortController();
    const { work, seen } = failing(99);
    const result = retry(work, { clock, random: longest, signal: stop.signal });
    const outcome = expect(result).rejects.toThrow("attempt 1 failed");
    await clock.advance(10);
    stop.abort();
    await outcome;
    expect(seen).toEqual([1]);
    expect(clock.sleeping()).toBe(0);
  });
});

describe("the wait between attempts", () => {
  it("is spread over the whole interval, never zero when chance is not, never above the bound", () => {
    const random = seededRandom(7);
    for (const attempt of [1, 2, 5, 40, 5_000]) {
      const waits = Array.from({ length: 200 }, () => backoffMs(attempt, random, { baseMs: 200, maxMs: 30_000 }));
      const top = Math.min(30_000, 200 * 2 ** (attempt - 1));
      expect(Math.max(...waits)).toBeLessThanOrEqual(top);
      expect(Math.max(...waits)).toBeGreaterThan(top * 0.9);
      expect(Math.min(...waits)).toBeLessThan(top * 0.1);
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
    }
  });
});
