import { describe, expect, it } from "vitest";
import { begunIn, type PairMemory, type PairMemoryShape } from "../../../lib/migration/checks/pair-memory.ts";
import { stageKeyOf } from "../../../lib/migration/statistics/arrivals.ts";
import { START_US, startedOf } from "../../support/migrations.ts";

interface Memory extends PairMemory {
  readonly past: number;
  readonly own: number;
}

const SHAPE: PairMemoryShape<Memory> = {
  version: 2,
  nothing: { past: 0, own: 0 },
  isCounted: ({ past, own }) => typeof past === "number" && typeof own === "number",
  withNewStage: ({ past, own }) => ({ past: past + own, own: 0 }),
};
const CURSOR = { floorUs: 7, seen: [1] };

describe("what a check that counts pairs has in memory", () => {
  const migration = startedOf({ state: "ramp", stage: 1 });
  const stage = stageKeyOf(migration);
  const kept: Memory = { version: 2, stage, cursor: CURSOR, past: 3, own: 4 };

  it("is as it was within a stage", () => {
    expect(begunIn({ migration, memory: kept }, SHAPE)).toBe(kept);
  });

  it("is past in the next stage, and goes on from where it was", () => {
    const next = { ...migration, stage: 2 };
    const begun = begunIn({ migration: next, memory: kept }, SHAPE);
    expect(begun).toEqual({ version: 2, stage: stageKeyOf(next), cursor: CURSOR, past: 7, own: 0 });
  });

  it("is forgotten after a pause, yet nothing is counted twice", () => {
    const resumed = { epoch: 9, atUs: START_US, actor: "owner", from: "paused", to: "ramp" } as const;
    const lastChange = { ...resumed, percentFrom: 25, percentTo: 25, reason: "go on", evidence: [] };
    const next = { ...migration, stage: 2, lastChange };
    expect(begunIn({ migration: next, memory: kept }, SHAPE)).toMatchObject({ cursor: CURSOR, past: 0, own: 0 });
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "memory"],
    ["of another version", { ...kept, version: 1 }],
    ["without its cursor", { ...kept, cursor: undefined }],
    ["with a cursor of another shape", { ...kept, cursor: { floorUs: "7", seen: [] } }],
    ["without its counts", { ...kept, own: undefined }],
  ])("is empty where it was %s", (_what, memory) => {
    expect(begunIn({ migration, memory }, SHAPE)).toEqual({
      ...{ version: 2, stage, past: 0, own: 0 },
      cursor: { floorUs: 0, seen: [] },
    });
  });
});
