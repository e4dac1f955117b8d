import { describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import type { GapRecord, LossRecord } from "../../lib/event/index.ts";
import type { Happened } from "../support/recorder.ts";
import { type Evidence, judge, nameOf } from "./judge.ts";

const START_US = 1_790_000_000_000_000;
const SECOND_US = 1_000_000;
const event = (number: number, entityId = "sensor.chaos_1"): Happened => ({
  entityId,
  atUs: START_US + number * SECOND_US,
  state: String(number),
});
const truth = Array.from({ length: 20 }, (_, at) => event(at + 1));
const without = (...numbers: number[]) => truth.filter(({ state }) => !numbers.includes(Number(state)));
const iso = (number: number) => formatIsoUs(START_US + number * SECOND_US);

const evidence = (more: Partial<Evidence> = {}): Evidence => ({
  truth,
  stored: truth,
  acknowledged: truth,
  gaps: [],
  losses: [],
  sinceUs: START_US,
  isRecorded: () => true,
  isNumbered: (entityId) => entityId.startsWith("sensor.chaos_"),
  ...more,
});
const gap = (from: number, to: number, more: Partial<GapRecord> = {}): GapRecord => ({
  t: "gap",
  n: 1,
  from: iso(from),
  to: iso(to),
  cause: "disconnected",
  entities: 1,
  recovered: 0,
  statistics: 0,
  complete: false,
  missing: [{ reason: "power_cut", entities: 1, examples: ["sensor.chaos_1"] }],
  ...more,
});
const loss = (from: number, to: number, count: number, more: Partial<LossRecord> = {}): LossRecord => ({
  t: "loss",
  n: 9,
  first: 9,
  last: 9,
  count,
  reason: "the disk was full",
  from: iso(from),
  to: iso(to),
  ...more,
});
const NOTHING = { acknowledgedAndLost: [], unnamed: [], named: [], sameKey: [], repeated: [], invented: [] };

describe("the judge of a chaos run", () => {
  it("finds nothing where all three accounts are the same", () => {
    expect(judge(evidence())).toEqual({ ...NOTHING, made: 20, stored: 20 });
  });

  it("finds a planted loss that the queue had taken, whatever a gap says of its time", () => {
    const verdict = judge(evidence({ stored: without(7), gaps: [gap(1, 20)], losses: [loss(1, 20, 5)] }));
    expect(verdict).toMatchObject({ ...NOTHING, acknowledgedAndLost: [nameOf(event(7))] });
  });

  it("finds a planted loss that nobody names", () => {
    const verdict = judge(evidence({ stored: without(7), acknowledged: without(7) }));
    expect(verdict).toMatchObject({ ...NOTHING, unnamed: [nameOf(event(7))] });
  });

  it("finds a planted duplicate: the same key twice", () => {
    expect(judge(evidence({ stored: [...truth, event(3)] }))).toMatchObject({
      ...NOTHING,
      repeated: [nameOf(event(3))],
    });
  });

  it("counts apart what the home did twice in one microsecond, of which the store can hold one", () => {
    const twin = { ...event(3), state: "another" };
    const both = judge(evidence({ truth: [...truth, twin] }));
    expect([both.sameKey, both.unnamed, both.acknowledgedAndLost]).toEqual([[twin], [], []]);
    const neither = judge(evidence({ truth: [...truth, twin], stored: without(3), acknowledged: [] }));
    expect([neither.sameKey, neither.unnamed.length]).toEqual([[], 2]);
  });

  it("finds a number that stands at two times, and the one that never happened", () => {
    const twin = { ...event(3), atUs: event(3).atUs + 1 };
    const verdict = judge(evidence({ stored: [...truth, twin] }));
    expect(verdict).toMatchObject({ ...NOTHING, repeated: [nameOf(twin)], invented: [nameOf(twin)] });
  });

  it("finds a planted event that never happened, and one whose state is another", () => {
    const other = { ...event(4), state: "40" };
    const verdict = judge(evidence({ stored: [...without(4), event(99), other], acknowledged: without(4) }));
    expect(verdict.invented).toEqual([nameOf(event(99)), nameOf(other)]);
    expect(verdict.unnamed).toEqual([nameOf(event(4))]);
  });

  it("does not take the states from before the run for inventions", () => {
    const before = { ...event(5), atUs: START_US - 1, state: "rest" };
    expect(judge(evidence({ stored: [before, ...truth] })).invented).toEqual([]);
  });

  it("does not want yet what is not due, and does not call it invented", () => {
    expect(judge(evidence({ due: 10, stored: without(15), acknowledged: [] }))).toEqual({
      ...NOTHING,
      made: 10,
      stored: 19,
    });
  });

  describe("names a loss", () => {
    const lost = (more: Partial<Evidence>) => judge(evidence({ stored: without(7), acknowledged: [], ...more }));

    it("by a gap around it that speaks of its entity", () => {
      expect(lost({ gaps: [gap(6, 8)] })).toMatchObject({ ...NOTHING, named: [event(7)] });
    });

    it.each([
      ["at another time", gap(8, 9)],
      ["that says it is complete", gap(6, 8, { complete: true, missing: [] })],
      [
        "that speaks of another entity only",
        gap(6, 8, { missing: [{ reason: "removed", entities: 1, examples: ["sensor.other"] }] }),
      ],
    ])("but not by a gap %s", (_, wrong) => {
      expect(lost({ gaps: [wrong] })).toMatchObject({ ...NOTHING, unnamed: [nameOf(event(7))] });
    });

    it("by a gap that has more entities than it lists", () => {
      const many = gap(6, 8, { missing: [{ reason: "power_cut", entities: 2, examples: ["sensor.other"] }] });
      expect(lost({ gaps: [many] }).named).toEqual([event(7)]);
    });

    it("by a restart of Home Assistant around it, if Home Assistant itself has not kept it", () => {
      const gaps = [gap(6, 8, { cause: "home_assistant_restarted", complete: true, missing: [] })];
      expect(lost({ gaps, isRecorded: () => false }).named).toEqual([event(7)]);
      expect(lost({ gaps }).unnamed).toEqual([nameOf(event(7))]);
      expect(lost({ gaps: [gap(6, 8, { complete: true, missing: [] })], isRecorded: () => false }).named).toEqual([]);
    });

    it("by a loss record, once for each event that it counts", () => {
      const verdict = lost({ stored: without(7, 8, 9), losses: [loss(6, 10, 2)] });
      expect(verdict).toMatchObject({ ...NOTHING, named: [event(7), event(8)], unnamed: [nameOf(event(9))] });
    });

    it("but not by a loss of another sink, nor by one at another time", () => {
      const losses = [loss(6, 8, 5, { sink: "old" }), loss(8, 9, 5)];
      expect(lost({ losses })).toMatchObject({ ...NOTHING, unnamed: [nameOf(event(7))] });
      expect(lost({ losses, clockOffUs: 2 * SECOND_US }).named).toEqual([event(7)]);
    });
  });
});
