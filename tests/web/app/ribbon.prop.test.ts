import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toWireEvent } from "../../../lib/event/index.ts";
import { mergedLane, stretchesOf } from "../../../lib/web/app/ribbon.ts";
import { buildEvent } from "../../support/events.ts";

const FROM_MS = 1_000_000;
const LENGTH_MS = 10_000;

const changes = fc
  .uniqueArray(fc.integer({ min: 0, max: LENGTH_MS - 1 }), { maxLength: 20 })
  .chain((times) => fc.tuple(fc.constant(times), fc.boolean()));

describe("stretches of time", () => {
  it("hold exactly the moments at which it was on, whatever the order of the events", () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 0, max: LENGTH_MS - 1 }), ([times, wasOn], probe) => {
        const ordered = times.toSorted((a, b) => a - b);
        const isOnAfter = (index: number) => (index % 2 === 0) !== wasOn;
        const events = times.map((at) => {
          const index = ordered.indexOf(at);
          const [state, oldState] = isOnAfter(index) ? ["on", "off"] : ["off", "on"];
          return toWireEvent(buildEvent({ atUs: (FROM_MS + at) * 1000, state, oldState }));
        });
        const stretches = stretchesOf(events, { fromMs: FROM_MS, toMs: FROM_MS + LENGTH_MS });
        const last = ordered.findLastIndex((at) => at <= probe);
        const expected = times.length > 0 && (last < 0 ? wasOn : isOnAfter(last));
        const isOn = stretches.some(({ fromMs, toMs }) => fromMs <= FROM_MS + probe && FROM_MS + probe < toMs);
        expect(isOn).toBe(expected);
      }),
    );
  });

  it("of a lane are merged: none touches the next, and together they cover what its entities cover", () => {
    const stretch = fc
      .tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 100 }))
      .map(([fromMs, lasts]) => ({ fromMs, toMs: fromMs + lasts }));
    fc.assert(
      fc.property(fc.array(fc.array(stretch, { maxLength: 5 }), { maxLength: 5 }), (entities) => {
        const tracks = entities.map((stretches, index) => ({
          ...{ entityId: `light.${index}`, name: "", lane: "light" as const },
          ...{ stretches, totalMs: 0 },
        }));
        const { stretches, totalMs } = mergedLane(tracks, "light");
        const covered = new Set(
          entities.flat().flatMap(({ fromMs, toMs }) => Array.from({ length: toMs - fromMs }, (_, at) => fromMs + at)),
        );
        expect(totalMs).toBe(covered.size);
        expect(stretches.every(({ fromMs }, index) => index === 0 || fromMs > (stretches[index - 1]?.toMs ?? 0))).toBe(
          true,
        );
      }),
    );
  });
});
