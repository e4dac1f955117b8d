import { describe, expect, it } from "vitest";
import { relayRecordsSchema } from "../../lib/event/index.ts";
import { removedRecord, stateRecord } from "../support/records.ts";

const loss = { n: 9, t: "loss", first: 1, last: 8, count: 8, reason: "full", from: "2026", to: "2026" };
const relay = {
  n: 1,
  t: "relay",
  at: "2026-11-22T06:00:00Z",
  connected: true,
  since: "2026-11-22T05:00:00Z",
  spool_bytes: 0,
  spool_records: 0,
  oldest_seconds: 0,
  rejected: 0,
};

describe("records", () => {
  it("takes each kind and leaves out members that it does not know", () => {
    for (const record of [stateRecord(), removedRecord(), loss, relay]) {
      expect(relayRecordsSchema.parse({ ...record, since_version_9: true })).toEqual(record);
    }
  });

  it.each([
    ["no number", { ...stateRecord(), n: undefined }],
    ["a number of -1", { ...stateRecord(), n: -1 }],
    ["a fraction as number", { ...stateRecord(), n: 1.5 }],
    ["an unknown type", { ...stateRecord(), t: "stat" }],
    ["an unknown kind", { ...stateRecord(), kind: "changed" }],
    ["a state that is a number", { ...stateRecord(), state: 21 }],
    ["attributes that are a list", { ...stateRecord(), attributes: [] }],
    ["a time that is a number", { ...stateRecord(), last_updated: 1_700_000_000 }],
    ["no context", { ...stateRecord(), context: undefined }],
    ["a removal without its time", { ...removedRecord(), time_fired: undefined }],
    ["a loss of nothing", { ...loss, count: 0 }],
    ["nothing", null],
    ["a text", "record"],
  ])("refuses %s", (_, record) => {
    expect(relayRecordsSchema.safeParse(record).success).toBe(false);
  });
});
