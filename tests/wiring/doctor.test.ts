import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { readConfig } from "../../lib/wiring/config.ts";
import { askBroker, askOldPipeline } from "../../lib/wiring/doctor.ts";
import { connack, oldConnack, smallBroker } from "../support/small-broker.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function pipeline(status: number) {
  const asked: { request: IncomingMessage; body: string }[] = [];
  const server = createServer((request, answer) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      asked.push({ request, body });
      answer.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe("what doctor asks", () => {
  it.each([
    ["http", { HEARTHLINE_OLD_TOKEN: "t0ken" }, "/in", "[]", "Bearer t0ken"],
    [
      "influxdb",
      { HEARTHLINE_OLD_USER: "ha", HEARTHLINE_OLD_PASSWORD: "p" },
      "/write?db=home_assistant",
      "",
      "Basic aGE6cA==",
    ],
    ["influxdb", { HEARTHLINE_OLD_TOKEN: "t0ken" }, "/write?db=home_assistant", "", "Token t0ken"],
    ["influxdb", {}, "/write?db=home_assistant", "", undefined],
  ] as const)(
    "an old pipeline of kind %s: as the relay, but without an event",
    async (kind, env, path, body, authorization) => {
      const { url, asked } = await pipeline(401);
      const config = readConfig({ HEARTHLINE_OLD_SINK: kind, ...env });
      expect(await askOldPipeline(config, kind === "http" ? `${url}/in` : url)).toBe(401);
      const [{ request, body: sent } = { request: undefined, body: undefined }] = asked;
      expect([request?.method, request?.url, sent, request?.headers.authorization]).toEqual([
        "POST",
        path,
        body,
        authorization,
      ]);
    },
  );

  it("a broker: whether it takes the user", async () => {
    let isRefusing = false;
    const broker = await smallBroker(({ type, version, socket }) => {
      if (type !== 1) return;
      if (version === 5) socket.write(connack(isRefusing ? 134 : 0));
      else socket.write(oldConnack(isRefusing ? 4 : 0));
    });
    ends.push(broker.stop);
    const url = `mqtt://user:s3cret@127.0.0.1:${broker.port}`;
    await askBroker(url);
    isRefusing = true;
    const thrown = await askBroker(url).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "mqtt_refused" });
    expect(String(thrown)).not.toContain("s3cret");
  });
});
