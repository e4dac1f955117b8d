import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isHearthlineError } from "../../lib/base/errors.ts";
import { floatSecondsToUs, formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return isHearthlineError(thrown) ? thrown.code : "not ours";
  }
};

describe("parseIsoUs", () => {
  it.each([
    ["2026-11-22T05:47:09.185382+00:00", 1_795_326_429_185_382],
    ["2026-11-22T05:47:09.185382Z", 1_795_326_429_185_382],
    ["2026-11-22 05:47:09.185382+00:00", 1_795_326_429_185_382],
    ["2026-11-22T07:17:09.185382+01:30", 1_795_326_429_185_382],
    ["2026-11-22T07:17:09.185382+0130", 1_795_326_429_185_382],
    ["2026-11-21T22:17:09.185382-07:30", 1_795_326_429_185_382],
    ["2026-11-22T05:47:09+00:00", 1_795_326_429_000_000],
    ["2026-11-22T05:47:09.1+00:00", 1_795_326_429_100_000],
    ["2026-11-22T05:47:09.185382999+00:00", 1_795_326_429_185_382],
    ["1970-01-01T00:00:00.000000+00:00", 0],
    ["1969-12-31T23:59:59.999999+00:00", -1],
    ["2024-02-29T00:00:00+00:00", 1_709_164_800_000_000],
    ["0099-12-31T00:00:00+00:00", -59_011_545_600_000_000],
    ["9999-12-31T23:59:59+00:00", 253_402_300_799_000_000],
  ])("reads %s", (text, us) => {
    expect(parseIsoUs(text)).toBe(us);
  });

  it.each([
    "",
    "2026-11-22",
    "2026-11-22T05:47:09",
    "2026-11-22T05:47+00:00",
    "2026-11-22T24:00:00+00:00",
    "2026-11-22T25:00:00+00:00",
    "2026-11-22T05:60:00+00:00",
    "2026-11-22T05:47:60+00:00",
    "2026-02-29T00:00:00+00:00",
    "2026-02-30T00:00:00+00:00",
    "2026-13-01T00:00:00+00:00",
    "2026-00-01T00:00:00+00:00",
    "2026-11-00T00:00:00+00:00",
    "2026-11-22T05:47:09.+00:00",
    "2026-11-22T05:47:09.1853820001+00:00",
    "2026-11-22T05:47:09+24:00",
    "2026-11-22T05:47:09+01:60",
    "2026-11-22T05:47:09 +00:00",
    " 2026-11-22T05:47:09+00:00",
    "2026-11-22T05:47:09+00:00\n",
    "+002026-11-22T05:47:09+00:00",
    "1795326429.185382",
    "unknown",
    "٢٠٢٦-11-22T05:47:09+00:00",
  ])("refuses %j", (text) => {
    expect(codeOf(() => parseIsoUs(text))).toBe("event_time_invalid");
  });

  it("quotes at most 40 characters of what it refuses", () => {
    expect(() => parseIsoUs("x".repeat(1_000))).toThrow(new RegExp(`"${"x".repeat(40)}"`));
  });
});

describe("formatIsoUs", () => {
  it.each([
    [1_795_326_429_185_382, "2026-11-22T05:47:09.185382+00:00"],
    [1_795_326_429_000_000, "2026-11-22T05:47:09.000000+00:00"],
    [1_795_326_429_000_007, "2026-11-22T05:47:09.000007+00:00"],
    [0, "1970-01-01T00:00:00.000000+00:00"],
    [-1, "1969-12-31T23:59:59.999999+00:00"],
  ])("writes %d as Home Assistant does", (us, text) => {
    expect(formatIsoUs(us)).toBe(text);
  });
});

describe("floatSecondsToUs", () => {
  const samples = join(import.meta.dirname, "../samples/home-assistant");
  const pairs = readdirSync(samples).flatMap((version) => {
    const files = readdirSync(join(samples, version)).filter((name) => name.includes("time-number-and-text"));
    return files.flatMap((name) => {
      const sample = JSON.parse(readFileSync(join(samples, version, name), "utf8")) as {
        pairs: { lu: number; last_updated: string; us: number }[];
      };
      return sample.pairs;
    });
  });

  it("agrees with what real Home Assistants wrote beside the number", () => {
    expect(pairs.length).toBeGreaterThan(20);
    expect(pairs.filter(({ lu, us }) => Math.round(lu * 1e6) !== us).length).toBeGreaterThan(0);
    for (const { lu, last_updated, us } of pairs) {
      expect(floatSecondsToUs(lu), last_updated).toBe(us);
      expect(parseIsoUs(last_updated)).toBe(us);
      expect(formatIsoUs(us)).toBe(last_updated);
    }
  });

  it.each([
    [0, 0],
    [0.5, 500_000],
    [-0.25, -250_000],
    [1_795_326_429, 1_795_326_429_000_000],
    // Ties: exactly half a microsecond, to the even neighbour.
    [1 / 2 ** 7 / 15_625, 0],
    [1.999_999_9, 2_000_000],
  ])("turns %d into %d", (seconds, us) => {
    expect(floatSecondsToUs(seconds)).toBe(us);
  });
});
