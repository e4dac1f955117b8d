import fc from "fast-check";
import { expect, it } from "vitest";
import { isHearthlineError } from "../../lib/base/errors.ts";
import { packLines, unpackLines } from "../../lib/event/index.ts";

it("packing keeps every value, in order", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 50 }), (values) => {
      expect(unpackLines(packLines(values)).map((line) => JSON.parse(line))).toEqual(
        JSON.parse(JSON.stringify(values)),
      );
    }),
  );
});

it("any text as a body is refused with an error of ours, or unfolds to text", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (body) => {
      try {
        unpackLines(body);
      } catch (thrown) {
        expect(isHearthlineError(thrown)).toBe(true);
      }
    }),
  );
});
