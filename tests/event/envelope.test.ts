import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ENVELOPE_MAX_RECORDS,
  ENVELOPE_VERSION,
  keyIdOf,
  openEnvelope,
  readEnvelope,
  relayRecordsSchema,
  sealEnvelope,
} from "../../lib/event/index.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";

const key = randomKey();
const sealing = { homeId: "home", relayId: "relay", key, first: 1, last: 1, sentAt: "2026-11-22T06:00:00Z" };
const code = (name: string) => expect.objectContaining({ code: name });

describe("envelope", () => {
  it("gives back the lines that were sealed, and says what it holds", () => {
    const envelope = readEnvelope(sealed([stateRecord(), stateRecord({ state: "off" })], { key, first: 7 }));
    expect(envelope).toMatchObject({
      v: 1,
      home_id: "home",
      relay_id: "relay",
      key_id: key.id,
      first: 7,
      last: 8,
      count: 2,
    });
    expect(openEnvelope(envelope, key).map((line) => JSON.parse(line).n)).toEqual([7, 8]);
  });

  it("needs no sequence for records that no relay numbered", () => {
    const text = sealEnvelope([{ n: 0 }, { n: 0 }], { ...sealing, first: 0, last: 0 });
    expect(openEnvelope(readEnvelope(text), key)).toHaveLength(2);
  });

  it.each([
    ["", "envelope_malformed"],
    ["no JSON", "envelope_malformed"],
    ["null", "envelope_malformed"],
    ["[]", "envelope_malformed"],
    ["{}", "envelope_malformed"],
    ['{"v":"1"}', "envelope_malformed"],
    ['{"v":2}', "envelope_version_unknown"],
    ['{"v":0,"home_id":"home"}', "envelope_version_unknown"],
    [`{"v":1,"home_id":"${"h".repeat(65)}"}`, "envelope_malformed"],
    ["[".repeat(100_000), "envelope_malformed"],
  ])("refuses %.40s", (text, wanted) => {
    expect(() => readEnvelope(text)).toThrow(code(wanted));
  });

  it("refuses another home's key", () => {
    expect(() => openEnvelope(readEnvelope(sealed([stateRecord()], { key })), randomKey())).toThrow(
      code("envelope_signature_wrong"),
    );
  });

  it("refuses no record, too many records, and a count or sequence that is not that of its records", () => {
    const opened = (records: number, first: number, last: number) => () =>
      openEnvelope(readEnvelope(sealEnvelope(Array(records).fill({ n: 1 }), { ...sealing, first, last })), key);
    expect(opened(0, 0, 0)).toThrow(code("envelope_empty"));
    expect(opened(10_000, 1, 10_000)).toThrow(code("envelope_too_many_records"));
    expect(opened(ENVELOPE_MAX_RECORDS, 1, ENVELOPE_MAX_RECORDS)()).toHaveLength(ENVELOPE_MAX_RECORDS);
    expect(opened(3, 1, 2)).toThrow(code("envelope_count_wrong"));
    expect(opened(2, 5, 4)).toThrow(code("envelope_count_wrong"));
    expect(opened(2, 0, 2)).toThrow(code("envelope_count_wrong"));
    // Numbers begin at 1: the ledger would never be complete.
    expect(opened(3, 0, 2)).toThrow(code("envelope_count_wrong"));
  });
});

describe("envelopes of every version that was ever sent", () => {
  // The key of the samples is 32 bytes of 0x07; the files are never written again.
  const secret = Buffer.alloc(32, 7);
  const folder = new URL("../samples/envelopes/", import.meta.url);
  const samples = readdirSync(folder).filter((name) => name.endsWith(".json"));

  it("has a sample of the present version", () => {
    expect(samples).toContain(`envelope-${ENVELOPE_VERSION}.json`);
  });

  it.each(samples)("%s is still read to the same records", (name) => {
    const { message, records } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    const lines = openEnvelope(readEnvelope(message), { id: keyIdOf(secret), secret });
    const read = lines.map((line) => relayRecordsSchema.parse(JSON.parse(line)));
    expect(read).toEqual(records);
  });
});
