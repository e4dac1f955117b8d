import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodeBlock, openBlock } from "../../../lib/series/index.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";

describe("a block of events", () => {
  it("says what it holds before anything is decompressed", () => {
    const events = manyEvents(500);
    const bytes = encodeBlock(events);
    bytes.fill(0, 60, bytes.length - 5000);
    bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
    const block = openBlock(bytes);
    expect(block).toMatchObject({
      homeId: "home",
      count: 500,
      minUs: SOME_TIME_US,
      maxUs: SOME_TIME_US + 499 * 250_000,
    });
    expect(block.events({ toUs: SOME_TIME_US })).toEqual([]);
    expect(() => block.events()).toThrow(expect.objectContaining({ code: "store_damaged" }));
  });

  it("refuses a version that it does not know, and what is no block", () => {
    const bytes = encodeBlock([fullEvent]);
    bytes.writeUInt16LE(9, 2);
    expect(() => openBlock(bytes)).toThrow(/version 9, this program knows 1/);
    expect(() => openBlock(Buffer.from("SQLite format 3\0"))).toThrow(/does not begin as one/);
    expect(() => openBlock(Buffer.alloc(0))).toThrow(/ends too early/);
  });

  it("refuses events that would not come back", () => {
    expect(() => encodeBlock([])).toThrow(RangeError);
    expect(() => encodeBlock([buildEvent(), buildEvent({ homeId: "other" })])).toThrow(/got an event of home "other"/);
    expect(() => encodeBlock([buildEvent({ atUs: 1.5 })])).toThrow(/wanted are whole microseconds/);
  });

  it("takes few bytes for what repeats", () => {
    const events = manyEvents(5_000);
    // Ten bytes of each are the random half of a context id.
    expect(encodeBlock(events).length / events.length).toBeLessThan(18);
  });
});
