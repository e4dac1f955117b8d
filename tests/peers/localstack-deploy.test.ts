import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbHomeDirectory } from "../../lib/adapters/dynamodb/homes.ts";
import { keyIdOf } from "../../lib/event/index.ts";
import { tableAt } from "../support/dynalite.ts";
import { keptEvents, sentEvents, sentUntil } from "../support/embedded.ts";
import { sqsClientAt } from "../support/fauxqs.ts";
import { describePeer, freePort, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { type Running, run } from "../support/process.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";
import { newDataFolder, removeData, until } from "../support/stack.ts";

const root = resolve(import.meta.dirname, "../..");
const PREFIX = "hearthline-local";
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
  const folder = newDataFolder();
  const running: Running[] = [];
  const clean = Object.entries(process.env).filter(
    ([name]) => !/^(HEARTHLINE_(?!PEER)|AWS_|VITEST|NODE_OPTIONS)/.test(name),
  );
  const env = { ...Object.fromEntries(clean), AWS_ENDPOINT_URL: endpoint, HEARTHLINE_DATA: folder };
  const named = { ...env, HEARTHLINE_QUEUE_PREFIX: PREFIX, HEARTHLINE_TABLE: `${PREFIX}-index` };
  let address = "";
  let villa: { readonly key: string; readonly token: string };

  async function deploy(): Promise<string> {
    const said = await new Promise<string>((done, fail) => {
      const options = {
        cwd: root,
        env: { ...env, HEARTHLINE_SQLITE_PATH: join(folder, "store.db") },
        timeout: 240_000,
      };
      execFile("npm", ["run", "-s", "deploy", "--", "--stage", "local"], options, (error, stdout, stderr) =>
        error ? fail(new Error(`${stdout}\n${stderr}`.slice(-3_000))) : done(stdout),
      );
    });
    const lines = said.trim().split("\n");
    return /^API: (http:\S+)$/.exec(lines.at(-1) ?? "")?.[1] ?? `no address in: ${lines.slice(-3).join(" | ")}`;
  }

  /** `hearthline ARGS --json`; the parsed answer. */
  async function hearthline<T>(...args: string[]): Promise<T> {
    const command = run([join(root, "local/cli.ts"), ...args, "--json"], { cwd: root, env: named });
    let out = "";
    command.child.stdout?.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    if ((await command.ended) !== 0) throw new Error(command.output());
    return JSON.parse(out) as T;
  }

  async function addHome(homeId: string, scopes: string) {
    const { key } = await hearthline<{ key: string }>("homes", "add", homeId, "--time-zone", "Europe/Amsterdam");
    return { key, token: await addToken(homeId, scopes) };
  }
  const addToken = async (homeId: string, scopes: string): Promise<string> =>
    (await hearthline<{ token: string }>("tokens", "create", "--home", homeId, "--name", scopes, "--scopes", scopes))
      .token;

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
    address = await deploy();
    villa = await addHome("villa", "read,write,admin");
    await addElder(endpoint);
  }, 300_000);
  afterAll(async () => {
    for (const { child } of running) child.kill("SIGKILL");
    await stopPeer(dir);
    await remove();
    removeData(folder);
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
    const reader = await addToken("villa", "read");
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
    const since = await runRelay(villa.key);
    await until(
      async () => sentEvents(folder, since, LATER).length,
      (sent) => sent >= 100,
      patient,
    );
    const [home] = running;
    home?.child.kill("SIGTERM");
    await home?.ended;
    const sent = sentEvents(folder, since, LATER);
    expect(sentUntil(folder) > since).toBe(true);
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
    const { messages } = await hearthline<{ messages: { attributes: Loose }[] }>("queues", "peek", "events-dead");
    expect(messages.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({ reason_code: "event_entity_id_invalid", sequence: "3", home_id: "villa" }),
    ]);
    expect(messages[0]?.attributes.reason_detail).toContain("Not an entity");
  }, 180_000);

  it("finds by its schedule the home whose night has come, and does its job", async () => {
    const token = await addToken("elder", "read");
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
    expect(await deploy()).toBe(address);
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

  /** The simulated home and a relay of its own; resolves when it is subscribed, with the time. */
  async function runRelay(key: string): Promise<string> {
    const [homePort, relayPort] = [await freePort(), await freePort()];
    const token = "a-token-of-the-simulated-home";
    const home = ["--port", String(homePort), "--data", join(folder, "home"), "--rate", "10", "--token", token];
    running.push(run([join(root, "local/home/main.ts"), ...home], { cwd: root, env: { ...env } }));
    const relay = {
      ...named,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      HEARTHLINE_HOME_ID: "villa",
      HEARTHLINE_HOME_KEY: key,
      HEARTHLINE_HA_URL: `http://127.0.0.1:${homePort}`,
      HEARTHLINE_HA_TOKEN: token,
      HEARTHLINE_FLUSH_SECONDS: "1",
      HEARTHLINE_RELAY_PORT: String(relayPort),
    };
    running.push(run([join(root, "local/relay.ts")], { cwd: root, env: relay }));
    const health = async () =>
      (await fetch(`http://127.0.0.1:${relayPort}/health`).catch(() => undefined))?.json() as Promise<
        Loose | undefined
      >;
    await until(health, (said) => said?.connected === true && said.ha_state === "RUNNING", patient);
    return new Date().toISOString();
  }
}

/** A home that has been there for two nights, as only time can make it. */
async function addElder(endpoint: string): Promise<void> {
  const homes = createDynamodbHomeDirectory(await tableAt(endpoint, `${PREFIX}-index`));
  const createdAt = new Date(Date.now() - 2 * 86_400_000).toISOString();
  await homes.add({ homeId: "elder", name: "Elder", timeZone: "Asia/Kathmandu", createdAt, revision: 0 }, randomKey());
}
