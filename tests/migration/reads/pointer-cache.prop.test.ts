import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPointerCache, FRESH_MS, SILENCE_MS, WAIT_MS } from "../../../lib/migration/reads/pointer-cache.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { pointer, quiet } from "./fakes.ts";

const LOOK_MAX_MS = 500;
const someStep = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 60_000 })),
  isChanged: fc.boolean(),
  /** How long the next looks take. */
  lookMs: fc.integer({ min: 0, max: LOOK_MAX_MS }),
  isAway: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
});

/** Runs the steps; what each read got, how long it waited, and since when a later epoch was there. */
async function run(steps: readonly (typeof someStep extends fc.Arbitrary<infer S> ? S : never)[]) {
  const clock = manualClock();
  const changes: number[] = [clock.monotonicMs()];
  let [lookMs, isAway] = [0, false];
  const store = {
    pointer: async () => {
      const [epoch, isFailing] = [changes.length, isAway];
      await clock.sleep(lookMs);
      if (isFailing) throw new Error("away");
      return pointer({ epoch });
    },
  };
  const cache = createPointerCache({ store, clock, log: quiet });
  const first = Promise.resolve(cache.get("home"));
  await clock.advance(LOOK_MAX_MS);
  await first;
  const reads: { waitedMs: number; staleMs: number }[] = [];
  for (const step of steps) {
    await clock.advance(step.afterMs);
    if (step.isChanged) changes.push(clock.monotonicMs());
    ({ lookMs, isAway } = step);
    const startedMs = clock.monotonicMs();
    let answer: { epoch: number; atMs: number } | undefined;
    void Promise.resolve(cache.get("home")).then((found) => {
      answer = { epoch: found?.epoch ?? 0, atMs: clock.monotonicMs() };
    });
    for (let i = 0; i < 400 && !answer; i++) await clock.advance(i === 0 ? 0 : 10);
    if (!answer) throw new Error("A read waits for ever.");
    // Changes are at 1, 2, 3...: the one behind the epoch that was served made it old.
    const staleMs = startedMs - (changes[answer.epoch] ?? startedMs);
    reads.push({ waitedMs: answer.atMs - startedMs, staleMs });
  }
  return reads;
}

describe("the pointer that reads go by", () => {
  it("is never older than the silence allows while it can be read, and no read waits for long", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          someStep.map((step) => ({ ...step, isAway: false })),
          { size: "max", maxLength: 30 },
        ),
        async (steps) => {
          for (const { waitedMs, staleMs } of await run(steps)) {
            expect(staleMs).toBeLessThanOrEqual(SILENCE_MS);
            expect(waitedMs).toBeLessThanOrEqual(2 * LOOK_MAX_MS + 20);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("is old by seconds only where reads come often", async () => {
    const often = someStep.map((step) => ({ ...step, isAway: false, afterMs: step.afterMs % 300 }));
    await fc.assert(
      fc.asyncProperty(fc.array(often, { size: "max", maxLength: 60 }), async (steps) => {
        // The read that finds it old begins the look, the next one behind its end has it.
        for (const { staleMs, waitedMs } of await run(steps)) {
          expect(staleMs).toBeLessThanOrEqual(FRESH_MS + 2 * 300 + 2 * LOOK_MAX_MS);
          expect(waitedMs).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("makes nobody wait for long where it cannot be read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(someStep, { size: "max", maxLength: 30 }), async (steps) => {
        for (const { waitedMs } of await run(steps)) expect(waitedMs).toBeLessThanOrEqual(2 * WAIT_MS + 20);
      }),
      { numRuns: 100 },
    );
  });
});
