import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIsoUs } from "../../lib/base/time.ts";
import { type Pipeline, startPipeline, type WireEvent } from "../support/pipeline.ts";
import { removedRecord, sealed, stateRecord } from "../support/records.ts";
import { AT_US, type Journey, manyRecords, registryRecords, told, wanted } from "./records.ts";

const at = (seconds: number) => formatIsoUs(AT_US + seconds * 1_000_000 + 7);
const CONTEXT = { id: "01KAMC7H5JPQ3V2Z9X8W7T6S5R", parent_id: null, user_id: "8e3c" };

/** One event of each kind, as the relay sends them, each with what the API must say of it, word for word. */
const EACH_KIND: readonly { readonly record: Record<string, unknown>; readonly event: Record<string, unknown> }[] = [
  {
    record: {
      ...stateRecord(),
      kind: "change",
      entity_id: "sensor.outside",
      state: "69.8",
      attributes: { unit_of_measurement: "°F", device_class: "temperature", nested: { list: [1, null, "é\u0000"] } },
      last_changed: at(0),
      last_updated: at(0),
      context: CONTEXT,
      old: { state: "69.6", last_changed: at(-90), last_updated: at(-30) },
    },
    event: {
      entity_id: "sensor.outside",
      state: "69.8",
      value: 21,
      unit: "°C",
      quality: "ok",
      kind: "change",
      last_changed: at(0),
      last_updated: at(0),
      old_state: "69.6",
      seconds_in_old_state: 90,
      area_id: "garden",
      device_id: "station",
      domain: "sensor",
      device_class: "temperature",
      context: { id: CONTEXT.id, user_id: "8e3c" },
      attributes: { unit_of_measurement: "°F", device_class: "temperature", nested: { list: [1, null, "é\u0000"] } },
    },
  },
  {
    record: {
      ...stateRecord(),
      kind: "attributes",
      entity_id: "light.desk",
      state: "on",
      attributes: { brightness: 12 },
      last_changed: at(-3_600),
      last_updated: at(1),
      old: { state: "on", last_changed: at(-3_600), last_updated: at(-60) },
    },
    event: {
      entity_id: "light.desk",
      state: "on",
      value: true,
      quality: "ok",
      kind: "attributes",
      last_changed: at(-3_600),
      last_updated: at(1),
      old_state: "on",
      area_id: "study",
      device_id: "lamp",
      domain: "light",
      context: { id: CONTEXT.id },
      attributes: { brightness: 12 },
    },
  },
  {
    record: {
      ...stateRecord(),
      kind: "restore",
      entity_id: "sensor.unregistered",
      state: "unavailable",
      attributes: { restored: true },
      last_changed: at(2),
      last_updated: at(2),
      old: undefined,
    },
    event: {
      entity_id: "sensor.unregistered",
      state: "unavailable",
      quality: "unavailable",
      kind: "restore",
      last_changed: at(2),
      last_updated: at(2),
      domain: "sensor",
      context: { id: CONTEXT.id },
      attributes: { restored: true },
    },
  },
  {
    record: {
      ...stateRecord(),
      kind: "snapshot",
      entity_id: "weather.home",
      state: "rainy",
      attributes: { temperature: 7.5, temperature_unit: "°C", humidity: 91 },
      last_changed: at(-7_200),
      last_updated: at(3),
      old: undefined,
    },
    event: {
      entity_id: "weather.home",
      state: "rainy",
      quality: "ok",
      kind: "snapshot",
      last_changed: at(-7_200),
      last_updated: at(3),
      domain: "weather",
      context: { id: CONTEXT.id },
      attributes: { temperature: 7.5, temperature_unit: "°C", humidity: 91 },
      weather: { condition: "rainy", temperature: 7.5, humidity: 91 },
    },
  },
  {
    record: {
      ...removedRecord(),
      entity_id: "light.desk",
      time_fired: at(4),
      old: { state: "on", last_changed: at(-3_600), last_updated: at(1) },
    },
    event: {
      entity_id: "light.desk",
      state: "",
      quality: "unavailable",
      kind: "removed",
      last_changed: at(4),
      last_updated: at(4),
      old_state: "on",
      area_id: "study",
      device_id: "lamp",
      domain: "light",
      context: { id: CONTEXT.id },
      attributes: {},
      weather: { condition: "rainy", temperature: 7.5, humidity: 91 },
    },
  },
];
const SAME = { home_id: "home", source: "live", origin: "LOCAL", day_part: "morning" };
/** Home's clock is an hour ahead of UTC in November; all of this is within one hour. */
const localTime = (utc: string) => utc.replace("T05:", "T06:").replace("+00:00", "+01:00");

describe("the way of an event through the cloud", () => {
  let pipeline: Pipeline;
  let home: Journey;
  beforeAll(async () => {
    pipeline = await startPipeline();
    home = await pipeline.addHome();
  });
  afterAll(() => pipeline.stop());

  it("keeps every kind of event as it was, with what the registries that came before say of it", async () => {
    const registries = registryRecords();
    await pipeline.send("events", sealed(registries, { key: home.key }));
    await pipeline.drain();
    // Another instance: it knows the registries from the table, not from the message.
    pipeline.replace("enrich");
    const records = EACH_KIND.map(({ record }) => record);
    await pipeline.send("events", sealed(records, { key: home.key, first: registries.length + 1 }));
    await pipeline.drain();
    const events = await pipeline.events(home.token);
    expect(events.map(({ local_time: _, ...event }) => event)).toEqual(
      EACH_KIND.map(({ event }) => ({ ...SAME, ...event })),
    );
    expect(events.map(({ local_time }) => local_time)).toEqual(events.map((event) => localTime(event.last_updated)));
  });

  it("keeps thousands of events in many envelopes, in whatever order these come", async () => {
    const other = await pipeline.addHome("other", "Asia/Kathmandu");
    const records = manyRecords(3_000);
    const bodies = Array.from({ length: 30 }, (_, part) =>
      sealed(records.slice(part * 100, part * 100 + 100), { key: other.key, homeId: "other", first: part * 100 + 1 }),
    );
    await pipeline.send("events", ...bodies.toSorted((a, b) => a.charCodeAt(200) - b.charCodeAt(200)));
    await pipeline.drain();
    expect((await pipeline.events(other.token)).map(told)).toEqual(records.map(wanted));
    expect(await pipeline.events(home.token)).toHaveLength(EACH_KIND.length);
  });

  it("shows the index what came by: devices, areas, entities, latest states, the relay", async () => {
    const { json } = await pipeline.ask(home.token, "/api/v1/entities?limit=1000");
    const seen = (json.entities as WireEvent[]).map(({ entity_id, state, last_seen, area_id }) => [
      entity_id,
      state,
      last_seen,
      area_id,
    ]);
    expect(seen).toEqual([
      ["light.desk", "on", at(1), "study"],
      ["sensor.outside", "69.8", at(0), "garden"],
      ["sensor.unregistered", "unavailable", at(2), undefined],
      ["weather.home", "rainy", at(3), undefined],
    ]);
    const health = await pipeline.ask(home.token, "/health");
    expect(health.status).toBe(200);
    const ledger = health.json.parts.find(({ kind }: { kind: string }) => kind === "ledger").ledger;
    expect(ledger).toMatchObject({ complete_up_to: 12, last_sequence: 12, missing: 0, duplicates: 0, rejected: 0 });
  });
});
