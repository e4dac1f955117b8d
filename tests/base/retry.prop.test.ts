import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { backoffMs, retry } from "../../lib/base/retry.ts";
import { manualClock } from "../support/manual-clock.ts";

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const waits = fc.record({ baseMs: fc.integer({ min: 1, max: 10_000 }), maxMs: fc.integer({ min: 1, max: 100_000 }) });

describe("retrying", () => {
  it("waits between nothing and the bound, whatever the attempt", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), chance, waits, (attempt, drawn, options) => {
        const waitMs = backoffMs(attempt, () => drawn, options);
        expect(Number.isInteger(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(options.maxMs);
      }),
    );
  });

  it("tries exactly as often as needed and allowed, and never waits longer in all than the bounds add up to", async () => {
    const attempts = fc.integer({ min: 1, max: 8 });
    await fc.assert(
      fc.asyncProperty(
        attempts,
        fc.integer({ min: 0, max: 10 }),
        chance,
        waits,
        async (allowed, failing, drawn, options) => {
          const clock = manualClock();
          let tried = 0;
          let endedAtMs = Number.NaN;
          const work = async (attempt: number) => {
            expect(attempt).toBe(++tried);
            if (attempt <= failing) throw new HearthlineError("service_failed", `attempt ${attempt}`);
            return attempt;
          };
          const outcome = retry(work, { clock, random: () => drawn, attempts: allowed, ...options })
            .catch((thrown: unknown) => (thrown as Error).message)
            .finally(() => {
              endedAtMs = clock.monotonicMs();
            });
          const boundMs = options.maxMs * (allowed - 1);
          await clock.advance(boundMs);
          expect(await outcome).toBe(failing < allowed ? failing + 1 : `attempt ${allowed}`);
          expect(tried).toBe(Math.min(failing + 1, allowed));
          expect(endedAtMs).toBeLessThanOrEqual(boundMs);
        },
      ),
    );
  });
});
