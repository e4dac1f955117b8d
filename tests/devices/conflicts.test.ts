import { describe, expect, it } from "vitest";
import {
  CONFLICT_FIELDS,
  CONFLICT_STRATEGIES,
  type ConflictRules,
  parseConflictRules,
  type RowPair,
  settleRow,
} from "../../lib/devices/conflicts.ts";
import { CONFLICT_RULES } from "../../lib/wiring/config-checks.ts";
import { manualClock } from "../support/manual-clock.ts";

const clock = manualClock();
const rules = (text: string): ConflictRules => parseConflictRules(text);
const pair = (fresh: Partial<RowPair["new"]>, old: Partial<RowPair["old"]>): RowPair => ({
  kind: "device",
  subjectId: "d1",
  new: { source: "home-assistant", values: {}, ...fresh },
  old: { source: "zigbee2mqtt", values: {}, ...old },
});
const settle = (text: string, given: RowPair) => settleRow(given, { rules: rules(text), clock });
const names = pair({ values: { name: "Lamp" } }, { values: { name: "Light" } });

describe("two views of one row", () => {
  it.each([
    ["new-wins", "Lamp", "new", /^home-assistant wins/],
    ["old-wins", "Light", "old", /^zigbee2mqtt wins/],
    ["merge", "Lamp", "new", /^both have one/],
    ["newest-wins", "Lamp", "new", /^neither was seen to change/],
    ["ask", "Lamp", undefined, /^asked/],
  ])("are settled by %s", (strategy, value, chosen, reason) => {
    const { values, conflicts } = settle(strategy, names);
    expect(values).toEqual({ name: value });
    expect(conflicts).toMatchObject([
      {
        id: expect.stringMatching(/^[0-9a-f]{16}$/),
        kind: "device",
        subjectId: "d1",
        field: "name",
        newSource: "home-assistant",
        oldSource: "zigbee2mqtt",
        new: "Lamp",
        old: "Light",
        strategy,
        status: chosen ? "settled" : "open",
        reason: expect.stringMatching(reason),
        cost: { operations: 2, micros: 0 },
        foundAtMs: clock.nowMs(),
      },
    ]);
    expect(conflicts[0]?.chosen).toBe(chosen);
    expect(conflicts[0]?.settledAtMs).toBe(chosen ? clock.nowMs() : undefined);
  });

  it.each([
    [{ name: 5 }, { name: 7 }, "Light", /zigbee2mqtt changed last, 1970/],
    [{ name: 7 }, { name: 5 }, "Lamp", /home-assistant changed last/],
    [{ name: 7 }, { name: 7 }, "Lamp", /home-assistant changed last/],
    [{}, { name: 1 }, "Light", /zigbee2mqtt changed last/],
    [{ name: 1 }, {}, "Lamp", /home-assistant changed last/],
  ])("by newest-wins of %j and %j", (fresh, old, value, reason) => {
    const given = pair({ ...names.new, changedAtMs: fresh }, { ...names.old, changedAtMs: old });
    const { values, conflicts } = settle("newest-wins", given);
    expect(values.name).toBe(value);
    expect(conflicts[0]?.reason).toMatch(reason);
  });

  it("join lists by merge, and choose one by the others", () => {
    const lists = pair({ values: { labels: ["a", "b"] } }, { values: { labels: ["c", "a"] } });
    const merged = settle("merge", lists);
    expect(merged.values).toEqual({ labels: ["a", "b", "c"] });
    expect(merged.conflicts).toMatchObject([{ chosen: "both", cost: { operations: 5 } }]);
    expect(settle("old-wins", lists).values).toEqual({ labels: ["c", "a"] });
  });

  it("may have a strategy for each field", () => {
    const given = pair(
      { values: { name: "Lamp", model: "A", manufacturer: "X" } },
      { values: { name: "Light", model: "B", manufacturer: "Y" } },
    );
    const { values, conflicts } = settle("newest-wins,name:old-wins,model:ask", given);
    expect(values).toEqual({ name: "Light", model: "A", manufacturer: "X" });
    expect(conflicts.map(({ field, strategy }) => [field, strategy])).toEqual([
      ["name", "old-wins"],
      ["manufacturer", "newest-wins"],
      ["model", "ask"],
    ]);
  });

  it("have no conflict where one has nothing, and what is taken then says the strategy", () => {
    const given = pair({ values: { name: "Lamp" } }, { values: { model: "B" } });
    const kept = (strategy: string) => {
      const { values, conflicts } = settle(strategy, given);
      expect(conflicts).toEqual([]);
      return values;
    };
    expect(kept("new-wins")).toEqual({ name: "Lamp" });
    expect(kept("old-wins")).toEqual({ model: "B" });
    for (const strategy of ["merge", "newest-wins", "ask"])
      expect(kept(strategy)).toEqual({ name: "Lamp", model: "B" });
  });

  it("have none where they say the same in other letters, blanks, order or a known spelling", () => {
    const given = pair(
      { values: { name: " Kitchen  LAMP", labels: ["B", "a"], model: "Bulb (LED1)" } },
      { values: { name: "kitchen lamp", labels: ["A", "b"], model: "LED1" }, spellings: { model: ["Bulb (LED1)"] } },
    );
    expect(settle("ask", given).conflicts).toEqual([]);
  });

  it("have one id for the same field of the same row of the same sources", () => {
    const idOf = (given: RowPair) => settle("new-wins", given).conflicts[0]?.id;
    expect(idOf(names)).toBe(idOf(pair({ values: { name: "A" } }, { values: { name: "B" } })));
    expect(idOf({ ...names, subjectId: "d2" })).not.toBe(idOf(names));
    expect(idOf({ ...names, old: { ...names.old, source: "old" } })).not.toBe(idOf(names));
  });
});

describe("the rules", () => {
  it("are one strategy for all and others for single fields; none is new-wins", () => {
    expect(rules("")).toEqual({ otherwise: "new-wins", byField: {} });
    expect(rules(" merge , name:ask ")).toEqual({ otherwise: "merge", byField: { name: "ask" } });
  });

  it.each(["wins", "name:wins", "colour:ask", "name:ask:merge", "name"])("refuse %j", (text) => {
    expect(() => rules(text)).toThrowError(`"${text}" says nothing`);
    expect(CONFLICT_RULES.test(text)).toBe(false);
  });

  it("are what the setting takes", () => {
    for (const strategy of CONFLICT_STRATEGIES) {
      expect(CONFLICT_RULES.test(strategy)).toBe(true);
      for (const field of CONFLICT_FIELDS) expect(CONFLICT_RULES.test(`merge, ${field}:${strategy}`)).toBe(true);
    }
  });
});
