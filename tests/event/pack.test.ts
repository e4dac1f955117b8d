import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { packLines, packTextLines, UNPACKED_MAX_BYTES, unpackLines } from "../../lib/event/index.ts";

describe("pack", () => {
  it("carries nothing, one line and many", () => {
    expect(unpackLines(packLines([]))).toEqual([]);
    expect(unpackLines(packLines([{ a: 1 }]))).toEqual(['{"a":1}']);
    expect(unpackLines(packTextLines(["no JSON", '{"a":"\\u0000"}']))).toEqual(["no JSON", '{"a":"\\u0000"}']);
  });

  it("refuses what is not zstd, or cut short, with one code", () => {
    const whole = Buffer.from(packLines([{ text: "x".repeat(500) }, { n: Math.PI }]), "base64");
    for (const bytes of [
      Buffer.from("hello"),
      Buffer.alloc(0),
      whole.subarray(0, -1),
      whole.subarray(0, 8),
      whole.subarray(1),
    ]) {
      expect(() => unpackLines(bytes.toString("base64"))).toThrow(
        expect.objectContaining({ code: "envelope_body_broken" }),
      );
    }
  });

  it("refuses a bomb before it has unfolded", () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024, "[")).toString("base64");
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => unpackLines(bomb)).toThrow(expect.objectContaining({ code: "envelope_too_large" }));
  });

  it("takes what unfolds to exactly the limit", () => {
    expect(unpackLines(packTextLines(["x".repeat(UNPACKED_MAX_BYTES)]))[0]).toHaveLength(UNPACKED_MAX_BYTES);
    expect(() => unpackLines(packTextLines(["x".repeat(UNPACKED_MAX_BYTES + 1)]))).toThrow(
      expect.objectContaining({ code: "envelope_too_large" }),
    );
  });
});
