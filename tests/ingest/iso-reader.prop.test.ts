import fc from "fast-check";
import { expect, it } from "vitest";
import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { createIsoReader } from "../../lib/ingest/iso-reader.ts";

const outcome = (read: (text: string) => number, text: string): unknown => {
  try {
    return read(text);
  } catch (thrown) {
    return thrown;
  }
};

/** Around one midnight, so that a remembered day is met again, and with damage at one place. */
const text = fc
  .tuple(
    fc.integer({ min: -2e11, max: 2e11 }),
    fc.option(fc.tuple(fc.nat({ max: 31 }), fc.constantFrom(..."0369 -:.TZ+"))),
  )
  .map(([us, damage]) => {
    const usual = formatIsoUs(Date.UTC(2026, 1, 28) * 1000 + us);
    return damage ? usual.slice(0, damage[0]) + damage[1] + usual.slice(damage[0] + 1) : usual;
  });
const other = fc.constantFrom(
  "",
  "2026-11-22T05:47:09+00:00",
  "2026-11-22T05:47:09.1+01:00",
  "2026-02-30T00:00:00.000000+00:00",
  "9999-12-31T23:59:59.999999+00:00",
);

it("reads and refuses exactly what parseIsoUs does, in any order of texts", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: text }, other), { maxLength: 20 }), (texts) => {
      const read = createIsoReader();
      for (const one of texts) expect(outcome(read, one)).toEqual(outcome(parseIsoUs, one));
    }),
    { numRuns: 500 },
  );
});
