import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareEvents, type HomeEvent, naturalKey, rankOf } from "../../lib/event/index.ts";
import { mergeRuns } from "../../lib/series/index.ts";
import { anyEvent, manyEvents } from "../support/events.ts";

const runs = fc.array(
  fc.array(
    anyEvent.map((event) => ({ ...event, homeId: "home" })),
    { maxLength: 30 },
  ),
  { maxLength: 9 },
);

describe("merged runs", () => {
  it("are what writing one run after the other would leave", () =>
    fc.assert(
      fc.property(runs, (unsorted) => {
        // Stable: of one key the later one stays the later.
        const sorted = unsorted.map((run) => [...run].sort(compareEvents));
        const model = new Map<string, HomeEvent>();
        for (const event of sorted.flat()) {
          const there = model.get(naturalKey(event));
          if (!there || rankOf(event) >= rankOf(there)) model.set(naturalKey(event), event);
        }
        expect(mergeRuns(sorted)).toStrictEqual([...model.values()].sort(compareEvents));
      }),
      { numRuns: 300 },
    ));

  it("leave the runs as they were, and cost little however many there are", () => {
    const events = manyEvents(20_000);
    const many = Array.from({ length: 1_000 }, (_, run) => events.filter((_, index) => index % 1_000 === run));
    const before = many.map((run) => [...run]);
    expect(mergeRuns(many)).toEqual(events);
    expect(many).toEqual(before);
    expect(mergeRuns([])).toEqual([]);
  });
});
