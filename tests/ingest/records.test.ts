import { describe, expect, it } from "vitest";
import { seededRandom } from "../../lib/base/random.ts";
import { formatIsoUs } from "../../lib/base/time.ts";
import { EARLIEST_EVENT_US, RECORD_MAX_BYTES, readRecords } from "../../lib/ingest/index.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { removedRecord, stateRecord } from "../support/records.ts";

const times = { fromUs: EARLIEST_EVENT_US, toUs: SOME_TIME_US + 86_400e6 };
const read = (...values: unknown[]) => {
  const lines = values.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  return readRecords(lines, { first: 0, last: 0, times });
};
const at = (text: string) => ({ last_updated: text, last_changed: text });
const deep = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`);
const loss = { n: 9, t: "loss", first: 1, last: 8, count: 8, reason: "full", from: "2026", to: "2026" };
const gap = {
  ...{ n: 9, t: "gap", cause: "disconnected", entities: 3, recovered: 12, statistics: 0, complete: false },
  ...{ from: formatIsoUs(SOME_TIME_US - 6e8), to: formatIsoUs(SOME_TIME_US) },
  missing: [{ reason: "not_recorded", entities: 1, examples: ["light.a"] }],
};
const registry = {
  n: 2,
  t: "registry",
  registry: "areas",
  revision: Math.floor(times.toUs / 1000),
  part: 1,
  parts: 1,
  rows: [],
};
const homeFacts = { n: 2, t: "home", revision: 1, location_name: "Home", time_zone: "UTC", version: "2026.11.0" };
const status = { spool_bytes: 0, spool_records: 0, oldest_seconds: 0, rejected: 0 };
const relay = { n: 2, t: "relay", at: formatIsoUs(SOME_TIME_US), connected: true, since: "2026-11-22", ...status };
const deepText = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
/** As far from what can be packed as text gets: three bytes a character, and no pattern in them. */
const unpackable = (length: number) => {
  const random = seededRandom(7);
  return Array.from({ length }, () => String.fromCharCode(0x1000 + Math.floor(random() * 0xc000))).join("");
};

describe("records", () => {
  it("go on with their times as numbers", () => {
    const { records, rejected } = read(stateRecord(), removedRecord({ atUs: SOME_TIME_US + 1 }));
    expect(rejected).toEqual([]);
    expect(records.map((one) => "moment" in one && one.moment)).toEqual([
      { atUs: SOME_TIME_US, lastChangedUs: SOME_TIME_US, oldLastChangedUs: SOME_TIME_US - 60_000_000 },
      { atUs: SOME_TIME_US + 1, lastChangedUs: SOME_TIME_US + 1 },
    ]);
  });

  it.each<[string, unknown, string]>([
    ["text that is not JSON", "{no", "record_malformed"],
    ["NaN, which is not JSON", '{"n":1,"t":"state","attributes":{"x":NaN}}', "record_malformed"],
    ["an unknown type", { ...stateRecord(), t: "other" }, "record_malformed"],
    ["null", null, "record_malformed"],
    ["no entity", { ...stateRecord(), entity_id: undefined }, "event_entity_id_invalid"],
    ["an empty entity", stateRecord({ entity_id: "" }), "event_entity_id_invalid"],
    ["an entity without domain", stateRecord({ entity_id: "bed_light" }), "event_entity_id_invalid"],
    ["an entity in capitals", stateRecord({ entity_id: "light.Bed" }), "event_entity_id_invalid"],
    ["an entity with U+0000", stateRecord({ entity_id: "light.bed\0" }), "event_entity_id_invalid"],
    ["an entity of 256 characters", stateRecord({ entity_id: `light.${"x".repeat(250)}` }), "event_entity_id_invalid"],
    ["a state of 300 characters", stateRecord({ state: "x".repeat(300) }), "event_state_invalid"],
    [
      "an old state of 256 characters",
      stateRecord({ old: { state: "x".repeat(256), ...at(formatIsoUs(1e15)) } }),
      "event_state_invalid",
    ],
    ["a state that is null", { ...stateRecord(), state: null }, "event_state_invalid"],
    ["a state with U+0000", stateRecord({ state: "a\0b" }), "event_state_invalid"],
    ["a context with U+0000", stateRecord({ context: { id: "a\0" } }), "event_malformed"],
    ["no context", { ...stateRecord(), context: undefined }, "event_malformed"],
    ["attributes that are a list", { ...stateRecord(), attributes: [1] }, "event_attributes_invalid"],
    ["attributes 65 levels deep", stateRecord({ attributes: deep(66) }), "event_attributes_invalid"],
    [
      "attributes 50,000 levels deep",
      stateRecord({ attributes: {} }) &&
        `{"n":1,"t":"state","kind":"change","source":"live","entity_id":"a.b","state":"","last_changed":"2026-11-22T05:47:09Z","last_updated":"2026-11-22T05:47:09Z","context":{"id":"1"},"attributes":${'{"a":'.repeat(50_000)}1${"}".repeat(50_001)}`,
      "event_attributes_invalid",
    ],
    ["a time that is none", stateRecord(at("yesterday")), "event_time_invalid"],
    ["a time without offset", stateRecord(at("2026-11-22T05:47:09.185382")), "event_time_invalid"],
    ["a time that is a number", { ...stateRecord(), last_updated: 1.7e9 }, "event_time_invalid"],
    ["an old time that is none", stateRecord({ old: { state: "off", ...at("then") } }), "event_time_invalid"],
    ["the year 1970", stateRecord(at("1970-01-01T00:00:00.000000+00:00")), "event_time_out_of_range"],
    ["the year 1989", stateRecord(at("1989-12-31T23:59:59.999999+00:00")), "event_time_out_of_range"],
    ["the year 9999", stateRecord(at("9999-12-31T23:59:59.999999+00:00")), "event_time_out_of_range"],
    ["a microsecond too late", stateRecord(at(formatIsoUs(times.toUs + 1))), "event_time_out_of_range"],
    ["a removal in 1970", removedRecord({ time_fired: "1970-01-01T00:00:00+00:00" }), "event_time_out_of_range"],
    ["a last_changed in 9999", stateRecord({ last_changed: "9999-12-31T23:59:59Z" }), "event_time_out_of_range"],
    ["a loss that begins after its end", { ...loss, first: 9, last: 8 }, "record_malformed"],
    ["a loss of numbers that were not there", { ...loss, last: 9 }, "record_malformed"],
    ["a loss that begins with its own number and ends beyond it", { ...loss, first: 9, last: 10 }, "record_malformed"],
    ["a gap that ends before it begins", { ...gap, from: gap.to, to: gap.from }, "record_malformed"],
    ["a gap without a number", { ...gap, n: 0 }, "record_malformed"],
    ["a gap whose times are none", { ...gap, from: "then" }, "event_time_invalid"],
    ["a gap from before 1990", { ...gap, from: "1970-01-01T00:00:00Z" }, "event_time_out_of_range"],
    ["a gap that is still to come", { ...gap, to: formatIsoUs(times.toUs + 1) }, "event_time_out_of_range"],
    ["a gap of a newer program", { ...gap, cause: "moonlight" }, "record_malformed"],
    ["a gap that names too many", { ...gap, missing: Array(21).fill(gap.missing[0]) }, "record_malformed"],
    ["more than 1 MiB", stateRecord({ attributes: { text: "x".repeat(RECORD_MAX_BYTES) } }), "event_too_large"],
    [
      "what packs to more than a message",
      stateRecord({ attributes: { text: unpackable(349_000) } }),
      "event_too_large",
    ],
    // A revision that lies ahead would keep every later one out until then.
    [
      "a registry read in the future",
      { ...registry, revision: Math.floor(times.toUs / 1000) + 1 },
      "event_time_out_of_range",
    ],
    [
      "a home read in the future",
      { ...homeFacts, revision: Math.floor(times.toUs / 1000) + 1 },
      "event_time_out_of_range",
    ],
    ["a status of the future", { ...relay, at: formatIsoUs(times.toUs + 1) }, "event_time_out_of_range"],
    ["a status without a time", { ...relay, at: "soon" }, "event_time_invalid"],
    ["a part beyond the last", { ...registry, part: 2 }, "record_malformed"],
    [
      "rows 50,000 levels deep",
      JSON.stringify({ ...registry, rows: [{ id: "DEEP" }] }).replace('"DEEP"', deepText(50_000)),
      "record_malformed",
    ],
  ])("refuses %s alone, with its code", (_, value, code) => {
    const before = stateRecord({ n: 1 });
    const after = stateRecord({ n: 3, entity_id: "light.other" });
    const { records, rejected } = read(before, value, after);
    expect(rejected.map((one) => one.code)).toEqual([code]);
    expect(records.map(({ record }) => record)).toEqual([before, after]);
    expect(rejected[0]?.line).toBe(typeof value === "string" ? value : JSON.stringify(value));
    expect(rejected[0]?.detail.length).toBeGreaterThan(20);
  });

  it.each<[string, unknown]>([
    ["a state of 255 characters that are 510 units", stateRecord({ state: "🏠".repeat(255) })],
    ["the empty state", stateRecord({ state: "" })],
    ["the state NaN, which is a text", stateRecord({ state: "NaN" })],
    ["U+0000 in attributes, escaped as it is in JSON", stateRecord({ attributes: { text: "a\0b" } })],
    ["attributes 64 levels deep", stateRecord({ attributes: deep(64) })],
    ["attributes of 1,000,000 characters", stateRecord({ attributes: { text: "x".repeat(1_000_000) } })],
    ["no attributes", stateRecord({ attributes: {} })],
    ["1990", stateRecord(at("1990-01-01T00:00:00.000000+00:00"))],
    ["the latest moment", stateRecord(at(formatIsoUs(times.toUs)))],
    ["a last_changed from before the clock was set", stateRecord({ last_changed: "1970-01-01T00:01:00.000000+00:00" })],
    ["a loss", loss],
    ["a loss of what had no number, which has its own", { ...loss, first: 9, last: 9, count: 50 }],
    ["a loss of another sink", { ...loss, sink: "old" }],
    ["a gap", gap],
    ["a gap of no length in which nothing moved", { ...gap, to: gap.from, recovered: 0, complete: true, missing: [] }],
    ["a state whose context nobody knows any more", stateRecord({ source: "import", context: { id: "" } })],
    ["a registry", registry],
    ["an entity id in digits of another script", stateRecord({ entity_id: "sensor.room_٣" })],
  ])("takes %s", (_, value) => {
    const { records, rejected } = read(value);
    expect(rejected).toEqual([]);
    expect(records[0]?.record).toEqual(value);
  });

  it("has no use for an old time that cannot be", () => {
    for (const text of ["1970-01-01T00:00:00Z", "9999-01-01T00:00:00Z"]) {
      const { records } = read(stateRecord({ old: { state: "off", ...at(text) } }));
      expect(records[0] && "moment" in records[0] && Object.keys(records[0].moment)).toEqual(["atUs", "lastChangedUs"]);
    }
  });

  it("takes each number of the envelope once", () => {
    const lines = [5, 6, 6, 4, 8, 7].map((n) => JSON.stringify(stateRecord({ n })));
    const { records, rejected } = readRecords(lines, { first: 5, last: 7, times });
    expect(records.map(({ record }) => record.n)).toEqual([5, 6, 7]);
    expect(rejected.map(({ n, code }) => [n, code])).toEqual([
      [6, "record_malformed"],
      [4, "record_malformed"],
      [8, "record_malformed"],
    ]);
  });

  it("knows the number also of what it does not read: too long, cut off, or by its place", () => {
    const long = JSON.stringify(stateRecord({ n: 6, attributes: { text: "x".repeat(RECORD_MAX_BYTES) } }));
    const lines = [JSON.stringify(stateRecord({ n: 5 })), long, '{"n":7,"t":"sta', "no JSON", '{"n":5,"t":"home"}'];
    const numbered = readRecords(lines, { first: 5, last: 9, times });
    expect(numbered.rejected.map(({ n, place }) => [n, place])).toEqual([
      [6, 6],
      [7, 7],
      [8, 8],
      [5, 9],
    ]);
    // Put back from the dead letters there is no place.
    const put = readRecords(lines.slice(1), { first: 0, last: 0, times });
    expect(put.rejected.map(({ n, place }) => [n, place])).toEqual([
      [6, undefined],
      [7, undefined],
      [undefined, undefined],
      [5, undefined],
    ]);
  });

  it("asks for no number where no relay gave any", () => {
    expect(read(stateRecord({ n: 3 }), stateRecord({ n: 3 })).rejected).toEqual([]);
  });
});
