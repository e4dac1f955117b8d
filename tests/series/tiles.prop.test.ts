import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type HomeEvent, naturalKey } from "../../lib/event/index.ts";
import { createTiles, mergeTiles, type Tile } from "../../lib/series/index.ts";
import { anyEvent, buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";

const WIDTH_US = 60_000_000;

function tilesOf(events: readonly HomeEvent[], widthUs = WIDTH_US): Tile[] {
  const tiles = createTiles(widthUs);
  for (const event of events) tiles.add(event);
  return tiles.finish();
}

const distinct = fc.uniqueArray(anyEvent, { selector: naturalKey, maxLength: 40 });

/** Each thing of an event that can differ, changed a little. */
function changes(event: HomeEvent): HomeEvent[] {
  const leaf = (value: unknown): unknown[] => {
    if (typeof value === "number") return [value + (Number.isInteger(value) ? 1 : value * Number.EPSILON)];
    if (typeof value === "string") return [`${value}x`, value.slice(0, -1)].filter((text) => text !== value);
    if (typeof value === "boolean") return [!value];
    if (Array.isArray(value)) return [[...value, null], ...(value.length > 1 ? [value.toReversed()] : [])];
    if (value === null) return [0];
    if (typeof value !== "object" || value === undefined) return [];
    return Object.entries(value).flatMap(([name, member]) => [
      ...leaf(member).map((other) => ({ ...value, [name]: other })),
      Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)),
    ]);
  };
  return leaf(event) as HomeEvent[];
}

describe("tiles", () => {
  it("do not know the order, nor the parts, nor the order of attributes", () =>
    fc.assert(
      fc.property(distinct, fc.array(fc.nat()), (events, picks) => {
        const shuffled = events
          .map((event, index) => ({ event, pick: picks[index % Math.max(1, picks.length)] ?? 0 }))
          .sort((a, b) => a.pick - b.pick)
          .map(({ event }) => ({
            ...event,
            attributes: Object.fromEntries(Object.entries(event.attributes).toReversed()),
          }));
        const whole = tilesOf(events);
        expect(tilesOf(shuffled)).toStrictEqual(whole);
        const cut = Math.floor(events.length / 3);
        expect(mergeTiles(tilesOf(events.slice(cut)), tilesOf(events.slice(0, cut)))).toStrictEqual(whole);
        expect(whole.map(({ fromUs }) => fromUs)).toEqual(whole.map(({ fromUs }) => fromUs).sort((a, b) => a - b));
        expect(whole.every(({ fromUs }) => fromUs % WIDTH_US === 0)).toBe(true);
        expect(whole.reduce((sum, { count }) => sum + count, 0)).toBe(events.length);
      }),
    ));

  it("change with anything of a row: a microsecond, a bit of a number, a character, a member that goes", () => {
    // Wide, so that another time stays in the same tile.
    const of = (event: HomeEvent) => tilesOf([event, buildEvent()], 1e16)[0];
    const base = of(fullEvent);
    const others = changes(fullEvent)
      .filter((other) => Number.isFinite(other.atUs) && other.context && other.attributes)
      .map(of);
    expect(others.length).toBeGreaterThan(70);
    for (const other of others) {
      expect(other?.sumA).not.toBe(base?.sumA);
      expect(other?.sumB).not.toBe(base?.sumB);
    }
    expect(new Set([base, ...others].map((tile) => `${tile?.sumA} ${tile?.sumB}`)).size).toBe(others.length + 1);
  });

  it("change when two rows exchange what they say", () => {
    const [a, b] = [buildEvent({ state: "1", value: 1 }), buildEvent({ state: "2", value: 2, atUs: SOME_TIME_US + 1 })];
    const [x, y] = [
      { ...a, state: "2", value: 2 },
      { ...b, state: "1", value: 1 },
    ];
    expect(tilesOf([a, b])).not.toEqual(tilesOf([x, y]));
    expect(tilesOf([a])).not.toEqual(tilesOf([a, a]));
  });

  it("tell texts that only look alike: a number from its text, null from nothing, names that reach into each other", () => {
    const of = (attributes: HomeEvent["attributes"]) => tilesOf([buildEvent({ attributes })])[0]?.sumA;
    const sums = [
      { a: 1 },
      { a: "1" },
      { a: null },
      {},
      { 'a":1,"b': 1 },
      { a: 1, b: 1 },
      { a: [1] },
      { a: { "0": 1 } },
    ].map(of);
    expect(new Set(sums).size).toBe(sums.length);
  });

  it("keep their sums within 64 bits and are the same on every release", () => {
    const [tile] = tilesOf(manyEvents(200, { stepUs: 1 }), 1e16);
    expect(tile).toMatchObject({ fromUs: 0, count: 200 });
    expect([tile?.sumA.toString(16), tile?.sumB.toString(16)]).toEqual(["e801c354e568a93b", "3ac3663a2da361a8"]);
  });
});
