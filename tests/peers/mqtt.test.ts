import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOutboxFeed } from "../../lib/adapters/hearthline/outbox-feed.ts";
import { createMqttBroker } from "../../lib/adapters/mqtt/broker.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { systemRandom } from "../../lib/base/random.ts";
import type { NewRelayRecord } from "../../lib/event/index.ts";
import { createOutboxRunner } from "../../lib/relay/index.ts";
import type { BrokerSession } from "../../lib/relay/outbox/ports.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../support/api.ts";
import { describePeer, freePort, installPeer, peerFolder, startPeer, stopPeer } from "../support/peers.ts";
import { startHome } from "../support/real-home.ts";
import { until } from "../support/stack.ts";
import { bridgeDevicesText } from "../support/zigbee.ts";

const { dir, remove } = await peerFolder("mosquitto");
const port = await freePort();
const args = ["--dir", dir, "--port", String(port)];

await describePeer(
  "mosquitto",
  () => startPeer("mosquitto", args),
  (peer) => describe(`mosquitto ${peer.version}`, () => mosquitto(peer.pid)),
);

function mosquitto(firstPid: number) {
  let pid = firstPid;
  let api: TestApi;
  let served: Awaited<ReturnType<typeof serveApi>>;
  beforeAll(async () => {
    api = await createTestApi({ clock: systemClock });
    served = await serveApi(api);
  });
  afterAll(async () => {
    await served.close();
    await stopPeer(dir);
    await remove();
  });

  const brokerOf = (login = "hearthline:hearthline") =>
    createMqttBroker({
      url: `mqtt://${login}@127.0.0.1:${port}`,
      clock: systemClock,
      random: systemRandom,
      retainedMs: 500,
    });
  const begin = async () => {
    ({ pid } = await startPeer("mosquitto", args));
  };
  const kill = async () => {
    process.kill(pid, "SIGKILL");
    await until(
      () => fetch(`http://127.0.0.1:${port}`).catch((error: { cause?: { code?: string } }) => error.cause?.code),
      (answer) => answer === "ECONNREFUSED",
      { deadlineMs: 60_000, everyMs: 50 },
    );
  };
  const withSession = async <T>(work: (session: BrokerSession) => Promise<T>): Promise<T> => {
    const session = await brokerOf().connect();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  };
  const retained = (topic: string) => withSession(async (session) => (await session.retained(topic))?.toString());

  /** The relay's outbox at work, with quick looks. */
  function runner(append: (record: readonly NewRelayRecord[]) => void = () => {}) {
    const made = createOutboxRunner({
      turnSink: async () => {},
      refetch: async () => {},
      feed: createOutboxFeed({ url: served.url, token: tokenText("home") }),
      broker: brokerOf(),
      baseTopics: ["zigbee2mqtt"],
      intervalSeconds: 1,
      append: async (make) => append(make(1)),
      clock: systemClock,
      random: () => 0.1,
      log: silentLogger,
    });
    const run = made.run();
    return {
      state: () => made.state(),
      stop: async () => {
        made.stop();
        await run;
      },
    };
  }
  const add = async (body: unknown) => {
    const answer = await api.post("/api/v1/outbox", body);
    expect(answer.status).toBe(201);
  };
  const items = async () =>
    ((await (await api.ask("/api/v1/outbox?limit=1000")).json()) as { items: { status: string; attempts: number }[] })
      .items;
  const allDelivered = () =>
    until(items, (all) => all.every(({ status }) => status === "delivered"), { deadlineMs: 60_000, everyMs: 200 });

  it("takes messages of QoS 1 and keeps the retained ones", async () => {
    await withSession(async (session) => {
      for (let at = 0; at < 20; at++)
        await session.publish({ topic: "hearthline/count", payload: String(at), qos: 1, retain: true });
      await session.publish({ topic: "hearthline/gone", payload: "x", qos: 0, retain: false });
      await session.publish({ topic: "hearthline/empty", payload: "", qos: 1, retain: true });
    });
    expect(await retained("hearthline/count")).toBe("19");
    expect(await retained("hearthline/gone")).toBeUndefined();
  });

  it("refuses a wrong password, and nobody waits for it", async () => {
    await expect(brokerOf("hearthline:wrong").connect()).rejects.toMatchObject({ code: "mqtt_refused", fate: "stop" });
    await expect(brokerOf("nobody:hearthline").connect()).rejects.toMatchObject({ code: "mqtt_refused" });
  });

  it("gives Zigbee2MQTT's devices, kept in full", async () => {
    const many = `[${Array(60).fill(bridgeDevicesText.trim().slice(1, -1)).join(",")}]`;
    await withSession((session) =>
      session.publish({ topic: "zigbee2mqtt/bridge/devices", payload: many, qos: 1, retain: true }),
    );
    expect(await retained("zigbee2mqtt/bridge/devices")).toBe(many);
  });

  it("has nothing published twice without a fault, in the order of asking", async () => {
    const seen: string[] = [];
    const { connect } = await import("mqtt");
    const watcher = connect(`mqtt://hearthline:hearthline@127.0.0.1:${port}`, { protocolVersion: 5 });
    watcher.on("message", (_, payload) => seen.push(payload.toString()));
    await watcher.subscribeAsync("hearthline/order/#", { qos: 1 });
    for (let at = 0; at < 50; at++)
      await add({ kind: "mqtt", topic: `hearthline/order/${at % 3}`, payload: String(at) });
    const relay = runner();
    await allDelivered();
    await relay.stop();
    await watcher.endAsync();
    expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => String(at)));
    expect(relay.state()).toMatchObject({ delivered: 50, failed: 0, breaker: "closed" });
  }, 90_000);

  it("is killed in between and begun again: nothing is lost", async () => {
    for (let at = 0; at < 200; at++)
      await add({ kind: "mqtt", topic: `hearthline/kill/${at}`, payload: String(at), retain: true });
    const relay = runner();
    await until(
      async () => relay.state(),
      ({ delivered }) => delivered > 20,
      { deadlineMs: 60_000, everyMs: 5 },
    );
    await kill();
    await until(
      async () => relay.state(),
      ({ last_error }) => last_error !== undefined,
      { deadlineMs: 60_000, everyMs: 20 },
    );
    expect(relay.state().last_error).toMatch(/^mqtt_(unreachable|disconnected|timeout)/);
    await begin();
    await allDelivered();
    await relay.stop();
    expect(relay.state()).toMatchObject({ delivered: 200, failed: 0 });
    // What was acknowledged after the kill is kept; before it mosquitto itself may forget what it had not written.
    expect(await retained("hearthline/kill/199")).toBe("199");
  }, 120_000);

  it("gives what the devices can do through the outbox", async () => {
    await withSession((session) =>
      session.publish({ topic: "zigbee2mqtt/bridge/devices", payload: bridgeDevicesText, qos: 1, retain: true }),
    );
    const records: NewRelayRecord[] = [];
    await add({ kind: "capabilities" });
    const relay = runner((made) => records.push(...made));
    await allDelivered();
    await relay.stop();
    expect(records).toMatchObject([{ t: "capabilities", part: 1, parts: 1 }]);
  }, 60_000);

  it("shows a published device to a real Home Assistant", async ({ skip }) => {
    try {
      await installPeer("home-assistant", ["--version", "newest", "--install-only"]);
    } catch (thrown) {
      skip(`no Home Assistant here: ${(thrown as Error).message}`);
    }
    const home = await startHome("newest", ["--mqtt", `hearthline:hearthline@127.0.0.1:${port}`]);
    try {
      const sensor = {
        p: "sensor",
        unique_id: "hearthline_suggestions",
        name: "Suggestions",
        stat_t: "hearthline/suggestions",
      };
      const payload = JSON.stringify({
        dev: { ids: ["hearthline"], name: "Hearthline" },
        o: { name: "hearthline" },
        cmps: { suggestions: sensor },
      });
      await add({ kind: "mqtt", topic: "homeassistant/device/hearthline/config", payload, retain: true });
      await add({ kind: "mqtt", topic: "hearthline/suggestions", payload: "3", retain: true });
      const relay = runner();
      await allDelivered();
      await relay.stop();
      const state = await until(
        () => home.ask<{ state: string }>("GET", "/api/states/sensor.hearthline_suggestions").catch(() => undefined),
        (found) => found?.state === "3",
        { deadlineMs: 60_000, everyMs: 500 },
      );
      expect(state?.state).toBe("3");
    } finally {
      await home.stop();
    }
  }, 300_000);
}
