import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isHearthlineError } from "../../lib/base/errors.ts";
import { keyIdOf, openEnvelope, readEnvelope, sealEnvelope } from "../../lib/event/index.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";

const key = randomKey();

describe("every envelope", () => {
  it("gives back what was sealed", () => {
    const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const records = fc.array(fc.jsonValue(), { minLength: 1, maxLength: 30 });
    const id = fc.string({ minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(
        records,
        secret,
        id,
        id,
        fc.integer({ min: 1, max: 1e12 }),
        (values, bytes, homeId, relayId, first) => {
          const own = { id: keyIdOf(Buffer.from(bytes)), secret: Buffer.from(bytes) };
          const last = first + values.length - 1;
          const text = sealEnvelope(values, { homeId, relayId, key: own, first, last, sentAt: "now" });
          const envelope = readEnvelope(text);
          expect(envelope).toMatchObject({ home_id: homeId, relay_id: relayId, first, last });
          expect(openEnvelope(envelope, own)).toEqual(values.map((value) => JSON.stringify(value)));
        },
      ),
    );
  });

  it("is refused, or reads the same, with any one byte of it changed", () => {
    const text = sealed([stateRecord(), stateRecord({ state: "off" })], { key });
    const bytes = Buffer.from(text);
    const wanted = openEnvelope(readEnvelope(text), key);
    const positions = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(positions, ([at, flip]) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        const outcome = read(changed.toString("utf8"));
        // Only the hex of the signature may be written in another case; everything else that is read is signed.
        if (outcome !== "refused") expect(outcome).toEqual(wanted);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is refused with any one byte of its body, ids, sequence or count changed, for every single byte", () => {
    const text = sealed([stateRecord()], { key });
    const macAt = text.indexOf('"mac"');
    for (let at = 0; at < macAt; at++) {
      const changed = Buffer.from(text);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect([at, read(changed.toString("utf8"))]).toEqual([at, "refused"]);
    }
  });

  it("never throws anything but an error of ours, whatever the message is", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void read(text)));
  });
});

function read(text: string): readonly string[] | "refused" {
  try {
    return openEnvelope(readEnvelope(text), key);
  } catch (thrown) {
    if (!isHearthlineError(thrown)) throw thrown;
    expect(thrown.fate).toBe("dead-letter");
    return "refused";
  }
}
