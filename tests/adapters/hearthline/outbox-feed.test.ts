import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createOutboxFeed } from "../../../lib/adapters/hearthline/outbox-feed.ts";
import { createTestApi, serveApi, type TestApi, tokenText } from "../../support/api.ts";
import { manualClock } from "../../support/manual-clock.ts";

let api: TestApi;
let served: Awaited<ReturnType<typeof serveApi>>;
let statuses: number[];
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
  statuses = [];
  served = await serveApi({
    fetchApi: async (request) => {
      const answer = await api.fetchApi(request);
      statuses.push(answer.status);
      return answer;
    },
  });
});
afterEach(() => served.close());

const feedOf = (token = tokenText("home"), url = served.url) => createOutboxFeed({ url, token, timeoutMs: 2_000 });
const add = (topic: string) => api.post("/api/v1/outbox", { kind: "mqtt", topic, payload: "1", retain: true });

/** Answers everything alike. */
async function saying(status: number, body: string, delayMs = 0) {
  const server = createServer((_, answer) => {
    setTimeout(() => answer.writeHead(status).end(body), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}

describe("the feed of the outbox", () => {
  it("gives what waits, in order, and ends it; an unchanged list is not sent again", async () => {
    const feed = feedOf();
    expect(await feed.pending()).toEqual([]);
    await add("hearthline/a");
    await api.post("/api/v1/outbox", { kind: "capabilities" });
    const items = await feed.pending();
    expect(items).toEqual([
      { id: expect.any(String), kind: "mqtt", message: { topic: "hearthline/a", payload: "1", qos: 1, retain: true } },
      { id: expect.any(String), kind: "capabilities" },
    ]);
    expect(await feed.pending()).toEqual(items);
    expect(statuses).toEqual([200, 200, 304]);
    await feed.acknowledge(items[0]?.id ?? "", { status: "delivered", attempts: 1 });
    await feed.acknowledge(items[0]?.id ?? "", { status: "delivered", attempts: 1 });
    expect(await feed.pending()).toEqual(items.slice(1));
    await feed.acknowledge("forgotten", { status: "delivered", attempts: 1 });
  });

  it("names what a person has to mend, and tells no token", async () => {
    const thrown = await feedOf(tokenText("home", "x"))
      .pending()
      .catch((error: Error) => error);
    expect(thrown).toMatchObject({ code: "service_refused", fate: "stop" });
    expect((thrown as Error).message).toContain("HEARTHLINE_TOKEN");
    expect((thrown as Error).message).not.toContain("xxxx");
    await expect(
      feedOf(tokenText("home", "r")).acknowledge("a", { status: "delivered", attempts: 1 }),
    ).rejects.toMatchObject({
      code: "service_refused",
    });
  });

  it.each([
    [404, "not here", "service_refused"],
    [429, "", "service_throttled"],
    [503, "", "service_failed"],
    [200, "<html>a proxy's page</html>", "service_failed"],
    [200, '{"items":[{"id":7}]}', "service_failed"],
    [304, "", "service_failed"],
  ])("meets an answer of %i %s as %s", async (status, body, code) => {
    const server = await saying(status, body);
    await expect(feedOf(undefined, server.url).pending()).rejects.toMatchObject({ code });
    await server.close();
  });

  it("hands on that a sink is to be stopped, which nobody can ask over the API", async () => {
    const refused = await api.post("/api/v1/outbox", { kind: "sink", sink: "old", state: "off" });
    expect(refused.status).toBe(400);
    await api.outbox.add({ homeId: "home", kind: "sink", sink: { sink: "old", state: "off" }, expiresInSeconds: 60 });
    expect(await feedOf().pending()).toEqual([
      { id: expect.any(String), kind: "sink", sink: { sink: "old", state: "off" } },
    ]);
  });

  it("hands on an item whose message is malformed, so that it can be ended", async () => {
    const server = await saying(200, '{"items":[{"id":"a","kind":"mqtt","topic":"zigbee2mqtt/x/set","payload":"1"}]}');
    expect(await feedOf(undefined, server.url).pending()).toEqual([{ id: "a", kind: "mqtt" }]);
    await server.close();
  });

  it("hands on an item of a kind that only a newer cloud knows, beside the others", async () => {
    const server = await saying(
      200,
      '{"items":[{"id":"a","kind":"firmware"},{"id":"b","kind":"capabilities"},{"id":"c","kind":"unknown"}]}',
    );
    expect(await feedOf(undefined, server.url).pending()).toEqual([
      { id: "a", kind: "unknown" },
      { id: "b", kind: "capabilities" },
      { id: "c", kind: "unknown" },
    ]);
    await server.close();
  });

  it("reads no answer without an end", async () => {
    const server = createServer((_, answer) => {
      const more = () => {
        while (answer.write(Buffer.alloc(1_048_576, "x")));
      };
      answer.on("drain", more);
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(createOutboxFeed({ url, token: "t" }).pending()).rejects.toMatchObject({
      code: "service_failed",
      message: expect.stringContaining("more than"),
    });
    server.closeAllConnections();
    server.close();
  });

  it("waits for no answer for ever, and says when nobody listens", async () => {
    const slow = await saying(200, "", 5_000);
    const feed = createOutboxFeed({ url: slow.url, token: "t", timeoutMs: 50 });
    await expect(feed.pending()).rejects.toMatchObject({ code: "service_timeout", fate: "retry" });
    await slow.close();
    await expect(feed.pending()).rejects.toMatchObject({
      code: "service_unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
