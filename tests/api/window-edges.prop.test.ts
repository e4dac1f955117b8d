import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WINDOWS, windowEdges } from "../../lib/api/window-edges.ts";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { localTimeOf } from "../../lib/base/zone.ts";

const HOUR_US = 3_600_000_000;
const ZONES = [
  "UTC",
  "Europe/Amsterdam",
  "America/St_Johns",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "America/Sao_Paulo",
  "Pacific/Apia",
  "Africa/Casablanca",
];

const localEdges = (from: string, to: string, name: (typeof WINDOWS)[number], zone: string) =>
  windowEdges({ fromUs: parseIsoUs(from), toUs: parseIsoUs(to) }, name, zone).map((edge) =>
    localTimeOf(edge, zone).text.replace(".000000", ""),
  );

describe("the edges of windows", () => {
  it("begin and end as asked and ascend; between them the local clock shows a whole hour, five minutes or midnight, or has just changed", () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.constantFrom(...WINDOWS),
        fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2030, 0, 1) }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(999),
        (zone, name, startMs, count, micro) => {
          const lengthUs = { "5m": HOUR_US / 12, "1h": HOUR_US, "1d": 24 * HOUR_US }[name];
          const span = { fromUs: startMs * 1000 + micro, toUs: startMs * 1000 + count * lengthUs };
          fc.pre(span.fromUs < span.toUs);
          const edges = windowEdges(span, name, zone);
          expect([edges[0], edges.at(-1)]).toEqual([span.fromUs, span.toUs]);
          expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
          expect(edges.length).toBeLessThan(count + 30);
          for (const edge of edges.slice(1, -1)) {
            const text = localTimeOf(edge, zone).text;
            const before = localTimeOf(edge - 1, zone).text;
            const pattern = { "5m": /:[0-5][05]:00\.000000/, "1h": /:00:00\.000000/, "1d": /T00:00:00\.000000/ }[name];
            const hasChanged = text.slice(-6) !== before.slice(-6);
            expect(pattern.test(text) || hasChanged, `${text} after ${before}`).toBe(true);
          }
          // No window is longer than its name says, but for a clock that is set back.
          for (const [at, edge] of edges.entries()) {
            const next = edges[at + 1] ?? edge;
            expect(next - edge).toBeLessThanOrEqual(
              lengthUs + 25 * HOUR_US * (name === "1d" ? 1 : 0) + (name === "1h" ? HOUR_US : 0),
            );
          }
        },
      ),
      { numRuns: 300 },
    ));

  it("are 23 hours of the day on which the clocks go forward, and 25 where they go back", () => {
    const zone = "Europe/Amsterdam";
    const forward = localEdges("2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", "1h", zone);
    expect(forward).toHaveLength(24);
    expect(forward.slice(1, 4)).toEqual([
      "2026-03-29T01:00:00+01:00",
      "2026-03-29T03:00:00+02:00",
      "2026-03-29T04:00:00+02:00",
    ]);
    const back = localEdges("2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", "1h", zone);
    expect(back).toHaveLength(26);
    expect(back.slice(2, 5)).toEqual([
      "2026-10-25T02:00:00+02:00",
      "2026-10-25T02:00:00+01:00",
      "2026-10-25T03:00:00+01:00",
    ]);
    expect(localEdges("2026-10-24T12:00:00+02:00", "2026-10-26T12:00:00+01:00", "1d", zone)).toEqual([
      "2026-10-24T12:00:00+02:00",
      "2026-10-25T00:00:00+02:00",
      "2026-10-26T00:00:00+01:00",
      "2026-10-26T12:00:00+01:00",
    ]);
  });

  it("keep to whole local hours where the clock goes by half an hour", () => {
    expect(localEdges("2026-04-05T00:00:00+11:00", "2026-04-05T04:00:00+10:30", "1h", "Australia/Lord_Howe")).toEqual([
      "2026-04-05T00:00:00+11:00",
      "2026-04-05T01:00:00+11:00",
      "2026-04-05T01:30:00+10:30",
      "2026-04-05T02:00:00+10:30",
      "2026-04-05T03:00:00+10:30",
      "2026-04-05T04:00:00+10:30",
    ]);
  });

  it("skip a midnight and a day that the clock never shows", () => {
    const days = localEdges("2018-11-03T12:00:00-03:00", "2018-11-05T12:00:00-02:00", "1d", "America/Sao_Paulo");
    expect(days.slice(1, -1)).toEqual(["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]);
    const apia = localEdges("2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00", "1d", "Pacific/Apia");
    expect(apia.slice(1, -1)).toEqual(["2011-12-31T00:00:00+14:00"]);
  });

  it("have one window when all is within one", () => {
    const span = { fromUs: parseIsoUs("2026-11-22T05:01:00Z"), toUs: parseIsoUs("2026-11-22T05:02:00Z") };
    expect(windowEdges(span, "5m", "UTC").map(formatIsoUs)).toEqual([span.fromUs, span.toUs].map(formatIsoUs));
  });
});
