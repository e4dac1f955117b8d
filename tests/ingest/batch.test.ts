import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BATCH_MAX_BYTES, packBatch, unpackBatch } from "../../lib/ingest/index.ts";

const valuesOf = (bodies: readonly string[]) =>
  bodies.flatMap((body) => unpackBatch(body).lines.map((line) => JSON.parse(line)));
const noise = (bytes: number) => randomBytes(bytes).toString("base64");

describe("batch", () => {
  it("is no message at all for no values", () => {
    expect(packBatch({ homeId: "home" }, [])).toEqual([]);
  });

  it("is one message as long as it fits, with its home and count", () => {
    const [body = "", ...more] = packBatch({ homeId: "home" }, [{ a: 1 }, { a: 2 }]);
    expect(more).toEqual([]);
    expect(JSON.parse(body)).toMatchObject({ v: 1, home_id: "home", count: 2 });
    expect(unpackBatch(body)).toEqual({ homeId: "home", lines: ['{"a":1}', '{"a":2}'] });
  });

  it("keeps within a billing unit of 64 KiB, and fills it well", () => {
    const values = Array.from({ length: 2_000 }, (_, n) => ({ n, text: noise(150) }));
    const bodies = packBatch({ homeId: "home" }, values);
    expect(valuesOf(bodies)).toEqual(values);
    for (const body of bodies) expect(body.length).toBeLessThanOrEqual(BATCH_MAX_BYTES);
    const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
    expect(bytes / (bodies.length * BATCH_MAX_BYTES)).toBeGreaterThan(0.7);
  });

  it("sends a value that is larger alone, up to what a message takes", () => {
    const values = [{ n: 1 }, { n: 2, text: noise(300_000) }, { n: 3 }];
    const bodies = packBatch({ homeId: "home" }, values);
    expect(valuesOf(bodies)).toEqual(values);
    expect(bodies.filter((body) => body.length > BATCH_MAX_BYTES)).toHaveLength(1);
    expect(() => packBatch({ homeId: "home" }, [{ text: noise(1_000_000) }])).toThrow(
      expect.objectContaining({ code: "event_too_large" }),
    );
  });

  it("never lets a message unfold to more than a function can take, however well it packs", () => {
    const values = Array.from({ length: 30 }, (_, n) => ({ n, text: "x".repeat(500_000) }));
    const bodies = packBatch({ homeId: "home" }, values);
    expect(valuesOf(bodies)).toEqual(values);
    for (const body of bodies) {
      const length = unpackBatch(body).lines.reduce((sum, line) => sum + line.length, 0);
      expect(length).toBeLessThanOrEqual(2 * 1024 * 1024);
    }
  });

  it.each([
    ["no JSON", "envelope_malformed"],
    ["{}", "envelope_malformed"],
    ['{"v":2,"home_id":"home","count":0,"body":""}', "envelope_malformed"],
    ['{"v":1,"home_id":"home","count":1,"body":"AAAA"}', "envelope_body_broken"],
  ])("refuses %s", (body, code) => {
    expect(() => unpackBatch(body)).toThrow(expect.objectContaining({ code }));
  });

  it("refuses a count that is not that of its lines", () => {
    const body = JSON.stringify({ ...JSON.parse(packBatch({ homeId: "home" }, [1, 2])[0] ?? ""), count: 3 });
    expect(() => unpackBatch(body)).toThrow(expect.objectContaining({ code: "envelope_count_wrong" }));
  });

  it("keeps every value in order, within any bound that a single one fits", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 60 }),
        fc.integer({ min: 400, max: 2_000 }),
        (values, max) => {
          const bodies = packBatch({ homeId: "home" }, values, max);
          expect(valuesOf(bodies)).toEqual(JSON.parse(JSON.stringify(values)));
          for (const body of bodies) expect(body.length <= max || unpackBatch(body).lines.length === 1).toBe(true);
        },
      ),
    );
  });
});
