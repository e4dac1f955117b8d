import { describe, expect, it } from "vitest";
import { openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import { createEnvelopePacker } from "../../lib/relay/pack.ts";
import type { Packed } from "../../lib/relay/ports.ts";
import { manualClock } from "../support/manual-clock.ts";
import { stateRecord } from "../support/relay-records.ts";
import { KEY } from "./fakes.ts";

const packer = () => createEnvelopePacker({ homeId: "home", relayId: "r", key: KEY, clock: manualClock() });
const textOf = (packed: Packed): string => {
  if (!packed.fits) throw new Error("does not fit");
  return packed.message.pieces[0]?.text ?? "";
};
const spooled = (n: number) => ({ n, appendedAtMs: 0, line: JSON.stringify({ n, ...stateRecord(`e${n}`) }) });

describe("a message", () => {
  it("ends before a hole in the numbers", () => {
    expect(packer().pack([1, 2, 5, 6].map(spooled))).toMatchObject({
      fits: true,
      count: 2,
      message: { first: 1, last: 2 },
    });
    expect(packer().pack([5, 6].map(spooled))).toMatchObject({ fits: true, count: 2, message: { first: 5, last: 6 } });
  });

  it("holds at most 5,000 records", () => {
    const records = Array.from({ length: 6_000 }, (_, index) => spooled(index + 1));
    const one = packer();
    // Learns that these compress very well.
    one.pack(records.slice(0, 2_000));
    expect(one.targetBytes).toBeGreaterThan(1_500_000);
    expect(one.pack(records)).toMatchObject({ fits: true, count: 5_000 });
  });

  it("unfolds to no more than enrich takes, also of characters that take three bytes and compress very well", () => {
    const records = Array.from({ length: 300 }, (_, index) => ({
      n: index + 1,
      appendedAtMs: 0,
      line: JSON.stringify({ n: index + 1, title: "温".repeat(20_000) }),
    }));
    const one = packer();
    for (let first = 0; first < records.length; ) {
      const packed = one.pack(records.slice(first));
      if (!packed.fits) throw new Error("does not fit");
      expect(openEnvelope(readEnvelope(textOf(packed)), KEY)).toHaveLength(packed.count);
      first += packed.count;
    }
  });

  it("opens with the home's key and says what is in it", () => {
    const packed = packer().pack([7, 8].map(spooled));
    const envelope = readEnvelope(textOf(packed));
    expect(envelope).toMatchObject({ home_id: "home", relay_id: "r", key_id: KEY.id, first: 7, last: 8, count: 2 });
    expect(openEnvelope(envelope, KEY)).toEqual([spooled(7).line, spooled(8).line]);
  });
});
