import { createDynamodbAggregateStore } from "../../lib/adapters/dynamodb/aggregates.ts";
import { homePartition } from "../../lib/adapters/dynamodb/keys.ts";
import { createDynamodbMigrationStore } from "../../lib/adapters/dynamodb/migrations.ts";
import { createDynamodbPatternStore } from "../../lib/adapters/dynamodb/patterns.ts";
import { createDynamodbSuggestionStore } from "../../lib/adapters/dynamodb/suggestions.ts";
import type { Item } from "../../lib/adapters/dynamodb/wire-item.ts";
import { AGGREGATE_LAYERS } from "../../lib/analysis/ports.ts";
import { formatIsoUs } from "../../lib/base/time.ts";
import { suggestion } from "../conformance/suggestion-store.ts";
import { AT_US } from "../journey/records.ts";
import { buildPattern } from "../support/patterns.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { wallClock } from "../support/pipeline-functions.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { bridgeDevices, LAMP } from "../support/zigbee.ts";

/** In every text of the first home that no request names: where it shows, something has come through. */
export const CANARY = "kept-at-home";
/** The first home, and one whose name begins with that of the first. */
export const OWN = "home2";
export const FOREIGN = "home";

const HOUR_MS = 3_600_000;
const START_MS = AT_US / 1000 + HOUR_MS;

/** What one home has: areas, devices, entities, what they can do, states, weather, two relays. `mark` is in its ids, `text` in everything else. */
function recordsOf(mark: string, text: string): Record<string, unknown>[] {
  const whole = { revision: START_MS, part: 1, parts: 1 };
  const registry = { t: "registry", ...whole };
  const device = { labels: [], connections: [], area_id: `${mark}_area`, manufacturer: text };
  const zigbee = (address: string) => [["mqtt", `zigbee2mqtt_${address}`]];
  const devices = bridgeDevices.filter((row) => row.type !== "Coordinator");
  const capable = bridgeDevices
    .filter((row) => row.type !== "Coordinator")
    .map((row) => ({ ...row, friendly_name: text }));
  return [
    { t: "home", revision: START_MS, location_name: text, time_zone: "Europe/Amsterdam", version: "2026.11.0" },
    {
      ...registry,
      registry: "areas",
      rows: [`${mark}_area`, `${mark}_other`].map((area_id) => ({ area_id, name: text, labels: [] })),
    },
    { ...registry, registry: "floors", rows: [] },
    {
      ...registry,
      registry: "devices",
      rows: [
        { ...device, id: `${mark}_lamp`, name: `${text} lamp`, identifiers: zigbee(LAMP) },
        { ...device, id: `${mark}_plug`, name: `${text} plug`, identifiers: zigbee(String(devices[1]?.ieee_address)) },
      ],
    },
    {
      ...registry,
      registry: "entities",
      rows: [`sensor.${mark}_one`, `sensor.${mark}_two`].map((entity_id) => ({
        ...{ entity_id, name: text, device_id: `${mark}_lamp`, platform: "demo", labels: [] },
      })),
    },
    { t: "capabilities", ...whole, rows: capable },
    stateRecord({
      entity_id: "weather.home",
      state: "sunny",
      attributes: { temperature: 20, note: text },
      atUs: AT_US,
    }),
    ...Array.from({ length: 6 }, (_, at) =>
      stateRecord({
        entity_id: `sensor.${mark}_${at % 2 ? "one" : "two"}`,
        state: `${text} ${at}`,
        attributes: { note: text },
        context: { id: text },
        atUs: AT_US + at * 1_000_000,
      }),
    ),
    {
      ...{
        t: "relay",
        at: formatIsoUs(START_MS * 1000),
        connected: true,
        since: formatIsoUs(AT_US),
        ha_state: "RUNNING",
      },
      ...{ spool_bytes: 100, spool_records: 1, oldest_seconds: 0.5, rejected: 0, last_error: text },
    },
  ];
}

export interface TenantHome {
  readonly homeId: string;
  readonly token: string;
  readonly key: Awaited<ReturnType<Pipeline["addHome"]>>["key"];
}

/** Two homes in one installation, both lived in; the night's job has run for the first alone. What ids of the first are called. */
export async function twoHomes() {
  const clock = wallClock(START_MS);
  const pipeline = await startPipeline({
    clock,
    env: { HEARTHLINE_RATE_PER_MINUTE: "10000000", HEARTHLINE_FUTURE_SECONDS: "864000" },
  });
  const foreign: TenantHome = await pipeline.addHome(FOREIGN);
  const records = recordsOf("a", CANARY);
  await pipeline.send("events", sealed(records, { key: foreign.key }));
  await pipeline.send("events", sealed(records.slice(-7), { key: foreign.key, relayId: "relay-a" }));
  await pipeline.drain();
  const devices = records.filter((record) => record.t === "registry" && record.registry === "devices");
  // Both are renamed twice: something has changed.
  for (const times of [1, 2]) {
    const renamed = devices.map((record) => ({
      ...record,
      revision: START_MS + times,
      rows: (record.rows as Record<string, unknown>[]).map((row) => ({ ...row, name: `${CANARY} ${times}` })),
    }));
    await pipeline.send("events", sealed(renamed, { key: foreign.key, first: records.length + times }));
    await pipeline.drain();
  }
  for (const days of [1, 2]) {
    clock.set(START_MS + days * 24 * HOUR_MS);
    await pipeline.dispatch();
    await pipeline.drain();
  }
  await fillLayers(pipeline);
  const outbox = await Promise.all(
    ["one", "two"].map(async (topic) => {
      const body = JSON.stringify({ kind: "mqtt", topic: `hearthline/${CANARY}/${topic}`, payload: CANARY });
      return (await pipeline.ask(foreign.token, "/api/v1/outbox", { method: "POST", body })).json.id as string;
    }),
  );
  const asked = async (path: string, list: string) =>
    (await pipeline.ask(foreign.token, `/api/v1/${path}`)).json[list] as { readonly id: string }[];
  await pipeline.ask(foreign.token, "/api/v1/conflicts/sync", { method: "POST" });
  const ids = {
    device: "a_lamp",
    area: "a_area",
    entity: "sensor.a_one",
    job: (await asked("jobs", "jobs"))[0]?.id ?? "",
    conflict: (await asked("conflicts", "conflicts"))[0]?.id ?? "",
    outbox: outbox[0] ?? "",
    pattern: "room-of-a",
    suggestion: "p-suggested",
    migration: await migrated(pipeline, clock),
    relay: "relay-a",
  };

  const own: TenantHome = await pipeline.addHome(OWN);
  const admin = await pipeline.operator.tokens.create({ homeId: OWN, name: "admin", scopes: ["admin"] });
  await pipeline.send("events", sealed(recordsOf("b", "ours"), { key: own.key, homeId: OWN }));
  await pipeline.drain();

  /** All that lies in a home's part of the table, but what is of the moment. */
  async function itemsOf(homeId: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    for await (const item of pipeline.cloud.table.query({ pk: homePartition(homeId) }))
      if (!/^(RATE|HEALTH)#/.test(item.sk)) items.push(item);
    return items;
  }
  // Whoever may do everything in one home may do nothing in another.
  return { pipeline, clock, foreign, own: { ...own, token: admin.text }, ids, itemsOf };
}
export type TwoHomes = Awaited<ReturnType<typeof twoHomes>>;

/** Two migrations of the first home, the later one changed but not started (its readers would be asked to wait for an old pipeline that is none), with two differences; the id of the later one. */
async function migrated({ ask, cloud, operator }: Pipeline, clock: ReturnType<typeof wallClock>): Promise<string> {
  const { text } = await operator.tokens.create({ homeId: FOREIGN, name: CANARY, scopes: ["admin"] });
  const send = async (path: string, body: object, ifMatch = "") =>
    (await ask(text, `/api/v1/migrations${path}`, { method: "POST", body: JSON.stringify(body), ifMatch })).json;
  const plan = { old: { kind: "influxdb", url: "http://influxdb.local", database: CANARY } };
  const first = await send("", plan);
  await send(`/${first.id}/abort`, { reason: CANARY }, '"1"');
  clock.set(clock.nowMs() + 1_000);
  const { id } = await send("", plan);
  await send(`/${id}/readers`, { reader: CANARY, to: "old", reason: CANARY }, '"1"');
  const difference = { class: "different" as const, entityId: "sensor.a_one", foundUs: AT_US, explanation: CANARY };
  const two = [AT_US, AT_US + 1].map((atUs) => ({ ...difference, atUs }));
  await createDynamodbMigrationStore(cloud.table).addDifferences(FOREIGN, id, two);
  return id;
}

/** Periods of the first home in each layer, as the night makes them. */
async function fillLayers({ cloud }: Pipeline): Promise<void> {
  const one = suggestion("p-suggested", { homeId: FOREIGN, rank: 1, title: CANARY });
  const automation = {
    ...{ alias: CANARY, description: CANARY, mode: "single" as const, conditions: [] },
    triggers: [{ trigger: "time", at: "07:02:00" }],
    actions: [{ action: "switch.turn_on", target: { entity_id: "switch.coffee" } }],
  };
  await createDynamodbSuggestionStore(cloud.table).change(FOREIGN, () => [
    { ...one, automation },
    { ...one, id: "p-other", rank: 2 },
  ]);
  await createDynamodbPatternStore(cloud.table).change(FOREIGN, () =>
    ["room-of-a", "room-of-a-other"].map((id) => buildPattern({ homeId: FOREIGN, id, title: CANARY })),
  );
  const aggregates = createDynamodbAggregateStore(cloud.table);
  for (const layer of AGGREGATE_LAYERS)
    for (const date of ["2026-11-01", "2026-11-02"])
      await aggregates.put({
        ...{ homeId: FOREIGN, layer, kind: "entities", date, fromUs: AT_US, toUs: AT_US + 1_000_000 },
        rows: ["sensor.a_one", "sensor.a_two"].map((entity_id) => ({ entity_id, note: CANARY })),
      });
}
