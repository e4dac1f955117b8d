import { describe, expect, it } from "vitest";
import { coOccurrence } from "../../../lib/analysis/detectors/co-occurrence.ts";
import type { Finding } from "../../../lib/analysis/detectors/types.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, buildHomeDay, clock, findIn, historyOf, type Wish } from "../../support/detector-days.ts";

detectorConformance(coOccurrence);

const motion = (at: number, room = "kitchen"): Wish[] => [
  { at, entityId: `binary_sensor.${room}_motion`, state: "on", deviceClass: "motion" },
  { at: at + 40, entityId: `binary_sensor.${room}_motion`, state: "off", deviceClass: "motion" },
];
const lamp = (at: number, state = "on", more: Partial<Wish> = {}): Wish => ({
  at,
  entityId: "light.kitchen",
  state,
  areaId: "kitchen",
  ...more,
});
/** Somebody comes, switches the lamp on after five seconds, and off as he leaves. */
const visit = (at: number): Wish[] => [...motion(at), lamp(at + 5), lamp(at + 900, "off")];
const pair = (findings: readonly Finding[], key = "binary_sensor.kitchen_motion=on > light.kitchen=on") =>
  findings.find((finding) => finding.key === key);
/** A time that wanders, so that nothing but the trigger tells it. */
const around = (hour: number, index: number) => clock(hour) + ((index * 977) % 5400);

describe("a light after motion", () => {
  it("is found with its delay, its place and its evidence", () => {
    const found = pair(findIn(coOccurrence, 14, (index) => visit(around(10, index))));
    expect(found).toMatchObject({
      kind: "co-occurrence",
      hits: 14,
      opportunities: 14,
      automated: false,
      areaId: "kitchen",
      delaySeconds: { median: 5, p90: 5 },
      details: { windowSeconds: 60, coverage: 1, direction: 1 },
    });
    expect(found?.reliability).toBeGreaterThan(0.8);
    expect(found?.significance).toBeLessThan(1e-9);
    expect(found?.days90).toHaveLength(14);
    expect(found?.days90[0]).toEqual({ date: "2026-01-05", hits: 1, opportunities: 1 });
    expect(found?.histogram?.counts.reduce((sum, count) => sum + count, 0)).toBe(14);
  });

  it("has no occasion while the lamp is on, and one occasion while somebody stays", () => {
    const found = pair(
      findIn(coOccurrence, 14, (index) => {
        const at = around(10, index);
        const stays = [120, 240].flatMap((later) => motion(at + 7200 + later));
        const secondVisit = index % 2 === 0 ? [...motion(at + 7200), ...stays] : [];
        return [...visit(at), ...motion(at + 400), ...motion(at + 600), ...secondVisit];
      }),
    );
    // The second visit of every other day, three firings long, is one miss.
    expect(found).toMatchObject({ hits: 14, opportunities: 21 });
  });

  it("knows from the day before that the lamp is on", () => {
    const findings = findIn(coOccurrence, 20, (index) =>
      index % 2 === 0
        ? [...visit(around(10, index)), ...motion(around(18, index)), lamp(around(18, index) + 5)]
        : motion(around(10, index)),
    );
    expect(pair(findings)).toMatchObject({ hits: 20, opportunities: 20 });
  });

  it("only in the dark is told with its condition, and counted only then", () => {
    const findings = findIn(coOccurrence, 21, (index) => [
      ...motion(around(9, index)),
      ...motion(around(13, index)),
      ...visit(around(19, index)),
      ...visit(clock(5) + index * 60),
    ]);
    expect(pair(findings)).toMatchObject({ hits: 42, opportunities: 42, details: { condition: "dark" } });
  });

  it("only in the morning is told so where the home does not say when it is dark", () => {
    const wishes = (index: number) => [
      ...visit(around(7, index)),
      ...motion(around(13, index)),
      ...motion(around(19, index)),
    ];
    const days = Array.from({ length: 21 }, (_, index) => {
      const { sunriseMinute: _rise, sunsetMinute: _set, ...facts } = buildFacts(index, wishes(index));
      return facts;
    });
    expect(pair(coOccurrence.find(historyOf(coOccurrence, days)))).toMatchObject({
      hits: 21,
      opportunities: 21,
      details: { condition: "morning" },
    });
  });
});

describe("what is no cause", () => {
  it("is the hall before every room's light", () => {
    const findings = findIn(coOccurrence, 28, (index) => {
      const [first, second] = [around(9, index), around(15, index)];
      return [
        ...motion(first - 9, "hall"),
        ...visit(first),
        ...motion(second - 9, "hall"),
        ...motion(clock(21), "hall"),
      ];
    });
    expect(findings.map(({ key }) => key).filter((key) => key.includes("hall"))).toEqual([]);
    expect(pair(findings)?.hits).toBe(28);
  });

  it("is what belongs to one act, one device or one entity", () => {
    const group = findIn(coOccurrence, 20, (index) => [
      { at: around(10, index), entityId: "light.a", state: "on", act: 1 },
      { at: around(10, index) + 0.1, entityId: "light.b", state: "on", act: 1 },
    ]);
    const device = findIn(coOccurrence, 20, (index) => [
      { at: around(10, index), entityId: "binary_sensor.plug", state: "on", deviceId: "plug" },
      { at: around(10, index) + 1, entityId: "switch.plug", state: "on", deviceId: "plug" },
    ]);
    const entity = findIn(coOccurrence, 20, (index) => [lamp(around(10, index)), lamp(around(10, index) + 30, "off")]);
    expect([...group, ...device, ...entity]).toEqual([]);
  });

  it("is what mostly comes afterwards", () => {
    const findings = findIn(coOccurrence, 28, (index) => {
      const at = around(10, index);
      const before = index % 4 === 0 ? motion(at - 5) : [];
      return [...before, lamp(at), lamp(at + 900, "off"), ...(index % 4 === 0 ? [] : motion(at + 5))];
    });
    expect(pair(findings)).toBeUndefined();
  });

  it("is a sensor that fires all the time", () => {
    const findings = findIn(coOccurrence, 28, (index) => [
      ...Array.from({ length: 80 }, (_, step) => motion(clock(9) + step * 90)).flat(),
      lamp(around(9, index)),
      lamp(around(9, index) + 900, "off"),
    ]);
    expect(pair(findings)).toBeUndefined();
  });

  it("is a trigger that an automation made", () => {
    const findings = findIn(coOccurrence, 20, (index) => [
      { at: around(10, index), entityId: "light.hall", state: "on", actor: "automation" },
      lamp(around(10, index) + 5),
    ]);
    expect(findings).toEqual([]);
  });
});

describe("what the home's automations do", () => {
  it("is told as automated", () => {
    const findings = findIn(coOccurrence, 20, (index) => [
      ...motion(around(10, index)),
      lamp(around(10, index) + 0.2, "on", { actor: "automation" }),
      lamp(around(10, index) + 300, "off", { actor: "automation" }),
    ]);
    expect(pair(findings)).toMatchObject({ automated: true, hits: 20, opportunities: 20 });
  });

  it("is no occasion for a person", () => {
    const findings = findIn(coOccurrence, 30, (index) => {
      const at = around(10, index);
      const actor = index % 3 === 0 ? "automation" : "person";
      return [...motion(at), lamp(at + 5, "on", { actor }), lamp(at + 900, "off")];
    });
    expect(pair(findings)).toMatchObject({ automated: false, hits: 20, opportunities: 20 });
  });
});

describe("days and times that do not count", () => {
  const wishes = (index: number) => (index % 5 === 4 ? motion(around(10, index)) : visit(around(10, index)));

  it("are days on which nobody was at home", () => {
    const days = Array.from({ length: 25 }, (_, index) => buildFacts(index, wishes(index)));
    const history = historyOf(coOccurrence, days, (facts, index) =>
      buildHomeDay(facts, { isEligible: index % 5 !== 4 }),
    );
    expect(pair(coOccurrence.find(history))).toMatchObject({ hits: 20, opportunities: 20 });
  });

  it("are times in which nothing was heard, or the lamp could not be asked", () => {
    const days = Array.from({ length: 25 }, (_, index) => {
      const facts = buildFacts(index, [...wishes(index), lamp(clock(22)), lamp(clock(23), "off")]);
      const span = [facts.fromUs + clock(9, 59) * 1e6, facts.fromUs + clock(12) * 1e6] as const;
      if (index % 5 !== 4) return facts;
      return index % 2 === 0
        ? { ...facts, silent: [span] }
        : { ...facts, unavailable: [["light.kitchen", ...span] as const] };
    });
    expect(pair(coOccurrence.find(historyOf(coOccurrence, days)))).toMatchObject({ hits: 20, opportunities: 20 });
  });
});

describe("habits that change", () => {
  it("are told by their last four weeks", () => {
    const begun = findIn(coOccurrence, 90, (index) =>
      index < 60 ? motion(around(10, index)) : visit(around(10, index)),
    );
    const ended = findIn(coOccurrence, 90, (index) =>
      index >= 60 ? motion(around(10, index)) : visit(around(10, index)),
    );
    expect(pair(begun)).toMatchObject({ hits: 28, opportunities: 28 });
    expect(pair(ended)).toBeUndefined();
  });
});

it("a trigger some minutes before is found in the wide window", () => {
  const findings = findIn(coOccurrence, 20, (index) => [
    { at: around(8, index), entityId: "switch.coffee", state: "on" },
    { at: around(8, index) + 1500, entityId: "switch.coffee", state: "off" },
    { at: around(8, index) + 180 + (index % 5) * 10, entityId: "media_player.radio", state: "playing" },
    { at: around(8, index) + 3000, entityId: "media_player.radio", state: "off" },
  ]);
  expect(pair(findings, "switch.coffee=on > media_player.radio=playing")).toMatchObject({
    hits: 20,
    delaySeconds: { median: 200 },
    details: { windowSeconds: 300 },
  });
});

it("a scene is never so already", () => {
  const findings = findIn(coOccurrence, 20, (index) => [
    { at: around(10, index), entityId: "event.button", state: "single" },
    { at: around(10, index) + 4, entityId: "scene.film", state: "on" },
  ]);
  expect(pair(findings, "event.button=single > scene.film=on")).toMatchObject({ hits: 20, opportunities: 20 });
});
