import { describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../../../lib/base/random.ts";
import {
  type CentreSums,
  centreInterval,
  inflationOf,
  mergeCentres,
  NO_CENTRE,
  NO_SPREAD,
  pairsFor,
  withCentreBlock,
} from "../../../lib/migration/statistics/centre.ts";
import { logEvidence, thresholdOf } from "../../../lib/migration/statistics/evidence.ts";
import { normalCdf, normalUpper } from "../../../lib/migration/statistics/normal.ts";
import { countFor, proportionBounds } from "../../../lib/migration/statistics/proportion.ts";
import { mergeTails, NO_TAIL, tailInterval, withTailBlock } from "../../../lib/migration/statistics/tail.ts";

const SIDES = { low: 0.05, high: 0.05, inflation: 1 };
const series = (runs: number, crosses: (random: Random) => boolean): number =>
  Array.from({ length: runs }, (_, i) => crosses(seededRandom(i))).filter(Boolean).length / runs;
const normal = (random: Random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

describe("the normal distribution", () => {
  it("is that of the tables", () => {
    expect(normalCdf(0)).toBeCloseTo(0.5, 7);
    expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
    expect(normalCdf(-6) / 9.865876e-10).toBeCloseTo(1, 5);
    expect(normalUpper(0.025)).toBeCloseTo(1.959964, 4);
    expect(normalUpper(1e-6)).toBeCloseTo(4.753424, 4);
  });
});

describe("evidence of a sum of symmetric steps", () => {
  it.each([
    ["fair coins", (random: Random) => (random() < 0.5 ? 1 : -1)],
    ["steps without a variance", (random: Random) => Math.tan(Math.PI * (random() - 0.5))],
    ["steps that grow a thousandfold", (random: Random, i: number) => normal(random) * 1.007 ** i],
  ])("never misleads more often than it says, looked at a thousand times: %s", (_, step) => {
    const crossed = series(400, (random) => {
      let [s, v] = [0, 0];
      for (let i = 0; i < 1_000; i++) {
        const x = step(random, i);
        s += x;
        v += x * x;
        if (logEvidence(s, v, 5) >= thresholdOf(0.1)) return true;
      }
      return false;
    });
    expect(crossed).toBeLessThanOrEqual(0.1);
  });

  it("grows where steps lean upwards, and is none where they lean downwards", () => {
    expect(logEvidence(60, 100, 5)).toBeGreaterThan(thresholdOf(1e-6));
    expect(logEvidence(-60, 100, 5)).toBeLessThan(-3);
    expect(logEvidence(-1e6, 1, 5)).toBeLessThan(-10);
  });
});

describe("the usual pair", () => {
  const drawn = (count: number, ratio: number, seed = 1): CentreSums => {
    const random = seededRandom(seed);
    let sums = NO_CENTRE;
    for (let i = 0; i < count; i++)
      sums = withCentreBlock(
        sums,
        [1, 2, 3, 4, 5].map(() => Math.log(ratio) + 0.5 * normal(random)),
        NO_SPREAD,
      );
    return sums;
  };

  it("lies between its bounds at all looks together", () => {
    const wrong = series(200, (random) => {
      let sums = NO_CENTRE;
      for (let i = 0; i < 200; i++) {
        sums = withCentreBlock(sums, [0.2 + normal(random), 0.2 + normal(random)], NO_SPREAD);
        const { low = 0, high = Infinity } = centreInterval(sums, SIDES);
        if (Math.exp(0.2) < low || Math.exp(0.2) > high) return true;
      }
      return false;
    });
    expect(wrong).toBeLessThanOrEqual(0.1);
  });

  it("has no bounds after a few blocks, however far off they are", () => {
    expect(centreInterval(NO_CENTRE, SIDES)).toEqual({});
    const few = centreInterval(drawn(5, 5), SIDES);
    expect(few.estimate).toBeGreaterThan(3);
    expect(few.low).toBeUndefined();
  });

  it("has the same bounds merged from parts", () => {
    const [a, b] = [drawn(40, 1.2, 1), drawn(30, 1.2, 2)];
    const { low = 0, high = 0 } = centreInterval(mergeCentres(a, b), SIDES);
    expect(mergeCentres(a, NO_CENTRE)).toEqual(a);
    expect(low).toBeGreaterThan(1);
    expect(high).toBeLessThan(1.4);
    expect(mergeCentres(a, b).pairs).toBe(350);
  });

  it("takes neighbours that lean the same way for fewer, and independent ones as they are", () => {
    expect(inflationOf(drawn(400, 1))).toBe(1);
    let hanging = NO_CENTRE;
    const random = seededRandom(3);
    let luck = 0;
    for (let i = 0; i < 400; i++) {
      luck = 0.8 * luck + 0.6 * normal(random);
      hanging = withCentreBlock(hanging, [luck], NO_SPREAD);
    }
    expect(inflationOf(hanging)).toBeGreaterThan(5);
  });

  it("says about how many pairs settle it", () => {
    const wanted = pairsFor(drawn(30, 1), 1.1, 0.05) ?? 0;
    expect(wanted).toBeGreaterThan(150);
    expect(pairsFor(drawn(30, 1), 1.5, 0.05)).toBeLessThan(wanted);
    expect(pairsFor(NO_CENTRE, 1.1, 0.05)).toBeUndefined();
  });
});

describe("the p95's ratio", () => {
  const world = (count: number, ratio: number) => {
    const random = seededRandom(9);
    let sums = NO_TAIL;
    for (let i = 0; i < count; i++) {
      const pairs = [1, 2, 3, 4, 5].map(() => ({
        oldMs: 60 * Math.exp(0.5 * normal(random)),
        newMs: 60 * ratio * Math.exp(0.5 * normal(random)),
      }));
      sums = withTailBlock(sums, pairs, 60 * Math.exp(0.5 * 1.645));
    }
    return sums;
  };

  it("is found with bounds around it", () => {
    const { low = 0, estimate = 0, high = 0 } = tailInterval(world(1_000, 1.3), SIDES);
    expect(low).toBeGreaterThan(1.1);
    expect(estimate).toBeCloseTo(1.3, 1);
    expect(high).toBeLessThan(1.55);
    expect(tailInterval(NO_TAIL, SIDES)).toEqual({});
  });

  it("merges by adding", () => {
    const [a, b] = [world(20, 1), world(30, 1.2)];
    expect(mergeTails(a, NO_TAIL)).toEqual(a);
    expect(mergeTails(a, b)).toEqual(mergeTails(b, a));
    expect(mergeTails(a, b).pairs).toBe(250);
  });
});

describe("a share", () => {
  it("of which nothing was seen has an upper bound that falls", () => {
    const highOf = (count: number) => proportionBounds({ hits: 0, count }, { limit: 0.01, alpha: 0.05 }).high;
    expect(highOf(0)).toBe(1);
    expect(highOf(408)).toBeGreaterThan(0.01);
    expect(highOf(409)).toBeLessThan(0.01);
    expect(countFor({ hits: 0, count: 0 }, { limit: 0.01, below: 0.01, alpha: 0.05, max: 20_000 })).toBe(409);
  });

  it("has bounds that are at the ends where everything or nothing was hit", () => {
    expect(proportionBounds({ hits: 0, count: 10 }, { limit: 0.01, alpha: 0.05 }).low).toBe(0);
    expect(proportionBounds({ hits: 10, count: 10 }, { limit: 0.01, alpha: 0.05 }).high).toBe(1);
  });

  it("lies between its bounds at all looks together", () => {
    const wrong = series(300, (random) => {
      let hits = 0;
      for (let count = 1; count <= 1_000; count++) {
        if (random() < 0.01) hits++;
        if (count % 10 !== 0) continue;
        const { low, high } = proportionBounds({ hits, count }, { limit: 0.01, alpha: 0.1 });
        if (low > 0.01 || high < 0.01) return true;
      }
      return false;
    });
    expect(wrong).toBeLessThanOrEqual(0.1);
  });
});
