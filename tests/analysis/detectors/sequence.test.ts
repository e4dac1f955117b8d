import { expect, it } from "vitest";
import { sequence } from "../../../lib/analysis/detectors/sequence.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { clock, findIn, type Wish } from "../../support/detector-days.ts";

detectorConformance(sequence);

const STEPS = [
  ["media_player.tv", "off"],
  ["light.floor", "off"],
  ["lock.front", "locked"],
  ["light.bedside", "on"],
  ["switch.blanket", "on"],
] as const;
const steps = (count: number) => STEPS.slice(0, count).map(([entityId, state]) => ({ entityId, state }));

const undo = (state: string) => (state === "off" || state === "locked" ? "on" : "off");
/** The chain, thirty seconds from step to step, and what makes each step possible, at times of its own. */
const chain = (at: number, index: number, count = 4, gap = 30): Wish[] =>
  STEPS.slice(0, count).flatMap(([entityId, state], step): Wish[] => [
    { at: clock(10) + step * 1800 + index * 60, entityId, state: undo(state) },
    { at: at + step * gap, entityId, state },
  ]);
const bedtime = (index: number) => clock(22, 20) + ((index * 613) % 2400);

it("a chain of four is found once, whole, with its time and its evidence", () => {
  const findings = findIn(sequence, 20, (index) => chain(bedtime(index), index));
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({
    kind: "sequence",
    key: "media_player.tv=off > light.floor=off",
    trigger: { entityId: "media_player.tv", state: "off" },
    target: { entityId: "light.bedside", state: "on" },
    steps: steps(4),
    hits: 20,
    opportunities: 20,
    delaySeconds: { median: 90, p90: 90 },
    automated: false,
  });
  expect(findings[0]?.at).toMatch(/^22:[345]/);
  expect(findings[0]?.days90).toHaveLength(20);
});

it("what chatters in between does not matter", () => {
  const findings = findIn(sequence, 20, (index) => [
    ...chain(bedtime(index), index),
    ...Array.from(
      { length: 60 },
      (_, step): Wish => ({
        at: bedtime(index) - 300 + step * 11,
        entityId: "binary_sensor.hall_motion",
        state: step % 2 === 0 ? "on" : "off",
        deviceClass: "motion",
      }),
    ),
  ]);
  expect(findings.map(({ steps: found }) => found)).toEqual([steps(4)]);
});

it("a door and a button are steps, but never the last one", () => {
  const findings = findIn(sequence, 20, (index) => [
    { at: bedtime(index), entityId: "event.remote", state: "single" },
    { at: bedtime(index) + 20, entityId: "binary_sensor.door", state: "on", deviceClass: "door" },
    { at: bedtime(index) + 40, entityId: "light.shed", state: "on" },
    { at: bedtime(index) + 60, entityId: "binary_sensor.gate", state: "on", deviceClass: "opening" },
    { at: clock(4), entityId: "light.shed", state: "off" },
    { at: clock(4), entityId: "binary_sensor.door", state: "off", deviceClass: "door" },
    { at: clock(4), entityId: "binary_sensor.gate", state: "off", deviceClass: "opening" },
  ]);
  expect(findings.map(({ target, steps: found }) => [target.entityId, found?.length])).toEqual([["light.shed", 3]]);
});

it("five steps are the most", () => {
  const six: Wish = { at: 0, entityId: "fan.bedroom", state: "on" };
  const findings = findIn(sequence, 20, (index) => [
    ...chain(bedtime(index), index, 5),
    { ...six, at: bedtime(index) + 150 },
    { ...six, at: clock(9) + index, state: "off" },
  ]);
  expect(findings.map(({ steps: found }) => found?.length)).toEqual([5]);
});

it("steps more than two minutes apart are no chain, nor is one act", () => {
  expect(findIn(sequence, 20, (index) => chain(bedtime(index), index, 4, 125))).toEqual([]);
  const act = findIn(sequence, 20, (index) => chain(bedtime(index), index).map((wish) => ({ ...wish, act: 7 })));
  expect(act).toEqual([]);
});

it("what automations do is no chain of people", () => {
  const findings = findIn(sequence, 20, (index) =>
    chain(bedtime(index), index).map((wish) => ({ ...wish, actor: "automation" as const })),
  );
  expect(findings).toEqual([]);
});

it("beginnings without an end are misses, at that time of day", () => {
  const findings = findIn(sequence, 28, (index) => [
    ...(index % 4 === 3
      ? [{ at: bedtime(index), entityId: "media_player.tv", state: "off" } as const]
      : chain(bedtime(index), index)),
    // The television goes off at noon as well: that is no beginning of the evening.
    { at: clock(11, 50), entityId: "media_player.tv", state: "on" },
    { at: clock(12, 10), entityId: "media_player.tv", state: "off" },
  ]);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({ hits: 21, opportunities: 28, steps: steps(4) });
});

it("its name stays the same when a last step comes or goes", () => {
  const key = (count: number) => findIn(sequence, 20, (index) => chain(bedtime(index), index, count))[0]?.key;
  expect(key(3)).toBe(key(5));
});
