import { describe, expect, it } from "vitest";
import { ledgerFigures } from "../../lib/api/ledger-figures.ts";
import { formatIsoUs } from "../../lib/base/time.ts";
import { rankOf, STATISTICS_ORIGIN, sealEnvelope } from "../../lib/event/index.ts";
import { RECORD_MAX_BYTES } from "../../lib/ingest/index.ts";
import { emptyLedgerRow } from "../../lib/ingest/ports.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { pipeline } from "./pipeline.ts";

const events = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) =>
    stateRecord({ entity_id: `light.l${from + at}`, atUs: SOME_TIME_US - 1e6 + from + at }),
  );
const times = { from: formatIsoUs(SOME_TIME_US - 600e6), to: formatIsoUs(SOME_TIME_US) };
const loss = (first: number, last: number, given = {}) => ({
  ...{ t: "loss", first, last, count: last - first + 1, reason: "spool full", ...times },
  ...given,
});
const gap = (given = {}) => ({
  ...{ t: "gap", ...times, cause: "relay_stopped", entities: 4, recovered: 7, statistics: 0, complete: false },
  missing: [{ reason: "not_recorded", entities: 1, examples: ["light.l9"] }],
  ...given,
});

describe("what a relay reports", () => {
  it("of another sink's losses leaves no number missing, and stays visible", async () => {
    const set = await pipeline();
    const body = sealed([...events(2), loss(1, 2, { sink: "old" })], { key: set.key, first: 5 });
    expect(await set.run(body)).toMatchObject({ ledgerGap: 4, lostEvents: 0, events: 2 });
    await set.run(sealed(events(4, 10), { key: set.key }));
    const [row] = await set.ledger.rows("home");
    expect(row).toMatchObject({ ranges: [[1, 7]], lost: [], counts: { records: 7 } });
    expect(row?.notes.otherSinksLost).toMatchObject({
      recent: [{ n: 7, sink: "old", first: 1, last: 2, count: 2, reason: "spool full" }],
      totals: { count: 1, events: 2 },
    });
  });

  it("of the cloud's own losses counts as it does without a name", async () => {
    const set = await pipeline();
    expect(await set.run(sealed([loss(1, 4, { sink: "cloud" })], { key: set.key, first: 5 }))).toMatchObject({
      ledgerGap: 0,
      lostEvents: 4,
    });
    expect(await set.ledger.rows("home")).toMatchObject([
      { ranges: [[1, 5]], lost: [{ first: 1, last: 4, count: 4 }] },
    ]);
  });

  it("of events that never had a number is counted, and the envelope that says so is a duplicate when it comes again", async () => {
    const set = await pipeline();
    const body = sealed([...events(1), loss(2, 2, { count: 30 })], { key: set.key });
    expect(await set.run(body)).toMatchObject({ rejected: 0, lostEvents: 30 });
    expect(await set.run(body)).toMatchObject({ duplicateEnvelopes: 1, lostEvents: 0 });
    const [row] = await set.ledger.rows("home");
    expect(row).toMatchObject({ ranges: [[1, 2]], lost: [], notes: { unnumberedLost: { totals: { events: 30 } } } });
  });

  it("in absurd numbers leaves sums that are exact, and a row that the next envelope can be added to", async () => {
    const set = await pipeline();
    const most = Number.MAX_SAFE_INTEGER;
    const body = (first: number) =>
      sealed(
        [
          loss(1, 9, { count: most, reason: "a" }),
          loss(10, 19, { count: most, reason: "a" }),
          loss(first + 2, first + 2, { count: most }),
          gap({ entities: most, recovered: most, statistics: most }),
        ],
        { key: set.key, first },
      );
    expect(await set.run(body(most - 9), body(most - 5))).toMatchObject({
      rejected: 0,
      lostEvents: most,
      recoveredEvents: most,
      ledgerGap: most - 29,
    });
    await set.run(sealed(events(3), { key: set.key, first: 20 }));
    const [row] = await set.ledger.rows("home");
    expect(row?.lost).toEqual([{ first: 1, last: 19, count: most, reason: "a" }]);
    expect(row?.ranges).toEqual([
      [1, 22],
      [most - 9, most - 2],
    ]);
    expect(row?.notes.unnumberedLost.totals).toEqual({ count: 2, events: most });
    expect(ledgerFigures(row ?? emptyLedgerRow("")).lost_records).toBe(most);
  });

  it("of an interruption is no event, is noted once, and goes on to nobody", async () => {
    const set = await pipeline();
    const body = sealed([gap(), ...events(1)], { key: set.key });
    expect(await set.run(body)).toMatchObject({ events: 1, interruptions: 1, recoveredEvents: 7, rejected: 0 });
    // Again in an envelope that overlaps: only what is new is reported.
    const overlapping = sealed([gap(), ...events(1), gap({ recovered: 1, complete: true })], { key: set.key });
    expect(await set.run(overlapping)).toMatchObject({ interruptions: 1, recoveredEvents: 1 });
    expect(set.indexed().every(({ t }) => t === "seen")).toBe(true);
    const [row] = await set.ledger.rows("home");
    expect(row?.notes.interruptions.totals).toEqual({ count: 2, recovered: 8, statistics: 0, incomplete: 1 });
    expect(row?.notes.interruptions.recent.map(({ n, missing }) => [n, missing.length])).toEqual([
      [1, 1],
      [3, 1],
    ]);
  });

  it("in a form that is not known is set aside alone, and noted when it is put back and understood", async () => {
    const set = await pipeline();
    const newer = gap({ cause: "moonlight" });
    expect(await set.run(sealed([...events(1), newer, ...events(1, 1)], { key: set.key }))).toMatchObject({
      events: 2,
      rejected: 1,
      interruptions: 0,
      reasons: { record_malformed: 1 },
    });
    const [letter] = set.queues.dead.messages;
    expect(letter?.attributes).toMatchObject({ sequence: "2", home_id: "home" });
    // Put back, and put back again, as a newer program reads it: the record keeps its number, the envelope has none.
    const put = sealEnvelope([{ ...gap(), n: 2 }], {
      ...{ homeId: "home", relayId: "relay", key: set.key, first: 0, last: 0, sentAt: "2026-11-22T06:00:00Z" },
    });
    for (let time = 0; time < 2; time++) expect((await set.run(put)).failures.size).toBe(0);
    expect(await set.ledger.rows("home")).toMatchObject([
      { ranges: [[1, 3]], counts: { records: 3, duplicates: 0 }, notes: { interruptions: { totals: { count: 1 } } } },
    ]);
  });
});

describe("an envelope that overlaps another", () => {
  it("sets nothing aside again, and counts nothing twice", async () => {
    const set = await pipeline();
    const bad = stateRecord({ entity_id: "BAD" });
    await set.run(sealed([...events(2), bad], { key: set.key }));
    const result = await set.run(sealed([...events(2), bad, bad, ...events(1, 4)], { key: set.key }));
    expect(result).toMatchObject({ rejected: 1 });
    expect(set.queues.dead.messages.map(({ attributes }) => attributes?.sequence)).toEqual(["3", "4"]);
    expect(await set.ledger.rows("home")).toMatchObject([
      { ranges: [[1, 5]], counts: { records: 5, rejected: 2, duplicates: 3 } },
    ]);
  });

  it("names also the record that is too long to be read", async () => {
    const set = await pipeline();
    const long = stateRecord({ attributes: { text: "x".repeat(RECORD_MAX_BYTES) } });
    await set.run(sealed([...events(1), long], { key: set.key, first: 41 }));
    expect(set.queues.dead.messages.map(({ attributes }) => attributes)).toMatchObject([
      { reason_code: "event_too_large", sequence: "42" },
    ]);
    expect(await set.ledger.rows("home")).toMatchObject([{ counts: { records: 2, rejected: 1 } }]);
  });
});

describe("an import", () => {
  it("leaves no gap behind when it is stopped in the middle", async () => {
    const set = await pipeline();
    const body = sealed(events(2), { key: set.key, first: 600, relayId: "import-2026" });
    expect(await set.run(body)).toMatchObject({ ledgerGap: 0, settledGap: 0, events: 2 });
    await set.clock.advance(3_600_000);
    expect(await set.run(body)).toMatchObject({ settledGap: 0, duplicateEnvelopes: 1 });
  });

  it("brings old states without context: typed, and never in the place of what is known better", async () => {
    const set = await pipeline();
    const temperature = { unit_of_measurement: "°F", device_class: "temperature" };
    const old = stateRecord({
      ...{ source: "import", kind: "change", entity_id: "sensor.hall", state: "69.8", attributes: temperature },
      ...{ context: { id: "" }, atUs: SOME_TIME_US - 86_400e6 },
    });
    const live = stateRecord({ entity_id: "sensor.hall", state: "70.7", attributes: temperature });
    await set.run(sealed([live, old, { ...live, source: "backfill" }], { key: set.key }));
    const [now, then, again] = set.stored();
    expect(then).toMatchObject({ source: "import", value: 21, unit: "°C", quality: "ok", context: { id: "" } });
    expect(now && again && [rankOf(now) > rankOf(again), rankOf(again) > rankOf({ ...now, kind: "snapshot" })]).toEqual(
      [true, true],
    );
    // Last seen is the latest, whatever order they come in.
    expect(set.indexed()).toMatchObject([{ t: "seen", entityId: "sensor.hall", atUs: SOME_TIME_US }]);
  });

  it("brings hours of statistics: typed, with their unit, and no sight of the entity", async () => {
    const set = await pipeline();
    const hour = stateRecord({
      ...{ source: "backfill", kind: "snapshot", origin: STATISTICS_ORIGIN, entity_id: "sensor.energy", state: "1500" },
      attributes: { unit_of_measurement: "Wh", device_class: "energy", state_class: "total_increasing" },
      context: { id: "" },
      old: undefined,
    });
    expect(await set.run(sealed([hour], { key: set.key }))).toMatchObject({ events: 1, rejected: 0 });
    expect(set.stored()).toMatchObject([
      { kind: "snapshot", source: "backfill", origin: STATISTICS_ORIGIN, value: 1.5, unit: "kWh" },
    ]);
    expect(set.stored()[0]).not.toHaveProperty("secondsInOldState");
    expect(set.indexed()).toEqual([]);
  });
});
