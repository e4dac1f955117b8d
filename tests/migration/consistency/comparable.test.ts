import { describe, expect, it } from "vitest";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { type ComparableLimits, comparable } from "../../../lib/migration/consistency/comparable.ts";
import type { OldRow } from "../../../lib/migration/ports.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { INFLUX_LIMITS, NO_LIMITS } from "./support.ts";

const ours = (given: Partial<HomeEvent>, limits: ComparableLimits = INFLUX_LIMITS) =>
  comparable(buildEvent(given), limits);
const old = (given: Partial<OldRow>, limits: ComparableLimits = INFLUX_LIMITS) =>
  comparable({ entityId: "light.bed_light", atUs: SOME_TIME_US, state: "on", ...given }, limits);

describe("a comparable row", () => {
  it.each([
    ["12.50", "12.5"],
    ["13.0", "13"],
    ["-0", "0"],
    ["1_000", "1000"],
    [" 21 ", "21"],
    ["1e3", "1000"],
    ["0.0000001", "1e-7"],
    ["123456789012345678", "123456789012345680"],
    ["٢١", "21"],
    ["on", "on"],
    ["12:30", "12:30"],
    ["idle", "idle"],
    ["news", "news"],
    ["two\nlines", "two lines"],
    ["two\\nlines\r\\nand more\\n", "two lines and more"],
    ["last\r\n", "last"],
  ])("has the state %j as the InfluxDB of the integration gives it back: %j", (state, kept) => {
    expect(ours({ state })).toEqual(old({ state: kept }));
    if (state !== kept) expect(ours({ state }, NO_LIMITS)).not.toEqual(old({ state: kept }, NO_LIMITS));
  });

  it.each(["unknown", "unavailable", "", "nan", "-inf", "Infinity", "1e999"])(
    "is none of the state %j there",
    (state) => {
      expect(ours({ state })).toBeUndefined();
      expect(ours({ state }, NO_LIMITS)).toBeDefined();
    },
  );

  it("of a removal is none where OLD has no removals, and no state looks like it where it has", () => {
    const removal = { kind: "removed", state: "" } as const;
    expect(ours(removal)).toBeUndefined();
    expect(ours(removal, NO_LIMITS)).toEqual(old({ state: null }, NO_LIMITS));
    const texts = ["", "removed", "\u0000", "\u0001", "\u0001\u0000", "\u0000removed"].map(
      (state) => ours({ state }, NO_LIMITS)?.text,
    );
    expect(new Set([...texts, ours(removal, NO_LIMITS)?.text]).size).toBe(texts.length + 1);
  });

  it("may be absent from OLD when OLD was not told: starts, snapshots, statistics, NEW's own API", () => {
    expect(ours({ kind: "restore" })).toMatchObject({ mayLack: true });
    expect(ours({ kind: "restore" }, { ...INFLUX_LIMITS, isStartWhole: true })).not.toHaveProperty("mayLack");
    expect(ours({ kind: "snapshot" }, { ...INFLUX_LIMITS, isStartWhole: true })).toMatchObject({ mayLack: true });
    expect(ours({ source: "api" })).toMatchObject({ mayLack: true });
    for (const source of ["live", "backfill", "import"] as const)
      expect(ours({ source })).not.toHaveProperty("mayLack");
  });

  it("cuts time downwards, also before 1970", () => {
    const limits = { ...NO_LIMITS, precisionUs: 1_000 };
    expect(ours({ atUs: 1_999 }, limits)?.atUs).toBe(1_000);
    expect(ours({ atUs: -1 }, limits)?.atUs).toBe(-1_000);
  });

  it("has attributes in no order, and the time of the last change, only where OLD has them", () => {
    const full = { ...NO_LIMITS, attributes: "full", hasLastChanged: true } as const;
    const row = { attributes: { b: [1, { d: 1, c: 2 }], a: "x" }, lastChangedUs: SOME_TIME_US };
    const same = { attributes: { a: "x", b: [1, { c: 2, d: 1 }] }, lastChangedUs: SOME_TIME_US };
    expect(ours(row, full)).toEqual(old(same, full));
    expect(ours(row, full)).not.toEqual(old({ ...same, attributes: { a: "x" } }, full));
    expect(ours(row, full)).not.toEqual(old({ ...same, lastChangedUs: SOME_TIME_US - 1 }, full));
    expect(ours(row)).toEqual(old({}));
  });
});
