import { describe, expect, it } from "vitest";
import { makeSchedule, type ScheduleOptions, TARGETS, TROUBLES } from "./schedule.ts";

const options: ScheduleOptions = {
  seed: 7,
  rounds: 20,
  killsPerRound: 20,
  pauseMs: [50, 700],
  weights: { relay: 60, functions: 14, queues: 12, home: 8, tables: 6 },
  troubles: TROUBLES,
};
const kinds = (schedule: ReturnType<typeof makeSchedule>) =>
  new Set(schedule.flat().map((fault) => (fault.kind === "kill" ? fault.target : fault.trouble)));

describe("the schedule of faults", () => {
  it("is the same for the same seed and another for another", () => {
    expect(makeSchedule(options)).toEqual(makeSchedule(options));
    expect(makeSchedule(options)).not.toEqual(makeSchedule({ ...options, seed: 8 }));
  });

  it("begins alike, however many rounds follow", () => {
    expect(makeSchedule({ ...options, rounds: 3 })).toEqual(makeSchedule(options).slice(0, 3));
  });

  it("has as many kills as asked for, in order of time", () => {
    for (const round of makeSchedule(options)) {
      expect(round.filter(({ kind }) => kind === "kill")).toHaveLength(20);
      expect(round).toEqual(round.toSorted((a, b) => a.atMs - b.atMs));
    }
  });

  it("leaves out no part and no trouble", () => {
    expect(kinds(makeSchedule(options))).toEqual(new Set([...TARGETS, ...TROUBLES]));
  });

  it("leaves alone what has no weight, and makes no trouble that is not wanted", () => {
    const few = makeSchedule({ ...options, weights: { relay: 1, queues: 1 }, troubles: ["queue-errors"] });
    expect(kinds(few)).toEqual(new Set(["relay", "queues", "queue-errors"]));
  });
});
