import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryRateStore } from "../../lib/adapters/memory/rates.ts";
import { createRateLimits } from "../../lib/api/index.ts";
import type { RateStore } from "../../lib/api/ports.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

const caller = { homeId: "home", tokenId: "t" };

interface Request {
  readonly instance: number;
  readonly afterMs: number;
  readonly units: number;
}
const request = (instances: number): fc.Arbitrary<Request> =>
  fc.record({
    instance: fc.nat(instances - 1),
    // Bursts, trickles, pauses.
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1_000, max: 90_000 })),
    units: fc.oneof(
      { weight: 9, arbitrary: fc.constant(1) },
      { weight: 1, arbitrary: fc.integer({ min: 2, max: 10 }) },
    ),
  });

interface LetIn {
  readonly atMs: number;
  readonly units: number;
}

/** What a number of instances over one store let in. */
async function letIn(
  requests: readonly Request[],
  limits: { perMinute: number; instances: number; clock: ManualClock; store: RateStore },
) {
  const { perMinute, instances, clock, store } = limits;
  const all = Array.from({ length: instances }, () => createRateLimits({ store, clock, perMinute }));
  const found: LetIn[] = [];
  for (const { instance, afterMs, units } of requests) {
    await clock.advance(afterMs);
    const waitMs = await all[instance]?.ofToken(caller, units);
    if (waitMs === 0) found.push({ atMs: clock.nowMs(), units });
  }
  return found;
}

describe("the limit of a token", () => {
  it("is never passed by more than a tenth for each instance, in any span of time", async () => {
    const perMinute = fc.integer({ min: 10, max: 400 });
    await fc.assert(
      fc.asyncProperty(
        perMinute,
        fc.integer({ min: 1, max: 4 }),
        fc.array(request(4), { maxLength: 600 }),
        async (limit, instances, asked) => {
          const requests = asked.map((one) => ({ ...one, instance: one.instance % instances }));
          const found = await letIn(requests, {
            perMinute: limit,
            instances,
            clock: manualClock(),
            store: createMemoryRateStore(),
          });
          const lease = Math.max(1, Math.floor(limit / 20));
          const leftOver = Math.max(lease, 10);
          for (let from = 0; from < found.length; from++) {
            let sum = 0;
            for (let to = from; to < found.length; to++) {
              sum += found[to]?.units ?? 0;
              const minutes = ((found[to]?.atMs ?? 0) - (found[from]?.atMs ?? 0)) / 60_000;
              const bound = limit * (1 + minutes) + instances * (lease * (1 + minutes) + leftOver);
              if (sum > bound + 1e-6) expect.fail(`${sum} in ${minutes} minutes; at most ${bound}`);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("lets everything through that stays below it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: 600 }),
        fc.array(fc.nat(500), { minLength: 1, maxLength: 300 }),
        async (limit, jitter) => {
          const clock = manualClock();
          const stepMs = Math.ceil(60_000 / limit);
          const requests = jitter.map((more) => ({ instance: 0, afterMs: stepMs + more, units: 1 }));
          const found = await letIn(requests, {
            perMinute: limit,
            instances: 1,
            clock,
            store: createMemoryRateStore(),
          });
          expect(found).toHaveLength(requests.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("lets as much through as it says over a long time, however hard it is pressed", async () => {
    const clock = manualClock();
    const requests = Array.from({ length: 12_000 }, (_, number) => ({ instance: number % 3, afterMs: 50, units: 1 }));
    const found = await letIn(requests, { perMinute: 120, instances: 3, clock, store: createMemoryRateStore() });
    // Ten minutes: 120 at once, 120 a minute from the table, and 6 at once and 6 a minute by each instance itself.
    expect(found.length).toBeGreaterThanOrEqual(120 * 11);
    expect(found.length).toBeLessThanOrEqual(120 * 11 + 3 * 6 * 11 + 3 * 6);
  });

  it("holds while the table is away, for each instance by itself", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request(2), { maxLength: 500 }), async (requests) => {
        const away: RateStore = { take: () => Promise.reject(new Error("away")) };
        const found = await letIn(requests, { perMinute: 60, instances: 2, clock: manualClock(), store: away });
        const total = found.reduce((sum, { units }) => sum + units, 0);
        const minutes = requests.reduce((sum, { afterMs }) => sum + afterMs, 0) / 60_000;
        expect(total).toBeLessThanOrEqual(2 * (60 + 3) * (1 + minutes) + 1e-6);
        expect(found.length).toBeGreaterThanOrEqual(Math.min(1, requests.length));
      }),
      { numRuns: 40 },
    );
  });
});
