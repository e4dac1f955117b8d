import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createChanges } from "../../../lib/analysis/detectors/facts/changes.ts";
import { createSilence } from "../../../lib/analysis/detectors/facts/silence.ts";
import { createDayFacts } from "../../../lib/analysis/detectors/facts.ts";
import { zonedDayStartUs } from "../../../lib/base/zone.ts";
import { EVENT_KINDS, type HomeEvent } from "../../../lib/event/index.ts";
import { ZONE } from "../../support/day-facts.ts";
import { buildEvent } from "../../support/events.ts";

const FROM = zonedDayStartUs("2026-03-28", "03:00", ZONE);
const TO = zonedDayStartUs("2026-03-29", "03:00", ZONE);
const INFO = { homeId: "home", date: "2026-03-28", fromUs: FROM, toUs: TO, timeZone: ZONE };

const someEvents: fc.Arbitrary<HomeEvent[]> = fc
  .array(
    fc.record({
      entityId: fc.constantFrom(
        "light.a",
        "cover.b",
        "binary_sensor.c",
        "automation.d",
        "script.e",
        "sun.sun",
        "sensor.f",
        "scene.g",
      ),
      atUs: fc.oneof(fc.integer({ min: FROM - 1e9, max: TO + 1e9 }), fc.integer({ min: FROM, max: FROM + 20e6 })),
      kind: fc.constantFrom(...EVENT_KINDS),
      state: fc.constantFrom("on", "off", "open", "opening", "unavailable", "20.5", "above_horizon"),
      oldState: fc.constantFrom("on", "off", "open", "closed", "opening", "unavailable", "unknown"),
      context: fc.record({ id: fc.constantFrom("1", "2", "3"), userId: fc.constant("u") }, { requiredKeys: ["id"] }),
    }),
    { maxLength: 60 },
  )
  .map((given) =>
    given
      .sort((a, b) => a.atUs - b.atUs)
      .map((each) => buildEvent({ ...each, quality: each.state === "unavailable" ? "unavailable" : "ok" })),
  );

describe("the facts of any day", () => {
  it("lie in the day, ascend, are of the clock, and never in silence", () => {
    fc.assert(
      fc.property(someEvents, (events) => {
        const builder = createDayFacts(INFO);
        for (const event of events) builder.add(event);
        const facts = builder.finish();
        let before = { atUs: FROM };
        for (const occurrence of facts.occurrences) {
          expect(occurrence.atUs).toBeGreaterThanOrEqual(before.atUs);
          expect(occurrence.atUs).toBeLessThan(TO);
          expect(occurrence.minute).toBeGreaterThanOrEqual(0);
          expect(occurrence.minute).toBeLessThan(1440);
          expect(occurrence.state).not.toBe(occurrence.oldState);
          expect(["unavailable", "opening"]).not.toContain(occurrence.state);
          expect(facts.silent.some(([from, to]) => occurrence.atUs >= from && occurrence.atUs < to)).toBe(false);
          before = occurrence;
        }
        for (const [, from, to] of facts.unavailable) expect(from >= FROM && from < to && to <= TO).toBe(true);
        let silentTo = FROM - 1;
        for (const [from, to] of facts.silent) {
          expect(from > silentTo && from < to && to <= TO).toBe(true);
          silentTo = to;
        }
        expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
      }),
    );
  });

  it("are bounded: the loudest go, whole, and the others stay", () => {
    const changes = createChanges({ max: 100 });
    const add = (entityId: string, second: number, state: string) =>
      changes.add(buildEvent({ entityId, atUs: FROM + second * 1e6, state, oldState: state === "on" ? "off" : "on" }), {
        role: "target",
        state,
        isOnItsWay: false,
        isMoment: false,
      });
    for (let second = 0; second < 1000; second++) {
      add("switch.loud", second, second % 2 ? "off" : "on");
      if (second % 100 === 0) add("light.quiet", second, (second / 100) % 2 ? "off" : "on");
    }
    const { changes: kept, muted } = changes.finish();
    expect(muted).toEqual(["switch.loud"]);
    expect(kept.map(({ who }) => who.entityId)).toEqual(new Array(10).fill("light.quiet"));
  });

  it("hold a silence of a storm however its changes lie in the bins", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 80_000_000_000 }),
        fc.integer({ min: 1000, max: 200_000 }),
        (offsetUs, stepUs) => {
          const silence = createSilence(FROM, TO);
          for (let index = 0; index < 20; index++) {
            silence.heard(FROM + offsetUs + index * stepUs);
            silence.changed(FROM + offsetUs + index * stepUs, `light.${index}`, `c${index}`);
          }
          const [span] = silence.finish();
          expect(span?.[0]).toBeLessThanOrEqual(FROM + offsetUs);
          expect(span?.[1]).toBeGreaterThanOrEqual(Math.min(TO, FROM + offsetUs + 60e6));
        },
      ),
    );
  });
});
