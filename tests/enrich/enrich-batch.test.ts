import { createHmac } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { enrichBatch } from "../../lib/enrich/index.ts";
import { type HomeKey, sealEnvelope } from "../../lib/event/index.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { randomKey, removedRecord, sealed, stateRecord } from "../support/records.ts";
import { OPTIONS, pipeline } from "./pipeline.ts";

const events = (count: number, entity = "light.a") =>
  Array.from({ length: count }, (_, at) =>
    stateRecord({ entity_id: entity, atUs: SOME_TIME_US - 1e6 + at, state: `s${at}` }),
  );
const codes = (set: Awaited<ReturnType<typeof pipeline>>) =>
  set.queues.dead.messages.map(({ attributes }) => attributes?.reason_code);

describe("a batch", () => {
  it("goes to the store and the index, and its sequence to the ledger", async () => {
    const set = await pipeline();
    const result = await set.run(
      sealed(events(3), { key: set.key }),
      sealed(events(2, "light.b"), { key: set.key, first: 4 }),
    );
    expect(result).toMatchObject({
      envelopes: 2,
      events: 5,
      rejected: 0,
      duplicateEnvelopes: 0,
      storeMessages: 1,
      indexMessages: 1,
      ledgerGap: 0,
    });
    expect(result.failures.size).toBe(0);
    expect(set.stored().map(({ entityId, state }) => [entityId, state])).toEqual([
      ["light.a", "s0"],
      ["light.a", "s1"],
      ["light.a", "s2"],
      ["light.b", "s0"],
      ["light.b", "s1"],
    ]);
    expect(await set.ledger.rows("home")).toMatchObject([
      { relayId: "relay", ranges: [[1, 5]], counts: { records: 5 } },
    ]);
    expect(result.sequences).toEqual([{ homeId: "home", relayId: "relay", ranges: ["1-3", "4-5"] }]);
  });

  it("keeps homes apart, each in its own time zone", async () => {
    const set = await pipeline();
    await set.run(sealed(events(1), { key: set.key }), sealed(events(1), { key: set.otherKey, homeId: "other" }));
    expect(set.stored().map(({ homeId, localTime }) => [homeId, localTime.slice(-6)])).toEqual([
      ["home", "+01:00"],
      ["other", "-05:00"],
    ]);
    expect(set.queues.store.messages).toHaveLength(2);
  });

  it("tells the index the latest of each entity, the relay's state with its id, and no removal", async () => {
    const set = await pipeline();
    const status = {
      t: "relay",
      at: "2026-11-22T05:47:00Z",
      connected: true,
      since: "2026-11-22T05:00:00Z",
      spool_bytes: 1,
      spool_records: 2,
      oldest_seconds: 3,
      rejected: 4,
    };
    const later = stateRecord({ entity_id: "light.a", atUs: SOME_TIME_US - 5, state: "late" });
    await set.run(sealed([later, ...events(3), removedRecord({ entity_id: "light.c" }), status], { key: set.key }));
    expect(set.indexed()).toEqual([
      { ...status, n: 6, relay_id: "relay" },
      { t: "seen", entityId: "light.a", atUs: SOME_TIME_US - 5, state: "late" },
    ]);
  });

  it("knows at once what it says of the home itself, also of events before it", async () => {
    const set = await pipeline();
    const registry = (name: string, rows: object[]) => ({
      t: "registry",
      registry: name,
      revision: 5,
      part: 1,
      parts: 1,
      rows,
    });
    const devices = registry("devices", [
      { id: "hub", area_id: "hall" },
      { id: "lamp", parent_device_id: "hub" },
    ]);
    const entities = registry("entities", [{ entity_id: "light.a", device_id: "lamp", original_device_class: "lamp" }]);
    const home = { t: "home", revision: 9, location_name: "Home", time_zone: "Asia/Tokyo", version: "2026.11.0" };
    const weather = stateRecord({
      entity_id: "weather.home",
      atUs: SOME_TIME_US - 2e6,
      state: "rainy",
      attributes: { temperature: 50, temperature_unit: "°F" },
    });
    await set.run(sealed([...events(1), weather, devices, entities, home], { key: set.key }));
    expect(set.stored()[0]).toMatchObject({
      areaId: "hall",
      deviceId: "lamp",
      deviceClass: "lamp",
      localTime: "2026-11-22T14:47:08.185382+09:00",
      weather: { condition: "rainy", temperature: 10 },
    });
    expect(set.indexed().map(({ t }) => t)).toEqual(["registry", "registry", "home", "seen", "seen", "weather"]);
    // The next batch still knows it, and has no newer weather to tell.
    set.queues.index.take();
    await set.run(sealed(events(1), { key: set.key, first: 6 }));
    expect(set.stored().at(-1)).toMatchObject({ areaId: "hall", weather: { condition: "rainy" } });
    expect(set.indexed().map(({ t }) => t)).toEqual(["seen"]);
  });

  it("has no weather when it is not wanted", async () => {
    const set = await pipeline();
    await set.index.applyWeather("home", { condition: "fog" }, SOME_TIME_US - 5e6);
    const body = sealed([stateRecord({ entity_id: "weather.home", state: "sunny" })], { key: set.key });
    await enrichBatch([{ messageId: "m", body }], set.ports, { ...OPTIONS, withWeather: false });
    expect(set.stored()[0]).not.toHaveProperty("weather");
    expect(set.indexed().map(({ t }) => t)).toEqual(["seen"]);
  });

  it("takes weather from the index", async () => {
    const set = await pipeline();
    await set.index.applyWeather("home", { condition: "fog" }, SOME_TIME_US - 5e6);
    await set.run(sealed(events(1), { key: set.key }));
    expect(set.stored()[0]?.weather).toEqual({ condition: "fog" });
  });
});

describe("bad input", () => {
  const tampered = (body: string, members: object) => JSON.stringify({ ...JSON.parse(body), ...members });
  const signed = (records: readonly unknown[], key: HomeKey, first = 1, last = records.length) =>
    sealEnvelope(records, { homeId: "home", relayId: "relay", key, first, last, sentAt: "2026-11-22T06:00:00Z" });

  it.each<[string, (key: HomeKey) => string, string, string]>([
    [
      "a wrong signature",
      (key) => tampered(sealed(events(2), { key }), { last: 3 }),
      "envelope_signature_wrong",
      "1-3",
    ],
    [
      "another's key under the right name",
      (key) => sealed(events(1), { key: { id: key.id, secret: randomKey().secret } }),
      "envelope_signature_wrong",
      "1-1",
    ],
    ["an unknown version", (key) => tampered(sealed(events(1), { key }), { v: 2 }), "envelope_version_unknown", "none"],
    ["an unknown home", (key) => sealed(events(1), { key, homeId: "nowhere" }), "envelope_home_unknown", "1-1"],
    ["another home's name", (key) => sealed(events(1), { key, homeId: "other" }), "envelope_home_unknown", "1-1"],
    [
      "a key that the home does not have",
      () => sealed(events(1), { key: randomKey() }),
      "envelope_home_unknown",
      "1-1",
    ],
    ["10,000 events", (key) => signed(Array(10_000).fill({}), key), "envelope_too_many_records", "1-10000"],
    ["zero events", (key) => signed([], key, 0, 0), "envelope_empty", "0-0"],
    ["a count that is not so", (key) => signed([{}, {}], key, 1, 5), "envelope_count_wrong", "1-5"],
    ["no JSON", () => "hello", "envelope_malformed", "none"],
    [
      "an old pipeline's event",
      () => '{"event_type":"state_changed","entity_id":"light.a"}',
      "envelope_malformed",
      "none",
    ],
  ])("%s is set aside as it came, and its neighbours go on", async (_, make, code, sequence) => {
    const set = await pipeline();
    const bad = make(set.key);
    const result = await set.run(bad, sealed(events(2), { key: set.key, first: 50 }));
    expect([...result.failures.keys()]).toEqual([]);
    expect(result).toMatchObject({ deadEnvelopes: 1, events: 2, reasons: { [code]: 1 } });
    expect(set.queues.dead.messages.map(({ body }) => body)).toEqual([bad]);
    expect(set.queues.dead.messages[0]?.attributes).toMatchObject({ reason_code: code, sequence });
    expect((await set.ledger.rows("home")).flatMap(({ ranges }) => ranges)).toEqual([[50, 51]]);
  });

  it.each([
    ["a cut body", (packed: Buffer) => packed.subarray(0, packed.length - 5), "envelope_body_broken"],
    ["a bomb", () => zstdCompressSync(Buffer.alloc(64 * 1024 * 1024, 10)), "envelope_too_large"],
  ])("%s that is well signed is set aside as it came", async (_, change, code) => {
    const set = await pipeline();
    const body = resealed(sealed(events(2), { key: set.key }), set.key, change);
    expect((await set.run(body)).failures.size).toBe(0);
    expect(codes(set)).toEqual([code]);
    expect(set.queues.dead.messages[0]?.body).toBe(body);
  });

  it("one malformed event is set aside alone, its neighbours are stored, its number is accounted for", async () => {
    const set = await pipeline();
    const bad = { ...stateRecord({ state: "x".repeat(300) }) };
    const result = await set.run(sealed([...events(1), bad, ...events(1, "light.b")], { key: set.key, first: 10 }));
    expect(result).toMatchObject({ events: 2, rejected: 1, reasons: { event_state_invalid: 1 } });
    expect(set.stored().map(({ entityId }) => entityId)).toEqual(["light.a", "light.b"]);
    expect(set.queues.dead.messages.map(({ attributes }) => attributes)).toMatchObject([
      { reason_code: "event_state_invalid", sequence: "11", home_id: "home" },
    ]);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[10, 12]], counts: { records: 3, rejected: 1 } }]);
  });

  it("a dead letter that is sent back is read again, and dropped again while its fault stays", async () => {
    const set = await pipeline();
    const far = stateRecord({ atUs: SOME_TIME_US + 2 * 86_400e6 });
    await set.run(sealed([...events(1), far], { key: set.key }));
    const [letter] = set.queues.dead.take();
    expect((await set.run(letter?.body ?? "")).reasons).toEqual({ event_time_out_of_range: 1 });
    expect(set.queues.dead.messages[0]?.attributes).toMatchObject({ sequence: "2" });
    // Two days later the event is no longer in the future.
    await set.clock.advance(2 * 86_400_000);
    expect(await set.run(letter?.body ?? "")).toMatchObject({ events: 1, rejected: 0 });
    expect(set.stored().at(-1)?.atUs).toBe(SOME_TIME_US + 2 * 86_400e6);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[1, 2]], counts: { duplicates: 0 } }]);
  });

  it("an event of 1 MB goes on alone in its message", async () => {
    const set = await pipeline();
    const attributes = { text: Array.from({ length: 20_000 }, (_, at) => `${at * 7919}/${at}`).join(" ") };
    await set.run(sealed([...events(1), stateRecord({ attributes }), ...events(1, "light.b")], { key: set.key }));
    expect(set.stored().map(({ entityId }) => entityId)).toEqual(["light.a", "light.bed_light", "light.b"]);
    expect(set.stored()[1]?.attributes).toEqual(attributes);
    expect(set.queues.store.messages.length).toBeGreaterThan(1);
  });
});

/** The same envelope around another body, signed anew. */
function resealed(text: string, key: HomeKey, change: (packed: Buffer) => Buffer): string {
  const { mac: _, ...envelope } = JSON.parse(text);
  const body = change(Buffer.from(envelope.body, "base64")).toString("base64");
  const { v, home_id, relay_id, key_id, first, last, count, sent_at } = envelope;
  const signed = JSON.stringify([v, home_id, relay_id, key_id, first, last, count, sent_at, body]);
  return JSON.stringify({ ...envelope, body, mac: createHmac("sha256", key.secret).update(signed).digest("hex") });
}
