import fc from "fast-check";
import { expect, it } from "vitest";
import { seededRandom } from "../../lib/base/random.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { pipeline } from "./pipeline.ts";

/** Envelopes of one relay; every event has its own natural key, some are malformed. */
const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });

it("with parts failing at random, in any order, with any repetition: what was sent is stored or set aside, and the ledger says complete", async () => {
  await fc.assert(
    fc.asyncProperty(lengths, fc.nat(), fc.double({ min: 0, max: 0.3, noNaN: true }), async (counts, seed, rate) => {
      const random = seededRandom(seed);
      const set = await pipeline();
      let next = 1;
      const envelopes = counts.map((count) => {
        const first = next;
        next += count;
        const records = Array.from({ length: count }, (_, at) =>
          (first + at) % 7 === 0
            ? stateRecord({ entity_id: "BAD" })
            : stateRecord({ entity_id: `light.l${first + at}`, atUs: SOME_TIME_US - first - at }),
        );
        return sealed(records, { key: set.key, first });
      });
      const numbers = Array.from({ length: next - 1 }, (_, at) => at + 1);
      set.failWhen(() => random() < rate);
      // Each message at least twice, shuffled, in batches of up to three, those that fail again until they do not.
      let waiting = [...envelopes, ...envelopes].toSorted(() => random() - 0.5);
      for (let round = 0; waiting.length > 0; round++) {
        if (round > 2_000) throw new Error("the messages do not get through");
        const batch = waiting.slice(0, 3);
        const { failures } = await set.run(...batch);
        waiting = [...waiting.slice(3), ...batch.filter((_, at) => failures.has(`m${at}`))];
      }
      const wanted = numbers.filter((n) => n % 7 !== 0).map((n) => `home\nlight.l${n}\n${SOME_TIME_US - n}`);
      expect(set.storedKeys()).toEqual(wanted.sort());
      const dead = new Set(set.queues.dead.messages.map(({ attributes }) => Number(attributes?.sequence)));
      expect([...dead].sort((a, b) => a - b)).toEqual(numbers.filter((n) => n % 7 === 0));
      expect(await set.ledger.rows("home")).toMatchObject([
        { ranges: [[1, next - 1]], counts: { records: next - 1, rejected: dead.size } },
      ]);
    }),
    { numRuns: 60 },
  );
});
