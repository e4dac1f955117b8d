import { beforeEach, describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import type { PastRow } from "../../lib/history/index.ts";
import { KeepingSink, listSource, plain, second } from "../support/imports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { backfillOf, stepOf } from "./backfill-support.ts";

let sink: KeepingSink;
beforeEach(() => {
  sink = new KeepingSink();
});

const rowsOf = (count: number): PastRow[] =>
  Array.from({ length: count }, (_, n) => ({
    entityId: `light.l${n % 3}`,
    state: n % 2 === 0 ? "on" : "off",
    attributes: {},
    atUs: second(n),
  }));

describe("the back-fill of a migration", () => {
  it("sends OLD's past as imports, and is done when NEW has it and nothing waits", async () => {
    const rows = rowsOf(10);
    const check = backfillOf({ sink, source: () => listSource(rows) });
    const { result } = await stepOf(check, undefined);
    expect(result).toMatchObject({ name: "backfill", verdict: "pass", observed: 100, sampleSize: 10 });
    expect(sink.records.map(({ source }) => source)).toEqual(rows.map(() => "import"));
    expect(sink.records.map(({ n }) => n)).toEqual(rows.map((_, at) => at + 1));
  });

  it("goes on from step to step, bounded, with what it knew of each entity, and gives no record another form", async () => {
    const rows = rowsOf(20);
    const whole = new KeepingSink();
    await stepOf(backfillOf({ sink: whole, source: () => listSource(rows) }), undefined);
    let memory: unknown;
    const seen: (number | undefined)[] = [];
    // A new process each time.
    for (let steps = 0; steps < 20; steps++) {
      const check = backfillOf({ sink, source: () => listSource(rows), rowsPerStep: 4 });
      const step = await stepOf(check, memory);
      memory = step.memory;
      seen.push(step.result?.observed);
      if (step.result?.verdict === "pass") break;
    }
    expect(seen).toEqual([30, 60, 90, 100]);
    expect(sink.records.map(plain)).toEqual(whole.records.map(plain));
  });

  it("counts on under one name while its process lives", async () => {
    const check = backfillOf({ sink, source: () => listSource(rowsOf(20)), rowsPerStep: 4 });
    let memory: unknown;
    for (let steps = 0; steps < 4; steps++) memory = (await stepOf(check, memory)).memory;
    expect(sink.records.map(({ n }) => n)).toEqual(rowsOf(20).map((_, at) => at + 1));
    expect(new Set([...sink.contents.keys()].map((name) => name.split(" ")[0])).size).toBe(1);
  });

  it("takes another name when two steps run at once", async () => {
    const check = backfillOf({ sink, source: () => listSource(rowsOf(9)) });
    await Promise.all([stepOf(check, undefined), stepOf(check, undefined)]);
    expect(sink.records).toHaveLength(18);
    for (const texts of sink.contents.values()) expect(texts.size).toBe(1);
    expect(sink.contents.size).toBe(18);
  });

  it("waits while messages lie in front of the store, and says so", async () => {
    const clock = manualClock();
    sink.inQueue = 500;
    const check = backfillOf({ sink, clock, source: () => listSource(rowsOf(9)), msPerStep: 3_000 });
    const stepping = stepOf(check, undefined);
    await clock.advance(10_000);
    const { result, memory } = await stepping;
    expect(result).toMatchObject({ verdict: "inconclusive", observed: 0, sampleSize: 0 });
    expect(result?.explanation).toContain("500 messages");
    expect(sink.records).toEqual([]);
    sink.inQueue = 50;
    const next = stepOf(check, memory);
    await clock.advance(10_000);
    const { result: sent, memory: after } = await next;
    expect(sink.records).toHaveLength(9);
    expect(sent).toMatchObject({ verdict: "inconclusive", observed: 100 });
    expect(sent?.explanation).toContain("50 messages wait");
    sink.inQueue = 0;
    expect((await stepOf(check, after)).result?.verdict).toBe("pass");
    expect(sink.records).toHaveLength(9);
  });

  it("is not done before NEW has the last row", async () => {
    const clock = manualClock();
    const asked: unknown[] = [];
    let isThere = false;
    const isInNew = async (_: string, row: unknown) => {
      asked.push(row);
      return isThere;
    };
    const check = backfillOf({ sink, clock, isInNew, source: () => listSource(rowsOf(5)) });
    const stepping = stepOf(check, undefined);
    await clock.advance(60_000);
    const { result, memory } = await stepping;
    expect(result?.verdict).toBe("inconclusive");
    expect(asked[0]).toEqual({ entityId: "light.l1", atUs: second(4) });
    isThere = true;
    expect((await stepOf(check, memory)).result?.verdict).toBe("pass");
  });

  it("keeps what it has sent when OLD breaks off, and goes on there", async () => {
    let source = listSource(rowsOf(9), { failsAt: 6 });
    const check = backfillOf({ sink, source: () => source });
    const { result, memory } = await stepOf(check, undefined);
    expect(result).toMatchObject({ verdict: "inconclusive", sampleSize: 6 });
    expect(result?.explanation).toContain("the history ends here");
    source = listSource(rowsOf(9));
    const next = await stepOf(check, memory);
    expect(next.result).toMatchObject({ verdict: "pass", sampleSize: 9 });
    expect(sink.records.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("says when a person is needed", async () => {
    const check = backfillOf({
      sink,
      source: () => {
        throw new HearthlineError("service_refused", "The token is wrong.");
      },
    });
    const { result } = await stepOf(check, undefined);
    expect(result).toMatchObject({ verdict: "inconclusive", isAlert: true });
    expect(result?.explanation).toContain("The token is wrong.");
  });

  it("leaves out what is no event, counts it and says why; an empty past is done at once", async () => {
    const odd: PastRow = { entityId: "no entity", state: "on", attributes: {}, atUs: second(1) };
    const { result } = await stepOf(backfillOf({ sink, source: () => listSource([odd, ...rowsOf(2)]) }), undefined);
    expect(result).toMatchObject({ verdict: "pass", sampleSize: 2, isAlert: true });
    expect(result?.explanation).toContain("no entity");
    const empty = await stepOf(backfillOf({ sink, source: () => listSource([]) }), undefined);
    expect(empty.result).toMatchObject({ verdict: "pass", sampleSize: 0, observed: 100 });
  });

  it("remembers little, however many entities there are, and begins anew with a memory of another shape", async () => {
    const many = Array.from({ length: 30_000 }, (_, n): PastRow => {
      const name = `sensor.${(n * 2_654_435_761) % 4_294_967_296}_${(n * 40_503) % 65_536}`;
      return { entityId: name, state: `${(n * 7_919) % 104_729}`, attributes: {}, atUs: second(n) + (n % 977) };
    });
    const check = backfillOf({ sink, source: () => listSource(many, { size: 10_000 }), rowsPerStep: 20_000 });
    const { text, memory } = await stepOf(check, undefined);
    expect(text?.length).toBeLessThan(300_000);
    expect((await stepOf(check, memory)).result).toMatchObject({ verdict: "pass", sampleSize: 30_000 });
    const anew = await stepOf(check, { version: 9, position: "elsewhere" });
    expect(anew.result).toMatchObject({ verdict: "inconclusive", sampleSize: 20_000 });
  });
});
