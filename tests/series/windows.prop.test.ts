import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HomeEvent } from "../../lib/event/index.ts";
import { addProduct, addTo, createSum, quotientOf } from "../../lib/series/exact-sum.ts";
import {
  createRollup,
  createWindows,
  decodeRollup,
  encodeRollup,
  mergeRollups,
  mergeRuns,
  type Rollup,
  type WindowAggregate,
} from "../../lib/series/index.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";

const HOUR_US = 3_600_000_000;

const value = fc.oneof(
  fc.constantFrom<undefined | number | boolean>(undefined, true, false, -0, 0.1, 1e308, -1e308, 5e-324, Number.NaN),
  fc.integer({ min: -400, max: 400 }).map((tenths) => tenths / 10),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
);

/** One entity's events, each natural key once, in order; over some hours, often at whole hours and at equal moments. */
const series: fc.Arbitrary<HomeEvent[]> = fc
  .array(
    fc.record({
      atUs: fc.oneof(
        fc.nat(8).map((hour) => hour * HOUR_US),
        fc.nat(8 * HOUR_US),
        fc.nat(5),
      ),
      kind: fc.constantFrom<HomeEvent["kind"]>("change", "change", "attributes", "restore", "snapshot", "removed"),
      quality: fc.constantFrom<HomeEvent["quality"]>("ok", "ok", "ok", "unknown", "unavailable"),
      origin: fc.constantFrom("LOCAL", "STATISTICS"),
      value,
    }),
    { maxLength: 40 },
  )
  .map((rows) =>
    mergeRuns(
      rows.map(({ value, ...row }) => [
        buildEvent({ ...row, source: "live", state: String(value ?? "text"), ...(value !== undefined && { value }) }),
      ]),
    ),
  );

const edgesOf = fc
  .uniqueArray(
    fc.oneof(
      fc.nat(9).map((hour) => hour * HOUR_US),
      fc.nat(9 * HOUR_US),
      fc.nat(6),
    ),
    { minLength: 2, maxLength: 12 },
  )
  .map((edges) => edges.sort((a, b) => a - b));

/** The words of WindowAggregate, window by window, from the whole list: nothing is carried on. */
function naive(events: readonly HomeEvent[], edges: readonly number[]): WindowAggregate[] {
  return edges.slice(0, -1).map((fromUs, index) => {
    const toUs = edges[index + 1] ?? fromUs;
    const isNumber = (event: HomeEvent) =>
      event.quality === "ok" && Number.isFinite(event.value) && event.kind !== "removed";
    const counted = events.filter(({ atUs, kind }) => atUs >= fromUs && atUs < toUs && kind !== "removed");
    const numbers = counted.filter(isNumber).map((event) => Number(event.value) + 0);
    const [sum, integral] = [createSum(), createSum()];
    for (const number of numbers) addTo(sum, number);
    let [heldUs, onUs] = [0, 0];
    for (const [at, event] of events.entries()) {
      const isHour = event.kind === "snapshot" && event.origin === "STATISTICS";
      const endUs = Math.min(toUs, events[at + 1]?.atUs ?? toUs, isHour ? event.atUs + HOUR_US : toUs);
      const forUs = endUs - Math.max(fromUs, event.atUs);
      if (forUs <= 0 || event.kind === "removed" || event.quality !== "ok") continue;
      if (event.value === true) onUs += forUs;
      if (!isNumber(event)) continue;
      heldUs += forUs;
      addProduct(integral, Number(event.value), forUs);
    }
    const sample = (event: HomeEvent | undefined) =>
      event && { atUs: event.atUs, state: event.state, ...(event.value !== undefined && { value: event.value }) };
    return {
      ...{ fromUs, toUs, count: counted.length, heldSeconds: heldUs / 1e6, secondsOn: onUs / 1e6 },
      ...(numbers.length > 0 && {
        ...{ mean: quotientOf(sum, numbers.length), min: Math.min(...numbers), max: Math.max(...numbers) },
      }),
      ...(heldUs > 0 && { timeMean: quotientOf(integral, heldUs) }),
      ...(counted[0] && { first: sample(counted[0]), last: sample(counted.at(-1)) }),
    } as WindowAggregate;
  });
}

function fromEvents(events: readonly HomeEvent[], edges: readonly number[]): WindowAggregate[] {
  const windows = createWindows(edges);
  for (const event of events) windows.add(event);
  return windows.finish();
}

function rollupOf(events: readonly HomeEvent[]): Rollup | undefined {
  const rollup = createRollup();
  for (const event of events) rollup.add(event);
  return rollup.finish();
}

const run = { numRuns: 400 };

describe("windows", () => {
  it("are what their words say, window by window", () =>
    fc.assert(
      fc.property(series, edgesOf, (events, edges) => {
        expect(fromEvents(events, edges)).toStrictEqual(naive(events, edges));
      }),
      run,
    ));

  it("do not care whether the state before them is added first, given at the end, or the whole past is", () =>
    fc.assert(
      fc.property(series, edgesOf, (events, edges) => {
        const [first = 0] = edges;
        const past = events.filter(({ atUs }) => atUs < first);
        const inside = events.filter(({ atUs }) => atUs >= first && atUs < (edges.at(-1) ?? 0));
        const windows = createWindows(edges);
        for (const event of inside) windows.add(event);
        expect(windows.finish(past.at(-1))).toStrictEqual(fromEvents(events, edges));
      }),
      run,
    ));

  it("have the same bits from parts as from events, however the events are cut into parts, encoded and merged", () =>
    fc.assert(
      fc.property(series, edgesOf, fc.array(fc.tuple(fc.nat(6), fc.boolean(), fc.boolean())), (events, edges, cuts) => {
        const windows = createWindows(edges);
        const windowOf = (atUs: number) => edges.findLastIndex((edge) => edge <= atUs);
        let at = 0;
        for (let step = 0; at < events.length; step++) {
          const [size = 1, isRaw = false, isMerged = false] = cuts[step % Math.max(1, cuts.length)] ?? [];
          const begin = windowOf(events[at]?.atUs ?? 0);
          const part = events.slice(at, at + 1 + size).filter(({ atUs }) => windowOf(atUs) === begin);
          at += part.length;
          const middle = Math.floor(part.length / 2);
          const [early, late] = [rollupOf(part.slice(0, middle)), rollupOf(part.slice(middle))];
          const whole = isMerged && early && late ? mergeRollups(early, late) : rollupOf(part);
          if (isRaw || !whole) for (const event of part) windows.add(event);
          else windows.addRollup(decodeRollup(encodeRollup(whole)));
        }
        expect(windows.finish()).toStrictEqual(fromEvents(events, edges));
      }),
      run,
    ));

  it("refuse a part that one of their edges cuts", () => {
    const part = rollupOf([buildEvent({ atUs: 1 }), buildEvent({ atUs: 9 })]);
    expect(() => part && createWindows([0, 5, 10]).addRollup(part)).toThrow(RangeError);
  });

  it("hold a state from before over the edges, until the end", () => {
    const windows = createWindows([0, 1e6, 2e6, 3e6]);
    windows.add(buildEvent({ atUs: 1_500_000, state: "3", value: 3 }));
    const held = windows.finish(buildEvent({ atUs: -9, state: "1", value: 1 }));
    expect(held.map(({ timeMean }) => timeMean)).toEqual([1, 2, 3]);
    expect(held.map(({ count }) => count)).toEqual([0, 1, 0]);
    expect(held.map(({ heldSeconds }) => heldSeconds)).toEqual([1, 1, 1]);
  });

  it("end what is held with a removal, a text and a state that means nothing, and turn from number to boolean", () => {
    const windows = createWindows([0, 10e6]);
    const at = (seconds: number, more: Partial<HomeEvent>) => windows.add(buildEvent({ atUs: seconds * 1e6, ...more }));
    at(0, { value: 4 });
    at(1, { state: "text" });
    at(2, { value: 6 });
    at(3, { value: true });
    at(5, { quality: "unavailable", state: "unavailable" });
    at(6, { value: 8 });
    at(7, { kind: "removed", state: "" });
    const [window] = windows.finish();
    expect(window).toMatchObject({ count: 6, heldSeconds: 3, secondsOn: 2, mean: 6, timeMean: 6, min: 4, max: 8 });
    expect(window?.last).toEqual({ atUs: 6e6, state: "on", value: 8 });
  });

  it("take 10,000 windows of one year-long state", () => {
    const edges = Array.from({ length: 10_001 }, (_, index) => SOME_TIME_US + index * HOUR_US);
    const held = createWindows(edges).finish(buildEvent({ atUs: 0, value: 21.3 }));
    expect(held).toHaveLength(10_000);
    expect(new Set(held.map(({ timeMean }) => timeMean))).toEqual(new Set([21.3]));
  });
});

describe("rollups as bytes", () => {
  it("are the same read back", () =>
    fc.assert(
      fc.property(series, fc.string({ unit: "binary" }), (events, state) => {
        const rollup = rollupOf(events.map((event) => ({ ...event, state })));
        if (rollup) expect(decodeRollup(encodeRollup(rollup))).toStrictEqual(rollup);
      }),
      run,
    ));

  it("are refused when they are cut, longer or of another version", () => {
    const whole = encodeRollup(rollupOf([buildEvent({ atUs: 1, value: 1 }), buildEvent({ atUs: 9 })]) as Rollup);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeRollup(whole.subarray(0, length))).toThrow(expect.objectContaining({ code: "store_damaged" }));
    }
    expect(() => decodeRollup(Uint8Array.from([...whole, 0]))).toThrow(/goes on for 1 bytes/);
    expect(() => decodeRollup(Uint8Array.from([9, ...whole.subarray(1)]))).toThrow(/version "9"/);
  });

  it("are small", () => {
    const busy = Array.from({ length: 720 }, (_, step) =>
      buildEvent({ atUs: SOME_TIME_US + step * 5_000_000, state: "230.1", value: 230 + (step % 17) / 10 }),
    );
    expect(encodeRollup(rollupOf(busy) as Rollup).length).toBeLessThan(130);
    expect(encodeRollup(rollupOf(busy.slice(0, 1)) as Rollup).length).toBeLessThan(60);
  });
});
