import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { type Counters, createStabilityCheck } from "../../../lib/migration/checks/stability.ts";
import type { OldDescription } from "../../../lib/migration/ports.ts";
import { named, watched } from "./read-pairs.ts";

type NewFigures = Awaited<ReturnType<Counters["new"]>>;
type Span = Parameters<Counters["new"]>[0];

function stable(
  newFigures: (minute: number, span: Span) => NewFigures,
  oldFigures: (minute: number) => Partial<OldDescription> = () => ({}),
) {
  let minute = 0;
  const run = watched(() =>
    createStabilityCheck({
      counters: { new: async (span) => newFigures(minute, span) },
      old: { describe: async () => ({ product: "OLD", schema: "1", ...oldFigures(minute) }) },
    }),
  );
  run.move({ state: "stabilise", stage: 0 });
  return {
    ...run,
    async minutes(count: number) {
      let results = await run.look();
      for (let i = 0; i < count; i++) {
        minute++;
        run.advance(60);
        results = await run.look();
      }
      return results;
    },
  };
}

const saw = (minute: number) => 100e6 + 30e6 * ((minute % 7) / 7) + 1e5 * ((minute * 37) % 11);

describe("stability.memory", () => {
  it("passes where memory stands still for an hour, and tells of OLD's", async () => {
    const run = stable(
      (minute) => ({ memoryBytes: 100e6 + ((minute * 37) % 11) * 1e5 }),
      () => ({ memoryBytes: 500e6 }),
    );
    expect(named(await run.minutes(5), "stability.memory")).toMatchObject({ verdict: "inconclusive" });
    const result = named(await run.minutes(60), "stability.memory");
    expect(result.verdict).toBe("pass");
    expect(result.explanation).toContain("OLD: 0 percent an hour of 500 MB");
  });

  it("does not take a saw-tooth for a leak", async () => {
    const run = stable((minute) => ({ memoryBytes: saw(minute) }));
    for (let i = 0; i < 30; i++) expect(named(await run.minutes(10), "stability.memory").verdict).not.toBe("fail");
    expect(named(await run.look(), "stability.memory").verdict).toBe("pass");
  });

  it("finds a leak under a saw-tooth, and neither its start's warming up", async () => {
    const leaking = stable((minute) => ({ memoryBytes: saw(minute) + (15e6 * minute) / 60 }));
    const result = named(await leaking.minutes(240), "stability.memory");
    expect(result).toMatchObject({ verdict: "fail", isAlert: true, limit: 5 });
    expect(result.trigger).toBeUndefined();
    const warming = stable((minute) => ({
      memoryBytes: minute < 10 ? 50e6 + 5e6 * minute : 100e6 + (minute % 3) * 1e5,
    }));
    expect(named(await warming.minutes(60), "stability.memory").verdict).toBe("pass");
  });

  it("does not hold for a NEW that does not say", async () => {
    const result = named(await stable(() => ({})).minutes(3), "stability.memory");
    expect(result).toMatchObject({ verdict: "pass", sampleSize: 0 });
    expect(result.explanation).toContain("not judged");
  });
});

describe("stability.availability", () => {
  const down = (minute: number, isDown: boolean): NewFigures => {
    if (isDown) throw new HearthlineError("service_unreachable", `Minute ${minute}: nobody answers.`);
    return {};
  };

  it("passes while all looks are answered", async () => {
    const [early, late] = [stable(() => ({})), stable(() => ({}))];
    expect(named(await early.minutes(1), "stability.availability")).toMatchObject({
      verdict: "inconclusive",
      samplesWanted: 1,
    });
    expect(named(await late.minutes(60), "stability.availability")).toMatchObject({
      verdict: "pass",
      observed: 100,
      sampleSize: 61,
    });
  });

  it("holds and tells after one look in vain, until enough others were answered", async () => {
    const run = stable((minute) => down(minute, minute === 5));
    const result = named(await run.minutes(5), "stability.availability");
    expect(result).toMatchObject({ verdict: "inconclusive", isAlert: true, samplesWanted: 94 });
    expect(result.explanation).toContain("Minute 5: nobody answers.");
    expect(named(await run.minutes(94), "stability.availability").verdict).toBe("pass");
  });

  it("fails with its trigger where NEW stays away; an OLD that does is only told", async () => {
    const run = stable((minute) => down(minute, minute > 20));
    expect(named(await run.minutes(26), "stability.availability")).toMatchObject({
      verdict: "fail",
      trigger: "part-down",
    });
    const old = stable(
      () => ({}),
      (minute) => down(minute, true) as Partial<OldDescription>,
    );
    const result = named(await old.minutes(10), "stability.availability");
    expect(result.verdict).toBe("pass");
    expect(result.explanation).toContain("OLD 0 of 11");
  });
});

describe("stability.throughput", () => {
  it("tells both and their ratio: of NEW what it holds of each span, each moment once, whenever it did not answer", async () => {
    const spans: Span[] = [];
    const run = stable(
      (minute, span) => {
        if (minute === 4) throw new HearthlineError("service_unreachable", "away");
        spans.push(span);
        return { eventsTaken: (span.toUs - span.fromUs) / 6e6 };
      },
      (minute) => ({ rowsTaken: minute * 5 }),
    );
    const result = named(await run.minutes(10), "stability.throughput");
    expect(result).toMatchObject({ verdict: "pass", observed: 2 });
    expect(result.explanation).toMatch(/NEW took 100 events .* OLD 50 /);
    expect(spans[0]).toMatchObject({ homeId: "home", fromUs: spans[0]?.toUs });
    for (const [i, { fromUs }] of spans.entries()) if (i > 0) expect(fromUs).toBe(spans[i - 1]?.toUs);
  });

  it("fails where NEW stands still while OLD takes rows", async () => {
    const run = stable(
      () => ({ eventsTaken: 0 }),
      (minute) => ({ rowsTaken: minute * 50 }),
    );
    expect(named(await run.minutes(10), "stability.throughput")).toMatchObject({ verdict: "fail", isAlert: true });
  });

  it.each(["dual_write", "backfill", "shadow", "ramp", "final_validation", "rampdown"] as const)(
    "is told in %s too, and nothing is judged there",
    async (state) => {
      const run = stable(
        () => ({ eventsTaken: 0, memoryBytes: 1e8 }),
        (minute) => ({ rowsTaken: minute * 50 }),
      );
      run.move({ state, stage: 0 });
      const results = await run.minutes(10);
      expect(results.map(({ name, verdict }) => [name, verdict])).toEqual([["stability.throughput", "pass"]]);
      expect(results[0]?.explanation).toMatch(/NEW took 0 events .* OLD 500 /);
    },
  );

  it("reads no more than some hours in a step after a pause, and goes on in the next ones", async () => {
    const lengths: number[] = [];
    const run = stable((_, { fromUs, toUs }) => {
      lengths.push((toUs - fromUs) / 3.6e9);
      return { eventsTaken: 1 };
    });
    await run.look();
    run.advance(10 * 3_600);
    await run.look();
    run.advance(60);
    await run.look();
    expect(lengths.map(Math.round)).toEqual([0, 6, 4]);
  });

  it("is not judged where NEW does not say", async () => {
    expect(named(await stable(() => ({})).minutes(3), "stability.throughput")).toMatchObject({
      verdict: "pass",
      sampleSize: 0,
    });
  });
});

describe("stability", () => {
  it("takes a step that is run again for one look, and begins anew with its state", async () => {
    const run = stable(() => ({ memoryBytes: 1e8 }));
    await run.minutes(10);
    const once = run.memory();
    await run.look();
    expect(run.memory()).toEqual(once);
    run.move({ state: "stabilise" });
    expect(named(await run.look(), "stability.availability").sampleSize).toBe(1);
  });
});
