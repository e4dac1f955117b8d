import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { RelayRecord } from "../../lib/event/index.ts";
import { entryOf } from "../../lib/relay/entry.ts";
import type { Spool, SpooledRecord } from "../../lib/relay/ports.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { stateEntry, stateRecord } from "../support/relay-records.ts";

export interface SpoolSetup {
  readonly sinks: readonly string[];
  readonly maxBytes: number;
  readonly clock: ManualClock;
}

/** Makes a spool; `reopen` ends it as a restart would and opens what it left. An adapter that keeps nothing gives no `reopen`. */
export interface SpoolUnderTest {
  open(setup: SpoolSetup): Spool | Promise<Spool>;
  reopen?(setup: SpoolSetup): Promise<Spool>;
  cleanUp(): Promise<void>;
}

const MIB = 1_048_576;
const ALL = { limit: 10_000, maxBytes: 100 * MIB };

const parse = ({ line }: SpooledRecord) => JSON.parse(line) as RelayRecord;
const numbersOf = (records: readonly SpooledRecord[]) => records.map(({ n }) => n);
const upTo = (last: number, first = 1) => Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);

/** What every spool promises (lib/relay/ports.ts). */
export function spoolConformance(name: string, make: () => SpoolUnderTest): void {
  describe(`spool: ${name}`, () => {
    const made: SpoolUnderTest[] = [];
    const start = async (over: Partial<SpoolSetup> = {}) => {
      const under = make();
      made.push(under);
      const setup = { sinks: ["cloud"], maxBytes: 10 * MIB, clock: manualClock(), ...over };
      return { under, setup, spool: await under.open(setup) };
    };
    afterEach(async () => {
      for (const under of made.splice(0)) await under.cleanUp();
    });

    it("numbers from 1 and gives the records back as they were", async () => {
      const { spool, setup } = await start();
      expect(await spool.append([stateEntry("a"), stateEntry("ü\u0000\ud800")])).toEqual([1, 2]);
      setup.clock.set(setup.clock.nowMs() + 5);
      expect(await spool.append([stateEntry("c")])).toEqual([3]);
      const records = await spool.read("cloud", ALL);
      expect(records.map(parse)).toEqual([
        { n: 1, ...stateRecord("a") },
        { n: 2, ...stateRecord("ü\u0000\ud800") },
        { n: 3, ...stateRecord("c") },
      ]);
      expect(records[2]?.appendedAtMs).toBe((records[0]?.appendedAtMs ?? 0) + 5);
    });

    it("gives appends that come together consecutive numbers, in the order of the calls", async () => {
      const { spool } = await start();
      const numbers = await Promise.all(
        ["a", "b", "c"].map((each) => spool.append([stateEntry(each), stateEntry(each)])),
      );
      expect(numbers).toEqual([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      expect((await spool.read("cloud", ALL)).map((record) => parse(record))).toMatchObject(
        ["a", "a", "b", "b", "c", "c"].map((each) => ({ entity_id: `sensor.${each}` })),
      );
    });

    it("reads within limit and bytes, but always one, and after a number", async () => {
      const { spool } = await start();
      await spool.append(upTo(10).map((each) => stateEntry(`e${each}`, 1000)));
      expect(numbersOf(await spool.read("cloud", { ...ALL, limit: 3 }))).toEqual([1, 2, 3]);
      expect(numbersOf(await spool.read("cloud", { ...ALL, maxBytes: 2900 }))).toEqual([1, 2]);
      expect(numbersOf(await spool.read("cloud", { ...ALL, maxBytes: 1 }))).toEqual([1]);
      expect(numbersOf(await spool.read("cloud", { ...ALL, after: 8 }))).toEqual([9, 10]);
      await spool.acknowledge("cloud", 9);
      expect(numbersOf(await spool.read("cloud", { ...ALL, after: 2 }))).toEqual([10]);
    });

    it("knows the highest revision that it was given, also when the record has gone", async () => {
      const { under, setup, spool } = await start();
      expect(spool.state().lastRevision).toBe(0);
      const home = { t: "home" as const, location_name: "Home", time_zone: "UTC", version: "1" };
      await spool.append([entryOf({ ...home, revision: 70 })]);
      await spool.append([entryOf({ ...home, revision: 60 })]);
      await spool.acknowledge("cloud", 2);
      expect((under.reopen ? await under.reopen(setup) : spool).state().lastRevision).toBe(70);
    });

    it("moves cursors forward only, and never past the last number", async () => {
      const { spool } = await start();
      await spool.append(upTo(5).map((each) => stateEntry(`e${each}`)));
      await spool.acknowledge("cloud", 3);
      await spool.acknowledge("cloud", 2);
      expect(spool.state().cursors).toEqual({ cloud: 3 });
      await spool.acknowledge("cloud", 99);
      expect(spool.state()).toMatchObject({ cursors: { cloud: 5 }, records: 0, lastSequence: 5 });
    });

    it("goes on numbering when everything was acknowledged", async () => {
      const { spool } = await start();
      await spool.append([stateEntry("a"), stateEntry("b")]);
      await spool.acknowledge("cloud", 2);
      expect(spool.state().oldestAtMs).toBeUndefined();
      expect(await spool.append([stateEntry("c")])).toEqual([3]);
    });

    it("keeps a record until every sink has acknowledged it", async () => {
      const { spool } = await start({ sinks: ["cloud", "old"] });
      await spool.append(upTo(4).map((each) => stateEntry(`e${each}`)));
      await spool.acknowledge("cloud", 4);
      expect(spool.state()).toMatchObject({ records: 4, cursors: { cloud: 4, old: 0 } });
      expect(await spool.read("cloud", ALL)).toEqual([]);
      await spool.acknowledge("old", 2);
      expect(spool.state()).toMatchObject({ records: 2 });
      expect(numbersOf(await spool.read("old", ALL))).toEqual([3, 4]);
    });

    it("refuses a sink that it does not know", async () => {
      const { spool } = await start();
      await expect(spool.read("nobody", ALL)).rejects.toThrow('"nobody"');
      await expect(spool.acknowledge("nobody", 1)).rejects.toThrow('"nobody"');
    });

    it("records a loss of events that never had a number under a number of its own", async () => {
      const { spool } = await start();
      await spool.append([stateEntry("a")]);
      expect(await spool.recordLoss({ count: 7, reason: "memory full", fromMs: 1000, toMs: 2000 })).toBe(2);
      expect(await spool.recordLoss({ count: 1, reason: "big", fromMs: 1, toMs: 1, range: [1, 1] })).toBe(3);
      expect((await spool.read("cloud", { ...ALL, after: 1 })).map(parse)).toEqual([
        {
          n: 2,
          t: "loss",
          first: 2,
          last: 2,
          count: 7,
          reason: "memory full",
          from: "1970-01-01T00:00:01.000Z",
          to: "1970-01-01T00:00:02.000Z",
        },
        expect.objectContaining({ n: 3, first: 1, last: 1, count: 1 }),
      ]);
      expect(spool.state().losses).toBe(8);
    });

    it("stays within its bound: the oldest go, and a loss record says which and when", async () => {
      const { spool, setup } = await start({ maxBytes: MIB });
      const startMs = setup.clock.nowMs();
      // Long enough that loss records come to be the oldest ones themselves.
      for (let round = 0; round < 120; round++) {
        setup.clock.set(startMs + round * 1000);
        await spool.append(upTo(50).map((each) => stateEntry(`e${each}`, 1000)));
        expect(spool.state().bytes).toBeLessThanOrEqual(MIB + 20_000);
      }
      const records = (await spool.read("cloud", ALL)).map(parse);
      const losses = records.filter((record) => record.t === "loss");
      expect(losses.length).toBeGreaterThan(0);
      const oldest = losses.find(({ first }) => first === 1);
      expect(oldest).toMatchObject({ from: new Date(startMs).toISOString(), reason: expect.stringContaining("full") });
      expect(JSON.stringify(losses)).not.toContain("sensor.");
      expect(accounted(records)).toEqual(upTo(spool.state().lastSequence));
      expect(spool.state().losses).toBe(losses.reduce((sum, loss) => sum + loss.count, 0));
    });

    it("says which sink has lost what: one that was ahead has lost less", async () => {
      const { spool } = await start({ sinks: ["cloud", "old"], maxBytes: MIB });
      await spool.append(upTo(100).map((each) => stateEntry(`e${each}`, 1000)));
      await spool.acknowledge("cloud", 60);
      for (let round = 0; round < 30; round++) {
        await spool.append(upTo(50).map((each) => stateEntry(`e${each}`, 1000)));
      }
      const records = (await spool.read("cloud", ALL)).map(parse);
      const losses = records.filter((record) => record.t === "loss");
      const oldOnly = losses.filter(({ sink }) => sink === "old");
      expect(Math.min(...oldOnly.map(({ first }) => first))).toBe(1);
      expect(Math.max(...oldOnly.map(({ last }) => last))).toBe(60);
      expect(losses.filter(({ sink }) => sink === "cloud")).toEqual([]);
      expect(Math.min(...losses.filter(({ sink }) => sink === undefined).map(({ first }) => first))).toBe(61);
      expect(spool.state().losses).toBe(losses.reduce((sum, { count }) => sum + count, 0));
    });

    it("gives what comes after everything was read", async () => {
      const { spool } = await start();
      expect(await spool.read("cloud", ALL)).toEqual([]);
      for (const n of upTo(5)) {
        await spool.append([stateEntry(`e${n}`)]);
        expect(numbersOf(await spool.read("cloud", { ...ALL, after: n - 1 }))).toEqual([n]);
      }
      expect(numbersOf(await spool.read("cloud", ALL))).toEqual(upTo(5));
    });

    it("says how old the oldest record is that some sink has not acknowledged", async () => {
      const { spool, setup } = await start({ sinks: ["cloud", "old"] });
      const startMs = setup.clock.nowMs();
      for (const n of upTo(6)) {
        setup.clock.set(startMs + n * 1000);
        await spool.append([stateEntry(`e${n}`)]);
      }
      expect(spool.state().oldestAtMs).toBe(startMs + 1000);
      await spool.acknowledge("cloud", 5);
      expect(spool.state().oldestAtMs).toBe(startMs + 1000);
      await spool.read("old", { ...ALL, limit: 4 });
      await spool.acknowledge("old", 2);
      expect(spool.state().oldestAtMs).toBe(startMs + 3000);
      await spool.acknowledge("old", 5);
      expect(spool.state().oldestAtMs).toBe(startMs + 6000);
    });

    it("says spool_failed when it is closed", async () => {
      const { spool } = await start();
      await spool.close();
      await expect(spool.append([stateEntry("a")])).rejects.toMatchObject({ code: "spool_failed" });
      await expect(spool.read("cloud", ALL)).rejects.toMatchObject({ code: "spool_failed" });
    });

    it("never loses, repeats or reuses a number, whatever happens in whatever order", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 40 }), async (steps) => {
          const { under, setup, spool } = await start({ sinks: ["cloud", "old"], maxBytes: MIB });
          await new Model(under, setup, spool).run(steps);
          await under.cleanUp();
        }),
        { numRuns: 40 },
      );
    });
  });
}

/** Every number that the records hold or say is lost, ascending, once. */
function accounted(records: readonly RelayRecord[], sink = "cloud"): number[] {
  const numbers = new Set<number>();
  for (const record of records) {
    numbers.add(record.n);
    if (record.t === "loss" && (record.sink ?? sink) === sink)
      for (const n of upTo(record.last, record.first)) numbers.add(n);
  }
  return [...numbers].sort((a, b) => a - b);
}

type Step =
  | { readonly do: "append"; readonly sizes: readonly number[] }
  | { readonly do: "lose"; readonly count: number }
  | { readonly do: "deliver"; readonly sink: "cloud" | "old"; readonly limit: number }
  | { readonly do: "reopen" };

const sizeArbitrary = fc.oneof({ weight: 8, arbitrary: fc.nat(2_000) }, { weight: 2, arbitrary: fc.nat(400_000) });
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("append" as const), sizes: fc.array(sizeArbitrary, { maxLength: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), count: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      sink: fc.constantFrom("cloud" as const, "old" as const),
      limit: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

/** What a spool may say, kept the simple way: every record by its number, and what each sink has been given. */
class Model {
  readonly under: SpoolUnderTest;
  readonly setup: SpoolSetup;
  spool: Spool;
  readonly appended = new Map<number, string>();
  readonly delivered = { cloud: new Map<number, RelayRecord>(), old: new Map<number, RelayRecord>() };
  last = 0;

  constructor(under: SpoolUnderTest, setup: SpoolSetup, spool: Spool) {
    this.under = under;
    this.setup = setup;
    this.spool = spool;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.step(step);
    for (const sink of ["cloud", "old"] as const) {
      for (let before = -1; before < (this.spool.state().cursors[sink] ?? 0); ) {
        before = this.spool.state().cursors[sink] ?? 0;
        await this.deliver(sink, 500);
      }
      expect(accounted([...this.delivered[sink].values()], sink)).toEqual(upTo(this.spool.state().lastSequence));
    }
    expect(this.spool.state().records).toBe(0);
  }

  async step(step: Step): Promise<void> {
    if (step.do === "append") {
      const numbers = await this.spool.append(
        step.sizes.map((size, index) => stateEntry(`s${this.last}i${index}`, size)),
      );
      expect(numbers).toEqual(upTo(this.last + step.sizes.length, this.last + 1));
      for (const [index, n] of numbers.entries()) this.appended.set(n, `sensor.s${this.last}i${index}`);
    } else if (step.do === "lose") {
      const number = await this.spool.recordLoss({ count: step.count, reason: "test", fromMs: 1, toMs: 2 });
      expect(number).toBe(this.last + 1);
    } else if (step.do === "deliver") {
      await this.deliver(step.sink, step.limit);
    } else if (this.under.reopen) {
      const before = this.spool.state();
      this.spool = await this.under.reopen(this.setup);
      expect(this.spool.state()).toMatchObject({ ...before, bytes: expect.any(Number) });
    }
    const { lastSequence, bytes, records, cursors } = this.spool.state();
    expect(lastSequence).toBeGreaterThanOrEqual(this.last);
    expect(records).toBeLessThanOrEqual(lastSequence - Math.min(...Object.values(cursors)));
    expect(bytes).toBeLessThanOrEqual(this.setup.maxBytes + 40_000);
    this.last = lastSequence;
  }

  async deliver(sink: "cloud" | "old", limit: number): Promise<void> {
    const records = await this.spool.read(sink, { limit, maxBytes: 100 * MIB });
    for (const record of records.map(parse)) {
      expect(this.delivered[sink].has(record.n)).toBe(false);
      if (record.t === "state") expect(record.entity_id).toBe(this.appended.get(record.n));
      this.delivered[sink].set(record.n, record);
    }
    const last = records.at(-1)?.n;
    if (last !== undefined) await this.spool.acknowledge(sink, last);
  }
}
