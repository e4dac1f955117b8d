import fc from "fast-check";
import { expect, it } from "vitest";
import { createMemorySpool } from "../../lib/adapters/memory/spool.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { LossRecord } from "../../lib/event/index.ts";
import { createShipper } from "../../lib/relay/ship.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateEntry } from "../support/relay-records.ts";
import { isMeant, numbersIn, PieceSink } from "./piece-sink.ts";

/** What happens to one call: `lostAnswer` is taken although the relay hears an error. */
const fault = fc.record({
  how: fc.constantFrom("fine", "fine", "refusedConnection", "lostAnswer", "partial"),
  delayMs: fc.constantFrom(0, 0, 10, 700, 9_000),
});

const scenario = fc.record({
  faults: fc.array(fault, { maxLength: 25 }),
  appends: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
  bad: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
  isCertain: fc.boolean(),
  maxRecords: fc.integer({ min: 1, max: 12 }),
  batchMax: fc.integer({ min: 1, max: 4 }),
  inFlightMax: fc.integer({ min: 1, max: 4 }),
  spoolFails: fc.boolean(),
  seed: fc.integer(),
});

/** Calls that fail hold the bad records back until everything after them is taken. */
const badComesLast: typeof scenario extends fc.Arbitrary<infer T> ? T : never = {
  faults: (["fine", "refusedConnection", "lostAnswer", "lostAnswer", "lostAnswer", "lostAnswer"] as const).map(
    (how) => ({ how, delayMs: 0 }),
  ),
  appends: [11, 25, 1, 1],
  bad: [38, 37],
  ...{ isCertain: false, maxRecords: 9, batchMax: 3, inFlightMax: 2, spoolFails: false, seed: 11 },
};

const failure = () => new HearthlineError("service_unreachable", "nobody answers");

it("whatever a sink does: each record arrives at least once or is named as lost, and the cursor never passes one that did not", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ faults, appends, bad, isCertain, spoolFails, seed, ...shape }) => {
      const clock = manualClock();
      const random = seededRandom(seed);
      const spool = createMemorySpool({ relayId: "r", clock, sinks: ["old", "reader"], maxBytes: 1e9 });
      const sink = new PieceSink(shape);
      const lost = new Set<number>();
      sink.before = async (call) => {
        const { how, delayMs } = faults[call - 1] ?? { how: "fine", delayMs: 0 };
        if (delayMs > 0) await clock.sleep(delayMs * random());
        if (how === "refusedConnection") throw failure();
      };
      sink.answer = async (message, call) => {
        if (numbersIn(message).some((n) => bad.includes(n)))
          return { outcome: "refused", reason: "it is bad", isCertain };
        const isFailing = faults[call - 1]?.how === "partial" && random() < 0.5;
        return isFailing ? { outcome: "failed", error: failure() } : { outcome: "taken" };
      };
      sink.after = async (call) => {
        if (faults[call - 1]?.how === "lostAnswer") throw failure();
      };
      const { acknowledge, recordLoss } = spool;
      spool.recordLoss = async (given) => {
        for (let n = given.range?.[0] ?? 0; n <= (given.range?.[1] ?? -1); n++) lost.add(n);
        return recordLoss.call(spool, given);
      };
      spool.acknowledge = async (name, sequence) => {
        for (let n = 1; n <= sequence; n++)
          if (!sink.taken.has(n) && !lost.has(n) && (await isEvent(spool, n))) throw new Error(`${n} was acknowledged`);
        if (spoolFails && random() < 0.2) throw new HearthlineError("spool_failed", "busy");
        await acknowledge.call(spool, name, sequence);
      };
      const shipper = createShipper({ sink, spool, clock, random, log: silentLogger });
      const ended = shipper.run();
      const numbers: number[] = [];
      for (const count of appends) {
        const given = await spool.append(Array.from({ length: count }, (_, at) => stateEntry(`e${at}`)));
        numbers.push(...given);
        shipper.wake();
        await clock.advance(1_000 * random());
      }
      // Each that may be bad has been asked about before the last good one comes: the proof that the sink works. Of several calls at once the one with the bad record may end last.
      for (const count of [61, 2]) {
        numbers.push(...(await spool.append(Array.from({ length: count }, () => stateEntry("last")))));
        shipper.wake();
        await clock.advance(3_600_000);
      }
      shipper.stop();
      await clock.advance(60_000);
      await ended;
      const { lastSequence, cursors } = spool.state();
      expect(cursors.old).toBe(lastSequence);
      const wanted = numbers.filter((n) => isMeant(n) && !bad.includes(n));
      expect(wanted.filter((n) => !sink.taken.has(n))).toEqual([]);
      const named = numbers.filter((n) => isMeant(n) && bad.includes(n));
      expect([...lost].toSorted((a, b) => a - b)).toEqual(named);
    }),
    { numRuns: 150, examples: [[badComesLast]] },
  );
}, 120_000);

/** Whether the sink was to have this record: loss records and every fifth mean nothing to it. */
async function isEvent(spool: ReturnType<typeof createMemorySpool>, n: number): Promise<boolean> {
  if (!isMeant(n)) return false;
  const [record] = await spool.read("reader", { limit: 1, maxBytes: 1e9, after: n - 1 });
  return record !== undefined && (JSON.parse(record.line) as LossRecord).t !== "loss";
}
