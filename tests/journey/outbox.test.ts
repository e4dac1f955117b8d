import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOutboxFeed } from "../../lib/adapters/hearthline/outbox-feed.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { createOutboxRunner } from "../../lib/relay/index.ts";
import { FakeBroker } from "../relay/outbox/fakes.ts";
import { manualClock } from "../support/manual-clock.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { sealed } from "../support/records.ts";
import { bridgeDevicesText, LAMP, lampDevice } from "../support/zigbee.ts";
import type { Journey } from "./records.ts";

describe("from the API through the relay to the house and back", () => {
  let pipeline: Pipeline;
  let home: Journey;
  let server: ReturnType<typeof createServer>;
  let url: string;

  beforeAll(async () => {
    pipeline = await startPipeline();
    home = await pipeline.addHome();
    // The API as the relay meets it: by HTTP, with its token.
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const token = request.headers.authorization?.replace("Bearer ", "");
      const body = Buffer.concat(chunks).toString();
      const { status, json } = await pipeline.ask(token, request.url ?? "/", {
        method: request.method ?? "GET",
        ...(body !== "" && { body }),
      });
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }, 60_000);
  afterAll(async () => {
    server.close();
    await pipeline.stop();
  });

  const post = (path: string, body: unknown) =>
    pipeline.ask(home.token, `/api/v1${path}`, { method: "POST", body: JSON.stringify(body) });

  it("publishes what was asked, and knows afterwards what the devices can do", async () => {
    const part = { revision: Date.now(), part: 1, parts: 1 };
    await pipeline.send(
      "events",
      sealed([{ t: "registry", registry: "devices", ...part, rows: [lampDevice] }], { key: home.key }),
    );
    await pipeline.drain();
    expect((await post("/outbox", { kind: "mqtt", topic: "hearthline/a", payload: "1" })).status).toBe(201);
    expect((await post("/outbox", { kind: "capabilities" })).status).toBe(201);

    const clock = manualClock();
    const broker = new FakeBroker();
    broker.kept.set("zigbee2mqtt/bridge/devices", Buffer.from(bridgeDevicesText));
    let sequence = 1;
    const runner = createOutboxRunner({
      turnSink: async () => {},
      refetch: async () => {},
      feed: createOutboxFeed({ url, token: home.token }),
      ...{ broker, clock, baseTopics: ["zigbee2mqtt"], intervalSeconds: 60, random: () => 0, log: silentLogger },
      append: async (make) => {
        const records = make(Date.now());
        await pipeline.send("events", sealed([...records], { key: home.key, first: sequence + 1 }));
        sequence += records.length;
      },
    });
    const run = runner.run();
    await expect
      .poll(
        async () => {
          await clock.advance(1_000);
          return runner.state().delivered;
        },
        { timeout: 20_000 },
      )
      .toBe(2);
    runner.stop();
    await run;
    expect(broker.published).toEqual(["1"]);
    await pipeline.drain();

    const { json: list } = await pipeline.ask(home.token, "/api/v1/outbox");
    expect(list.items).toMatchObject([
      { kind: "mqtt", status: "delivered" },
      { kind: "capabilities", status: "delivered" },
    ]);
    const { json: capabilities } = await pipeline.ask(home.token, "/api/v1/devices/ha-lamp/capabilities");
    expect(capabilities).toMatchObject({ source: "zigbee2mqtt", zigbee: { ieee_address: LAMP, vendor: "IKEA" } });
    expect(capabilities.features).toHaveLength(11);
    const { json: all } = await pipeline.ask(home.token, "/api/v1/capabilities");
    expect(all.capabilities).toHaveLength(6);
  }, 60_000);

  it("sets capabilities aside that are none, and keeps the others", async () => {
    const record = { t: "capabilities", revision: Date.now() + 1_000, part: 2, parts: 1, rows: [] };
    await pipeline.send("events", sealed([record], { key: home.key, first: 50 }));
    await pipeline.drain();
    const { json } = await pipeline.ask(home.token, "/api/v1/capabilities");
    expect(json.capabilities).toHaveLength(6);
  });
});
