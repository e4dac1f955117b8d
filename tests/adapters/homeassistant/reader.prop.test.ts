import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCommands } from "../../../lib/adapters/homeassistant/commands.ts";
import type { HaProblem } from "../../../lib/adapters/homeassistant/problem.ts";
import { createReader } from "../../../lib/adapters/homeassistant/reader.ts";
import type { HaEvent } from "../../../lib/relay/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";

const SUBSCRIPTION = 7;
const good = (count: number) => ({
  id: SUBSCRIPTION,
  type: "event",
  event: {
    event_type: "state_changed",
    data: { entity_id: `sensor.a${count}` },
    origin: "LOCAL",
    time_fired: "2026-11-22T05:47:09.185382+00:00",
    context: { id: "c" },
  },
});

function reading() {
  const seen: unknown[] = [];
  const problems: HaProblem[] = [];
  const take = ({ data }: HaEvent) => seen.push(data.entity_id);
  const commands = createCommands({ send: () => {}, clock: manualClock(), deadlineMs: 1_000 });
  const reader = createReader({
    commands,
    subscriptions: new Map([[SUBSCRIPTION, take]]),
    report: (problem) => problems.push(problem),
    redact: (text) => text,
  });
  return { reader, seen, problems };
}

/** A message that is no event of ours, whatever else it is. */
const junk = fc
  .jsonValue({ maxDepth: 3 })
  .filter(
    (value) => !(typeof value === "object" && value !== null && !Array.isArray(value) && value.id === SUBSCRIPTION),
  );
const broken = fc.constantFrom(
  { id: SUBSCRIPTION, type: "event" },
  { id: SUBSCRIPTION, type: "event", event: { ...good(0).event, data: null } },
  { id: SUBSCRIPTION, type: "result" },
);
const noise = fc.oneof(junk, broken);

describe("reading frames", () => {
  it("takes each good event once and in order, however they are packed and whatever stands between them", () => {
    const step = fc.record({
      before: fc.array(noise, { maxLength: 2 }),
      isNewFrame: fc.boolean(),
      rubbish: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { reader, seen } = reading();
        let frame: unknown[] = [];
        const flush = () => {
          // One message may come bare or as a list of one.
          const bare = frame.length === 1 && !Array.isArray(frame[0]) ? frame[0] : frame;
          if (frame.length > 0) reader.read(Buffer.from(JSON.stringify(bare)), false);
          frame = [];
        };
        steps.forEach(({ before, isNewFrame, rubbish }, count) => {
          frame.push(...before, good(count));
          if (isNewFrame) flush();
          if (isNewFrame && rubbish) reader.read(Buffer.from(rubbish), rubbish.length % 2 === 0);
        });
        flush();
        expect(seen).toEqual(steps.map((_step, count) => `sensor.a${count}`));
      }),
      { numRuns: 500 },
    );
  });

  it("never throws and never takes what is no event of ours", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
      noise.map((value) => new TextEncoder().encode(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(bytes, fc.boolean(), (frame, isBinary) => {
        const { reader, seen } = reading();
        expect(() => reader.read(Buffer.from(frame), isBinary)).not.toThrow();
        expect(seen).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes a frame that is nested a hundred thousand deep", () => {
    const { reader, seen, problems } = reading();
    reader.read(Buffer.from("[".repeat(100_000) + "]".repeat(100_000)), false);
    reader.read(Buffer.from(JSON.stringify(good(1))), false);
    expect(problems).toHaveLength(1);
    expect(seen).toEqual(["sensor.a1"]);
  });
});
