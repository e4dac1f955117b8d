import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { ComparableLimits, SideRow } from "../../../lib/migration/consistency/comparable.ts";
import { type Comparison, compare, countedOf } from "../../../lib/migration/consistency/compare.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { INFLUX_LIMITS, NO_LIMITS, rowOf, sidesOf } from "./support.ts";

const TILE_US = 4_096_000_000;
const SPAN = { fromUs: SOME_TIME_US - 5 * TILE_US, toUs: SOME_TIME_US + 5 * TILE_US };

const run = (
  old: readonly SideRow[],
  ours: readonly SideRow[],
  limits: ComparableLimits = NO_LIMITS,
): Promise<Comparison> => compare(sidesOf({ old, new: ours }, limits), SPAN, { tileUs: TILE_US, examplesMax: 1_000 });

/** Few entities, states and times, so that rows are neighbours, look alike and swap. */
const anyRow = fc.record({
  entityId: fc.constantFrom("light.a", "light.b", "sensor.c", "sensor.cc"),
  atUs: fc.oneof(
    fc.integer({ min: 0, max: 20 }).map((step) => SOME_TIME_US + step),
    fc.integer({ min: -4 * TILE_US, max: 4 * TILE_US }).map((step) => SOME_TIME_US + step),
  ),
  state: fc.constantFrom("on", "off", "1", "10", "1.0", "unavailable", "nan", "", "home\noffice"),
});
const anyRows = fc
  .uniqueArray(anyRow, { selector: ({ entityId, atUs }) => `${entityId} ${atUs}`, minLength: 1, maxLength: 60 })
  .map((rows) => rows.map((row) => buildEvent(row)));

/** One fault in one row (or in all), and which rows must be named. */
const FAULTS: Readonly<
  Record<string, (rows: readonly HomeEvent[], at: number) => { old: SideRow[]; named: SideRow[] }>
> = {
  missing: (rows, at) => ({ old: without(rows, at), named: pick(rows, at) }),
  extra: (rows, at) => {
    const extra = { ...rowOf(buildEvent({ entityId: "light.extra", atUs: rows[at]?.atUs ?? 0 })) };
    return { old: [...rows.map(rowOf), extra], named: [extra] };
  },
  "one microsecond": (rows, at) => {
    const moved = pick(rows, at).map((row) => ({ ...rowOf(row), atUs: row.atUs + 1 }));
    if (rows.some(({ entityId, atUs }) => entityId === moved[0]?.entityId && atUs === moved[0]?.atUs))
      return { old: without(rows, at), named: pick(rows, at) };
    return { old: [...without(rows, at), ...moved], named: [...pick(rows, at), ...moved] };
  },
  "one bit": (rows, at) => {
    const bit = (text: string) =>
      text === "" ? "\u0001" : String.fromCharCode(text.charCodeAt(0) ^ 1) + text.slice(1);
    return {
      old: rows.map((row, i) => ({ ...rowOf(row), state: i === at ? bit(row.state) : row.state })),
      named: pick(rows, at),
    };
  },
};
const without = (rows: readonly HomeEvent[], at: number) => rows.filter((_, i) => i !== at).map(rowOf);
const pick = (rows: readonly HomeEvent[], at: number): HomeEvent[] => rows.slice(at, at + 1);
const keys = (rows: readonly { entityId: string; atUs: number }[]) =>
  rows.map(({ entityId, atUs }) => `${atUs} ${entityId}`).sort();

describe("the comparison", () => {
  it("finds nothing where nothing differs, in whatever order OLD took it", () =>
    fc.assert(
      fc.asyncProperty(anyRows, fc.constantFrom(NO_LIMITS, INFLUX_LIMITS), async (rows, limits) => {
        const held = rows.filter(({ state }) => limits === NO_LIMITS || !limits.statesLeftOut.includes(state));
        const found = await run(held.map(rowOf).toReversed(), rows, limits);
        expect(countedOf(found.counts)).toBe(0);
        expect(found.read.again.rows).toBe(0);
      }),
    ));

  it.each(Object.entries(FAULTS))("names the row of a planted fault: %s", (_name, plant) =>
    fc.assert(
      fc.asyncProperty(anyRows, fc.nat(), async (rows, pickAt) => {
        const { old, named } = plant(rows, pickAt % rows.length);
        const found = await run(old, rows);
        expect(keys(found.findings)).toEqual(keys(named));
        expect(countedOf(found.counts)).toBe(named.length);
      }),
    ),
  );

  it("names both rows when two exchange their states", () =>
    fc.assert(
      fc.asyncProperty(anyRows, fc.nat(), fc.nat(), async (rows, p, q) => {
        const [a, b] = [rows[p % rows.length], rows[q % rows.length]];
        fc.pre(a !== undefined && b !== undefined && a.state !== b.state);
        const swap = (row: HomeEvent) =>
          row === a ? { ...row, state: b?.state ?? "" } : row === b ? { ...row, state: a?.state ?? "" } : row;
        const found = await run(
          rows.map((row) => rowOf(swap(row))),
          rows,
        );
        expect(found.counts.different).toBe(2);
        expect(keys(found.findings)).toEqual(keys([a, b].filter((row) => row !== undefined)));
      }),
    ));

  it("counts every row when all stamps are shifted by an hour", () =>
    fc.assert(
      fc.asyncProperty(anyRows, async (rows) => {
        const shifted = rows.map((row) => ({ ...rowOf(row), atUs: row.atUs + 3_600_000_000 }));
        const there = new Set(keys(rows));
        const same = keys(shifted).filter((key) => there.has(key)).length;
        const { counts } = await run(shifted, rows);
        const all = counts["missing-in-new"] + counts["missing-in-old"] + 2 * counts.different;
        expect(all).toBeGreaterThanOrEqual(2 * (rows.length - same));
        expect(all).toBeLessThanOrEqual(2 * rows.length);
      }),
    ));

  it("is the same in one span and in two, wherever they meet", () =>
    fc.assert(
      fc.asyncProperty(
        anyRows,
        fc.nat(),
        fc.integer({ min: -3 * TILE_US, max: 3 * TILE_US }),
        async (rows, at, cut) => {
          const sides = sidesOf({ old: without(rows, at % rows.length), new: rows });
          const options = { tileUs: TILE_US, examplesMax: 1_000 };
          const middle = SOME_TIME_US + cut;
          const whole = await compare(sides, SPAN, options);
          const parts = [
            await compare(sides, { ...SPAN, toUs: middle }, options),
            await compare(sides, { ...SPAN, fromUs: middle }, options),
          ];
          expect(parts.flatMap(({ findings }) => keys(findings))).toEqual(keys(whole.findings));
          expect(parts.reduce((sum, { compared }) => sum + compared, 0)).toBeGreaterThanOrEqual(whole.compared);
        },
      ),
    ));
});

describe("stamps that OLD has cut to milliseconds", () => {
  const limits = { ...NO_LIMITS, precisionUs: 1_000 };
  const cut = (rows: readonly HomeEvent[]) =>
    rows.map((row) => ({ ...rowOf(row), atUs: Math.floor(row.atUs / 1_000) * 1_000 }));

  it("are no difference, whether OLD keeps one row of a stamp or all", () =>
    fc.assert(
      fc.asyncProperty(anyRows, async (rows) => {
        const last = new Map(cut(rows).map((row) => [`${row.entityId} ${row.atUs}`, row]));
        const one = await run([...last.values()], rows, limits);
        expect(countedOf(one.counts)).toBe(0);
        expect(one.counts["one-stamp"]).toBe(rows.length - last.size);
        const all = await run(cut(rows), rows, { ...limits, keepsAllOfOneStamp: true });
        expect(countedOf(all.counts)).toBe(0);
      }),
    ));

  it("hide no missing row where OLD keeps all, and no missing stamp where it keeps one", () =>
    fc.assert(
      fc.asyncProperty(anyRows, fc.nat(), async (rows, pickAt) => {
        const at = pickAt % rows.length;
        const strict = await run(cut(rows.filter((_, i) => i !== at)), rows, { ...limits, keepsAllOfOneStamp: true });
        expect(strict.counts["missing-in-old"]).toBe(1);
        const { entityId, atUs } = cut(pick(rows, at))[0] ?? { entityId: "", atUs: 0 };
        const others = cut(rows).filter((row) => row.entityId !== entityId || row.atUs !== atUs);
        const loose = await run(others, rows, limits);
        expect(loose.counts["missing-in-old"]).toBe(rows.length - others.length);
      }),
    ));
});
