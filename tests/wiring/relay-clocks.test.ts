import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createHttpClock, homeAssistantPage } from "../../lib/wiring/relay-clocks.ts";

async function askServer(answer: RequestListener): Promise<number | undefined> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await createHttpClock("x", `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`).nowMs();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("another party's clock", () => {
  it("is its Date header, whatever the answer is", async () => {
    const date = "Sun, 22 Nov 2026 06:00:05 GMT";
    expect(await askServer((_, answer) => answer.writeHead(403, { date }).end("no"))).toBe(Date.parse(date));
  });

  it("is unknown without a Date, with a bad one, or without an answer", async () => {
    const without: RequestListener = (_, answer) => {
      answer.sendDate = false;
      answer.end();
    };
    expect(await askServer(without)).toBeUndefined();
    expect(await askServer((_, answer) => answer.writeHead(200, { date: "soon" }).end())).toBeUndefined();
    expect(await askServer((request) => request.destroy())).toBeUndefined();
  });

  it.each([
    ["http://homeassistant.local:8123", "http://homeassistant.local:8123/manifest.json"],
    ["https://home.example/lovelace?x=1#a", "https://home.example/manifest.json"],
    ["ws://supervisor/core/websocket", "http://supervisor/manifest.json"],
    ["wss://home.example/api/websocket", "https://home.example/manifest.json"],
  ])("%s is asked at %s", (url, page) => {
    expect(homeAssistantPage(url)).toBe(page);
  });
});
