import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbHomeDirectory } from "../../lib/adapters/dynamodb/homes.ts";
import { keyIdOf } from "../../lib/event/index.ts";
import { deploymentAt, PREFIX } from "../support/deployment.ts";
import { tableAt } from "../support/dynalite.ts";
import { keptEvents, sentEvents, sentUntil } from "../support/embedded.ts";
import { sqsClientAt } from "../support/fauxqs.ts";
import { describePeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";
import { until } from "../support/stack.ts";

/** After anything that happens here. */
const LATER = "2100-01-01T00:00:00.000000+00:00";
const { dir, remove } = await peerFolder("localstack-deploy");

await describePeer(
  "npm run deploy to LocalStack",
  () => {
    // The functions run on the Node that runs everything else here.
    process.env.HEARTHLINE_PEERS_NODE = process.execPath;
    return startPeer("localstack", ["--dir", dir]);
  },
  ({ url, version }) => describe(`npm run deploy to LocalStack ${version}`, () => deployment(url)),
);

type Loose = Record<string, unknown>;

function deployment(endpoint: string): void {
  const stage = deploymentAt(endpoint);
  let address = "";
  let villa: { readonly key: string; readonly token: string };

  async function ask(path: string, token = villa.token, body?: unknown) {
    const answer = await fetch(`${address}${path}`, {
      headers: { ...(token && { authorization: `Bearer ${token}` }), "content-type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    return { status: answer.status, type: answer.headers.get("content-type"), json: (await answer.json()) as Loose };
  }
  const api = (token = villa.token) => ({
    async get<T>(path: string) {
      const { status, json } = await ask(path, token);
      if (status !== 200) throw new Error(`GET ${path} was answered with ${status}: ${JSON.stringify(json)}`);
      return json as T;
    },
  });
  const eventsOf = async (entityId: string) =>
    (await api().get<{ events: Loose[] }>(`/api/v1/events?entity_id=${entityId}&order=asc`)).events;
  const patient = { deadlineMs: 60_000, everyMs: 500 };

  beforeAll(async () => {
    address = await stage.deploy();
    const { key } = await stage.hearthline<{ key: string }>("homes", "add", "villa", "--time-zone", "Europe/Amsterdam");
    villa = { key, token: await stage.addToken("villa", "read,write,admin") };
    await addElder(endpoint);
  }, 300_000);
  afterAll(async () => {
    await stage.stop();
    await stopPeer(dir);
    await remove();
  }, 120_000);

  it("says where the API is, last", () => {
    expect(address).toMatch(new RegExp(`^${endpoint}/_aws/execute-api/\\w+/local$`));
  });

  it("brings an event from POST to GET by the queues, with all six decimals, and into the index", async () => {
    const timestamp = "2026-11-22T05:47:09.185382+00:00";
    const event = {
      event_type: "state_changed",
      entity_id: "light.desk",
      state: "on",
      timestamp,
      attributes: { x: 1 },
    };
    const sent = await ask("/api/v1/events", villa.token, event);
    expect(sent).toMatchObject({ status: 202, json: { accepted: 1, rejected: [] } });
    const [found] = await until(
      () => eventsOf("light.desk"),
      ({ length }) => length > 0,
      patient,
    );
    expect(found).toMatchObject({
      home_id: "villa",
      state: "on",
      value: true,
      last_updated: timestamp,
      local_time: "2026-11-22T06:47:09.185382+01:00",
      source: "api",
      attributes: { x: 1 },
    });
    const { entities } = await until(
      () => api().get<{ entities: Loose[] }>("/api/v1/entities"),
      (answer) => answer.entities.length > 0,
      patient,
    );
    expect(entities).toMatchObject([{ entity_id: "light.desk", state: "on", last_seen: timestamp }]);
  }, 180_000);

  it("looks tokens up itself, where no authorizer stands in front: 401, 403, 404 as problem+json", async () => {
    const reader = await stage.addToken("villa", "read");
    const wrong = `hl_villa_${"x".repeat(43)}`;
    const answers = [
      await ask("/api/v1/events", ""),
      await ask("/api/v1/events", wrong),
      await ask("/api/v1/events", reader, []),
      await ask("/api/v1/nothing", reader),
      await ask("/api/v1/devices/nobody", reader),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 404, 404]);
    for (const { type, json, status } of answers) {
      expect(type).toMatch(/^application\/problem\+json/);
      expect(json).toMatchObject({ status, code: expect.any(String), title: expect.any(String) });
    }
    expect(JSON.stringify(answers)).not.toContain(wrong);
  });

  it("brings event for event what a relay sends from the simulated home", async () => {
    const { since, endHome } = await stage.startRelay("villa", villa.key);
    await until(
      async () => sentEvents(stage.folder, since, LATER).length,
      (sent) => sent >= 100,
      patient,
    );
    await endHome();
    const sent = sentEvents(stage.folder, since, LATER);
    expect(sentUntil(stage.folder) > since).toBe(true);
    const kept = () => keptEvents(api(), since, LATER);
    await until(kept, ({ length }) => length >= sent.length, { deadlineMs: 120_000, everyMs: 1_000 }).catch(() => {});
    expect(await kept()).toEqual(sent);
    const { parts } = await api().get<{ parts: { ledger?: Loose }[] }>("/health");
    expect(parts.flatMap(({ ledger }) => ledger ?? [])).toMatchObject([{ missing: 0, lost_records: 0, rejected: 0 }]);
    const { areas } = await api().get<{ areas: unknown[] }>("/api/v1/areas");
    expect(areas.length).toBeGreaterThan(3);
  }, 300_000);

  it("sets one malformed event of an envelope aside, alone and with its reason; its neighbours are stored", async () => {
    const secret = Buffer.from(villa.key, "base64");
    const good = [1, 2, 3].map((second) =>
      stateRecord({ entity_id: "light.poisoned", atUs: 1_795_326_429_000_007 + second * 1e6 }),
    );
    const records = [...good.slice(0, 2), stateRecord({ entity_id: "Not an entity" }), ...good.slice(2)];
    const body = sealed(records, { homeId: "villa", relayId: "by-hand", key: { id: keyIdOf(secret), secret } });
    const sqs = sqsClientAt(endpoint);
    const { QueueUrl } = await sqs.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: `${PREFIX}-events` });
    await sqs.call("SendMessage", { QueueUrl, MessageBody: body });
    const stored = await until(
      () => eventsOf("light.poisoned"),
      ({ length }) => length >= good.length,
      patient,
    );
    expect(stored.map(({ last_updated }) => last_updated)).toEqual(good.map(({ last_updated }) => last_updated));
    const { messages } = await stage.hearthline<{ messages: { attributes: Loose }[] }>("queues", "peek", "events-dead");
    expect(messages.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({ reason_code: "event_entity_id_invalid", sequence: "3", home_id: "villa" }),
    ]);
    expect(messages[0]?.attributes.reason_detail).toContain("Not an entity");
  }, 180_000);

  it("finds by its schedule the home whose night has come, and does its job", async () => {
    const token = await stage.addToken("elder", "read");
    const { jobs } = await until(
      () => api(token).get<{ jobs: Loose[] }>("/api/v1/jobs"),
      (answer) => answer.jobs.some(({ status }) => status === "succeeded"),
      { deadlineMs: 150_000, everyMs: 1_000 },
    );
    expect(jobs.find(({ status }) => status === "succeeded")).toMatchObject({ home_id: "elder", kind: "daily" });
    expect(await api().get("/api/v1/jobs")).toMatchObject({ jobs: [] });
  }, 200_000);

  it("is deployed again without harm: the same address, all data, events flow", async () => {
    const before = await eventsOf("light.poisoned");
    expect(await stage.deploy()).toBe(address);
    expect(await eventsOf("light.poisoned")).toEqual(before);
    const timestamp = "2026-11-22T05:50:00.000001+00:00";
    const event = { event_type: "state_changed", entity_id: "light.later", state: "off", timestamp };
    expect((await ask("/api/v1/events", villa.token, event)).status).toBe(202);
    const [found] = await until(
      () => eventsOf("light.later"),
      ({ length }) => length > 0,
      patient,
    );
    expect(found).toMatchObject({ state: "off", last_updated: timestamp });
  }, 400_000);
}

/** A home that has been there for two nights, as only time can make it. */
async function addElder(endpoint: string): Promise<void> {
  const homes = createDynamodbHomeDirectory(await tableAt(endpoint, `${PREFIX}-index`));
  const createdAt = new Date(Date.now() - 2 * 86_400_000).toISOString();
  await homes.add({ homeId: "elder", name: "Elder", timeZone: "Asia/Kathmandu", createdAt, revision: 0 }, randomKey());
}
