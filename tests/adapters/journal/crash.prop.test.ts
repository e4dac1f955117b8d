import fc from "fast-check";
import { describe, it } from "vitest";
import { runs } from "../../support/depth.ts";
import { type Fault, FaultFs, seededRandom } from "../../support/fault-fs.ts";
import { Reference } from "./reference.ts";

const sizes = fc.array(fc.oneof({ weight: 8, arbitrary: fc.nat(2_000) }, { weight: 1, arbitrary: fc.nat(90_000) }), {
  maxLength: 8,
});
const sink = fc.constantFrom("cloud" as const, "old" as const);

type Step = (reference: Reference) => Promise<unknown>;
const named = (name: string, step: Step) => Object.assign(step, { toString: () => name });

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: sizes.map((each) => named(`append ${each}`, (reference) => reference.append(each))) },
  {
    weight: 2,
    arbitrary: fc
      .array(sizes, { maxLength: 3 })
      .map((calls) =>
        named(`append at once ${JSON.stringify(calls)}`, (reference) =>
          Promise.all(calls.map((each) => reference.append(each))),
        ),
      ),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(sink, fc.integer({ min: 1, max: 20 }))
      .map(([who, limit]) => named(`deliver ${who} ${limit}`, (reference) => reference.deliver(who, limit))),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 9 })
      .map((count) => named(`lose ${count}`, (reference) => reference.lose(count))),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: -1e9, max: 1e9 })
      .map((ms) => named(`clock ${ms}`, async ({ clock }) => clock.set(clock.nowMs() + ms))),
  },
  { weight: 1, arbitrary: fc.constant(named("2 s pass", ({ clock }) => clock.advance(2_000))) },
  { weight: 1, arbitrary: fc.constant(named("restart", (reference) => reference.restart())) },
  {
    weight: 2,
    arbitrary: fc
      .option(fc.integer({ min: 1, max: 6 }), { nil: undefined })
      .map((again) => named(`crash ${again}`, (reference) => reference.crash(again))),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 9 }), sizes, sink).map(([at, each, who]) =>
      named(`crash at change ${at} of append ${each}, deliver ${who}`, async (reference) => {
        reference.fs.plant(at, "crash");
        await Promise.all([reference.append(each), reference.deliver(who, 5)]);
        await reference.crash();
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom<Fault>("ENOSPC", "EIO", "EROFS"), fc.boolean(), sizes)
      .map(([at, fault, isLasting, each]) =>
        named(`${fault} at change ${at}${isLasting ? " and on" : ""} of append ${each}`, async (reference) => {
          reference.fs.plant(at, fault, isLasting);
          await reference.append(each);
          await reference.append([10]);
          reference.fs.heal();
        }),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 700 }).map((bytes) =>
      named(`writes of ${bytes}`, async ({ fs }) => {
        fs.shortWriteBytes = Math.max(64, bytes);
      }),
    ),
  },
);

const run = (options: { maxBytes: number; atBound: "oldest" | "newest"; isLossless: boolean }) =>
  fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 25 }), fc.nat(), async (all, seed) => {
      const reference = await Reference.start(new FaultFs(seededRandom(seed)), options);
      for (const step of all) await step(reference);
      await reference.crash();
      await reference.settle();
      await reference.crash();
      await reference.settle();
    }),
    { numRuns: runs(60) },
  );

describe("the journal, against a reference model, on a disk that tears, forgets and fails", () => {
  it("loses nothing that was promised, gives no number two meanings, and no cursor runs ahead", () =>
    run({ maxBytes: 1_000_000_000, atBound: "oldest", isLossless: true }));

  it("names everything that it gives up at the bound, the oldest first", () =>
    run({ maxBytes: 100_000, atBound: "oldest", isLossless: false }));

  it("names everything that it refuses at the bound", () =>
    run({ maxBytes: 100_000, atBound: "newest", isLossless: false }));
});
