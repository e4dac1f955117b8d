import { describe, expect, it } from "vitest";
import { createFeatureParity, type FeatureRow } from "../../../lib/migration/checks/feature-parity.ts";
import { manyEvents } from "../../support/events.ts";
import { migrationOf } from "../../support/migrations.ts";
import { bothSides } from "./both-sides.ts";

const EVENTS = manyEvents(500, { stepUs: 20_000_123 }).map((event, i) => ({
  ...event,
  ...(i % 2 === 0 && { value: i }),
}));
type Sides = Awaited<ReturnType<typeof bothSides>>;

async function tried(sides: Sides, more: { oldDevices?: boolean } = {}) {
  const oldDevices = { name: "list", list: async () => [{ id: "d" }], put: async () => ({ refused: [] }) };
  const check = createFeatureParity({
    old: sides.old,
    events: sides.fresh,
    index: sides.index,
    ...(more.oldDevices && { oldDevices }),
  });
  const { results, memory } = await check.run(sides.context(migrationOf({ state: "shadow" })));
  const { features } = memory as { features: FeatureRow[] };
  return {
    result: results[0],
    table: Object.fromEntries(features.map((row) => [row.name, `${row.old.answer}/${row.new.answer}`])),
    memory,
    check,
  };
}

describe("What both sides offer", () => {
  it("is tried, not claimed", async () => {
    const { result, table } = await tried(await bothSides(EVENTS));
    expect(result).toMatchObject({ name: "feature-parity", verdict: "pass", observed: 0 });
    for (const name of [
      "by-entity",
      "by-time",
      "by-area",
      "pages",
      "orders",
      "attributes",
      "microseconds",
      "typed-values",
      "write",
      "counts",
      "export",
      "health",
      "retention",
    ])
      expect([name, table[name]]).toEqual([name, "yes/yes"]);
    expect(table).toMatchObject({ aggregates: "unknown/yes", devices: "no/unknown" });
  });

  it("shows what OLD lacks, which is no failure", async () => {
    const asOld = ({ areaId: _, value: __, ...event }: (typeof EVENTS)[number]) => ({
      ...event,
      attributes: {},
      atUs: Math.floor(event.atUs / 1e6) * 1e6,
    });
    const sides = await bothSides(EVENTS, { asOld });
    sides.old.counts = () => Promise.reject(new Error("no such question"));
    const { result, table } = await tried(sides);
    expect(result?.verdict).toBe("pass");
    expect(table).toMatchObject({
      "by-area": "no/yes",
      attributes: "no/yes",
      microseconds: "no/yes",
      "typed-values": "no/yes",
      counts: "unknown/yes",
    });
  });

  it("fails when OLD has what NEW has not: that is found by asking", async () => {
    const sides = await bothSides(EVENTS);
    const { range } = sides.fresh;
    sides.fresh.range = ({ areaId: _, ...query }) => range(query);
    const { result } = await tried(sides);
    expect(result).toMatchObject({ verdict: "fail", observed: 1 });
    expect(result?.explanation).toContain("events of an area");
  });

  it("is inconclusive where NEW cannot be tried, and tried again at the next step; what passed stays for an hour", async () => {
    const sides = await bothSides(EVENTS);
    const { result, memory, check } = await tried(sides, { oldDevices: true });
    expect(result).toMatchObject({ verdict: "inconclusive" });
    await sides.index.applyRegistry("home", {
      registry: "devices",
      revision: 1,
      part: 1,
      parts: 1,
      rows: [{ deviceId: "d", name: "d", labels: [], identifiers: [], connections: [] }],
    });
    const again = await check.run(sides.context(migrationOf({ state: "shadow" }), memory));
    expect(again.results[0]?.verdict).toBe("pass");
    sides.old.describe = () => Promise.reject(new Error("down"));
    const kept = await check.run(sides.context(migrationOf({ state: "shadow" }), again.memory));
    expect(kept.results).toEqual(again.results);
    expect(kept.memory).toBeUndefined();
  });
});
