import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { realPageClient } from "../../support/page-home.ts";

const MAX_BYTES = 100_000;
const MAX_GZIPPED_BYTES = 30_000;

describe("the page's client", () => {
  it("is one small script that loads nothing, and says whose it is", async () => {
    const { text } = await realPageClient();
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_BYTES);
    expect(gzipSync(text).length).toBeLessThan(MAX_GZIPPED_BYTES);
    expect(text).toMatch(/^\/\*! Holds Preact: MIT License/);
    // Without the text itself in the message: it is long. The one address in it is the name of SVG.
    expect(text.match(/\bimport\s*\(|https?:\/\/(?!www\.w3\.org\/).{0,40}|\beval\(|new Function/g)).toBeNull();
  });
});
