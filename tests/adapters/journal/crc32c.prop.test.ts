import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c } from "../../../lib/adapters/journal/crc32c.ts";

/** The definition, bit by bit. */
function slowly(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe("crc32c", () => {
  // The check value, and the examples of RFC 3720, B.4.
  it.each([
    [Buffer.from("123456789"), 0xe3069283],
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    [Buffer.alloc(0), 0],
  ])("of %o", (bytes, wanted) => {
    expect(crc32c(bytes)).toBe(wanted);
  });

  it("is what the definition says, for any part of any buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), fc.nat(100), (bytes, from, length) => {
        const [start, end] = [Math.min(from, bytes.length), Math.min(bytes.length, from + length)];
        expect(crc32c(bytes, start, end)).toBe(slowly(bytes.subarray(start, end)));
      }),
    );
  });
});
