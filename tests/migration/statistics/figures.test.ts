import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../lib/base/random.ts";
import { arrivals, FROM_THE_START } from "../../../lib/migration/statistics/arrivals.ts";
import { quantileRatio } from "../../../lib/migration/statistics/bootstrap.ts";
import { NO_LATENCIES, quantileMs, withLatencies } from "../../../lib/migration/statistics/latencies.ts";
import { NO_SAMPLE, pairsOf, withPairs } from "../../../lib/migration/statistics/sample.ts";
import { signedRank } from "../../../lib/migration/statistics/signed-rank.ts";
import { NO_TREND, nextLookAt, slopeOf, type Trend, withReading } from "../../../lib/migration/statistics/trend.ts";
import type { ReadPair } from "../../../lib/migration/types.ts";

describe("the signed-rank test", () => {
  it("is that of the tables for few differences", () => {
    // Of 2^6 ways two are as extreme as all of six above.
    expect(signedRank([1, 2, 3, 4, 5, 6])).toEqual({ count: 6, above: 21, p: 2 / 64 });
    expect(signedRank([1, -2, 3, -4, 5, -6, 7]).p).toBeCloseTo(0.8125, 10);
  });

  it("is that of the normal approximation for many, with ties and zeros", () => {
    const many = Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? -(i + 1) : i + 1));
    // n 30, sum of ranks above 320: z = (320 - 232.5 - .5) / sqrt(2363.75).
    expect(signedRank(many)).toMatchObject({ count: 30, above: 320 });
    expect(signedRank(many).p).toBeCloseTo(0.0736, 3);
    expect(signedRank([0, 0, 0])).toEqual({ count: 0, above: 0, p: 1 });
    expect(signedRank([2, 2, -2, 0]).above).toBe(4);
  });
});

describe("the bootstrap of a ratio of quantiles", () => {
  it("is the same for the same seed, and holds the ratio", () => {
    const random = seededRandom(4);
    const pairs = Array.from({ length: 300 }, () => {
      const oldMs = 10 + 90 * random();
      return { oldMs, newMs: oldMs * 1.3 };
    });
    const found = () => quantileRatio(pairs, { random: seededRandom(1), share: 0.95 });
    expect(found()).toEqual(found());
    expect(found()?.ratio).toBeCloseTo(1.3, 10);
    expect(found()?.low).toBeCloseTo(1.3, 10);
    expect(quantileRatio(pairs.slice(0, 19), { random, share: 0.95 })).toBeUndefined();
  });
});

describe("times in buckets", () => {
  it("give quantiles at most 2 % too low", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1 }), (times) => {
        const sorted = times.toSorted((a, b) => a - b);
        for (const share of [0.5, 0.95, 1]) {
          const exact = sorted[Math.max(1, Math.ceil(share * times.length)) - 1] ?? 0;
          const found = quantileMs(withLatencies(NO_LATENCIES, times), share) ?? 0;
          expect(found).toBeLessThanOrEqual(exact * (1 + 1e-9));
          expect(found).toBeGreaterThan(exact * 0.98);
        }
      }),
    );
  });

  it("count what no clock could have said at the ends", () => {
    expect(quantileMs(NO_LATENCIES, 0.5)).toBeUndefined();
    expect(quantileMs(withLatencies(NO_LATENCIES, [0]), 0.5)).toBeCloseTo(1e-5, 5);
    expect(quantileMs(withLatencies(NO_LATENCIES, [1e12]), 0.5)).toBeGreaterThan(1e7);
  });
});

describe("a sample of pairs", () => {
  it("is the same whatever the order, and bounded", () => {
    const pairs = Array.from({ length: 1_000 }, (_, i) => ({
      mark: (i * 2_654_435_761) >>> 0,
      oldMs: i,
      newMs: i + 1,
    }));
    const all = withPairs(NO_SAMPLE, pairs);
    const parts = withPairs(withPairs(withPairs(NO_SAMPLE, pairs.slice(500)), pairs.slice(0, 600)), pairs.slice(3, 9));
    expect(parts).toEqual(all);
    expect(pairsOf(all)).toHaveLength(300);
  });
});

describe("arrivals", () => {
  const pairAt = (seconds: number, rows = 1): ReadPair => ({
    ...{ atUs: seconds * 1e6, by: "probe", query: "range", oldMs: 1, newMs: 2, rows },
  });

  it("gives each pair once, however steps cut and repeat them, also one that is written up to 15 seconds late", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.integer({ min: 1, max: 200 }), late: fc.integer({ min: 0, max: 14 }) })),
        (made) => {
          const pairs = made.map(({ at, late }, i) => ({ pair: pairAt(at, i), thereAt: at + late }));
          let cursor = FROM_THE_START;
          const seen: number[] = [];
          for (let now = 0; now <= 230; now += 7) {
            const there = pairs
              .filter(({ pair, thereAt }) => thereAt <= now && pair.atUs > cursor.floorUs)
              .map(({ pair }) => pair)
              .sort((a, b) => a.atUs - b.atUs);
            const next = arrivals(cursor, there);
            expect(arrivals(next.cursor, there).fresh).toEqual([]);
            seen.push(...next.fresh.map(({ pair }) => pair.rows));
            cursor = next.cursor;
          }
          expect(seen.toSorted((a, b) => a - b)).toEqual(made.map((_, i) => i));
        },
      ),
    );
  });

  it("remembers a bounded number, and looks back less where more came", () => {
    const many = Array.from({ length: 5_000 }, (_, i) => pairAt(1 + i / 1_000));
    const { fresh, cursor } = arrivals(FROM_THE_START, many);
    expect(fresh).toHaveLength(5_000);
    expect(cursor.seen).toHaveLength(2_000);
    expect(arrivals(cursor, many).fresh).toEqual([]);
  });
});

describe("a trend", () => {
  /** Megabytes, looked at each minute: a heap that is collected every five to nine minutes. */
  const heap = (minutes: number, perHour: number, saw: number, seed = 1): Trend => {
    const random = seededRandom(seed);
    let [trend, phase] = [NO_TREND, random()];
    for (let minute = 0; minute < minutes; minute++) {
      phase = (phase + 1 / (5 + 4 * random())) % 1;
      trend = withReading(trend, [minute * 60, 100 + (perHour * minute) / 60 + saw * phase + random()], 0.05);
    }
    return trend;
  };

  it("of a saw-tooth is none, however often it is looked at", () => {
    for (let seed = 0; seed < 100; seed++) expect(heap(600, 0, 40, seed).slope?.low ?? -1).toBeLessThanOrEqual(2);
  });

  it("of a leak under a saw-tooth is found", () => {
    for (let seed = 0; seed < 50; seed++) expect(heap(480, 10, 40, seed).slope?.low).toBeGreaterThan(5);
  });

  it("of what stands still is bounded within the hour", () => {
    const { slope } = heap(60, 0, 1);
    expect(slope?.low).toBeLessThan(0);
    expect(slope?.high).toBeLessThan(5);
  });

  it("keeps a bounded series, and looks ever more rarely", () => {
    const trend = heap(20_000, 0, 10);
    expect(trend.readings.length).toBeLessThanOrEqual(96);
    expect(trend.count).toBe(20_000);
    expect(nextLookAt(NO_TREND)).toBe(12);
    expect(trend.looks).toBeLessThan(40);
  });

  it("is not judged from a handful", () =>
    expect(
      slopeOf(
        [
          [0, 1],
          [1, 2],
          [2, 3],
        ],
        0.05,
      ),
    ).toBeUndefined());
});
