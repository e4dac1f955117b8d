import * as fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import { isHearthlineError } from "../../lib/base/errors.ts";
import { floatSecondsToUs, formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";

const RUNS = { numRuns: 5_000 };
const exactUs = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
/** What a home's clock shows: from 2001 to 2100, in seconds. */
const SOME_SECONDS = { min: 1e9, max: 4_102_444_800 };
const seconds = fc.double({ ...SOME_SECONDS, noNaN: true });

/** The value of a float in microseconds, exactly, rounded half to even: integers only. */
function exactly(value: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = (raw >> 52n) & 0x7ffn;
  const mantissa = (raw & 0xf_ffff_ffff_ffffn) | 0x10_0000_0000_0000n;
  // value = mantissa * 2^(exponent - 1075); for our range the power is negative.
  const divisor = 1n << (1075n - exponent);
  const product = mantissa * 1_000_000n;
  const floor = product / divisor;
  const twice = (product - floor * divisor) * 2n;
  const isUp = twice > divisor || (twice === divisor && floor % 2n === 1n);
  return Number(isUp ? floor + 1n : floor);
}

describe("times", () => {
  it("come back the same from text, whatever the microsecond", () => {
    fc.assert(
      fc.property(exactUs, (us) => {
        const text = formatIsoUs(us);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
        expect(parseIsoUs(text)).toBe(us);
      }),
      RUNS,
    );
  });

  it("sort as text as they sort as numbers", () => {
    fc.assert(
      fc.property(exactUs, exactUs, (a, b) => {
        expect(formatIsoUs(a) < formatIsoUs(b)).toBe(a < b);
      }),
      RUNS,
    );
  });

  it("are read as Temporal reads them, with any offset and any number of decimals", () => {
    const offset = fc
      .tuple(fc.constantFrom("+", "-"), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map(([sign, hours, minutes]) => `${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`);
    const decimals = fc.option(fc.stringMatching(/^[0-9]{1,9}$/), { nil: undefined });
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1700, 0), max: Date.UTC(2254, 0) }),
        decimals,
        fc.oneof(offset, fc.constant("Z")),
        (ms, fraction, zone) => {
          const wall = new Date(ms).toISOString().slice(0, 19);
          const text = `${wall}${fraction === undefined ? "" : `.${fraction}`}${zone}`;
          const nanoseconds = Temporal.Instant.from(text).epochNanoseconds;
          const cut = Number((nanoseconds - (((nanoseconds % 1000n) + 1000n) % 1000n)) / 1000n);
          expect(parseIsoUs(text)).toBe(cut);
        },
      ),
      RUNS,
    );
  });

  it("that are not times are refused with a code, never with another error", () => {
    const nearly = fc
      .tuple(exactUs, fc.integer({ min: 0, max: 31 }), fc.string({ maxLength: 3 }))
      .map(([us, at, change]) => {
        const text = formatIsoUs(us);
        return text.slice(0, at) + change + text.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        try {
          expect(Number.isFinite(parseIsoUs(text))).toBe(true);
        } catch (thrown) {
          if (!isHearthlineError(thrown)) throw thrown;
          expect(thrown.code).toBe("event_time_invalid");
        }
      }),
      RUNS,
    );
  });
});

describe("float seconds", () => {
  it("become the microseconds of their exact value, half to even", () => {
    fc.assert(
      fc.property(seconds, (value) => {
        expect(floatSecondsToUs(value)).toBe(exactly(value));
      }),
      { numRuns: 20_000 },
    );
  });

  it("on a tie go to the even neighbour", () => {
    // 2^-7 of a microsecond's 15625 parts: n + 1/2 microseconds is a float only for such fractions.
    fc.assert(
      fc.property(fc.integer(SOME_SECONDS), fc.integer({ min: 0, max: 63 }), (whole, part) => {
        const value = whole + (2 * part + 1) / 128;
        const floor = whole * 1e6 + (2 * part + 1) * 7812 + Math.floor((2 * part + 1) / 2);
        expect((floor + 0.5 - whole * 1e6) / 1e6).toBe(value - whole);
        expect(floatSecondsToUs(value)).toBe(floor % 2 === 0 ? floor : floor + 1);
      }),
      RUNS,
    );
  });

  it("that Python made from whole microseconds come back as those", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1e15, max: 4_102_444_800_000_000 }), (us) => {
        expect(floatSecondsToUs(us / 1e6)).toBe(us);
      }),
      RUNS,
    );
  });

  it("never go back when the seconds go on", () => {
    fc.assert(
      fc.property(seconds, seconds, (a, b) => {
        fc.pre(a <= b);
        expect(floatSecondsToUs(a)).toBeLessThanOrEqual(floatSecondsToUs(b));
      }),
      RUNS,
    );
  });
});
