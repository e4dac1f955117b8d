import { describe, expect, it } from "vitest";
import { explainPlan } from "../../lib/migration/explain.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import { shownPrecision } from "../../lib/migration/precision.ts";

const OLD = { kind: "influxdb", url: "http://old.test:8086" } as const;
const LOOKED = { product: "InfluxDB 1.8.10", schema: "1" };
const stamps = (count: number, everyUs: number) => Array.from({ length: count }, (_, n) => n * everyUs);

describe("what rows show of OLD's precision", () => {
  it("is the coarsest that all have, once there are enough different moments", () => {
    expect(shownPrecision(stamps(40, 1_001))).toEqual({ precision: "us", rows: 40, stamps: 40 });
    expect(shownPrecision(stamps(40, 1_001_000))).toEqual({ precision: "ms", rows: 40, stamps: 40 });
    expect(shownPrecision(stamps(40, 7_000_000))).toEqual({ precision: "s", rows: 40, stamps: 40 });
    expect(shownPrecision([...stamps(40, 7_000_000), 1])).toMatchObject({ precision: "us" });
  });

  it("is nothing of few rows, nor of many at the same few moments", () => {
    expect(shownPrecision(stamps(19, 1_000))).toBeUndefined();
    expect(shownPrecision(Array.from({ length: 500 }, (_, n) => (n % 10) * 1_000))).toBeUndefined();
  });
});

describe("the plan in words", () => {
  const wordsOf = (precision: "us" | "ms" | "s" | undefined, shown?: Parameters<typeof explainPlan>[1]) =>
    explainPlan(planSchema.parse({ old: { ...OLD, ...(precision && { precision }) } }), shown).join("\n");
  const seen = (precision: "us" | "ms" | "s") => ({ ...LOOKED, shown: { precision, rows: 500, stamps: 480 } });

  it("says nothing of microseconds, the default", () => {
    expect(wordsOf(undefined)).toBe(wordsOf("us", undefined));
    expect(wordsOf("us", seen("us"))).not.toMatch(/precision|cut/i);
  });

  it("says what cut stamps mean, with what was seen", () => {
    expect(wordsOf("ms", seen("ms"))).toMatch(
      /OLD's time stamps are cut to whole milliseconds, as its newest 500 rows, of 480 different moments, show.*HEARTHLINE_OLD_PRECISION=ms/,
    );
    expect(wordsOf("s")).toMatch(/cut to whole seconds, as the plan says; too few of its rows were seen to tell/);
  });

  it("says where the plan and the rows do not agree, and what to do", () => {
    expect(wordsOf("us", seen("ms"))).toMatch(/Attention: .*every row will differ: plan with --precision ms/);
    expect(wordsOf("s", seen("ms"))).toMatch(/says the plan; but .* are finer, .*plan with --precision ms/);
  });
});
