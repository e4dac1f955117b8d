import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createOpenaiWriter } from "../../../lib/adapters/openai/writer.ts";

const words = { title: "Turn on lamp at 07:02", description: "You do it around 07:02.", evidence: "18 of 20 days" };
const better = { title: "Lamp at 07:02", description: "Let it come on at 07:02." };

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let url: string;
beforeEach(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    answer(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});
const says = (content: unknown) => (_: IncomingMessage, response: ServerResponse) =>
  void response.end(JSON.stringify({ choices: [{ message: { content } }] }));

describe("a model behind chat completions", () => {
  it("is told the words and the evidence, and gives others", async () => {
    let asked: { url?: string | undefined; authorization?: string | undefined; body: string } = { body: "" };
    answer = (request, response, body) => {
      asked = { url: request.url, authorization: request.headers.authorization, body };
      says(JSON.stringify(better))(request, response);
    };
    const writer = createOpenaiWriter({ baseUrl: `${url}/`, apiKey: "secret", model: "small" });
    expect(await writer.rephrase(words)).toEqual(better);
    expect(asked).toMatchObject({ url: "/v1/chat/completions", authorization: "Bearer secret" });
    const { model, messages } = JSON.parse(asked.body) as { model: string; messages: { content: string }[] };
    expect([model, JSON.parse(messages[1]?.content ?? "")]).toEqual(["small", words]);
  });

  it("may wrap its answer in a fence; anything else that is no words is none", async () => {
    const writer = createOpenaiWriter({ baseUrl: url, model: "small" });
    answer = says(`\`\`\`json\n${JSON.stringify(better)}\n\`\`\``);
    expect(await writer.rephrase(words)).toEqual(better);
    for (const content of ["", "No.", "{}", "null", '{"title":1,"description":"x"}', null, "x".repeat(100_000)]) {
      answer = says(content);
      expect(await writer.rephrase(words)).toBeUndefined();
    }
    answer = (_, response) => void response.end("<html>");
    expect(await writer.rephrase(words)).toBeUndefined();
  });

  it("that is slow, away or refuses is an error that never holds the key", async () => {
    const impatient = createOpenaiWriter({ baseUrl: url, apiKey: "secret", model: "small", timeoutMs: 50 });
    const writer = createOpenaiWriter({ baseUrl: url, apiKey: "secret", model: "small" });
    answer = () => {};
    await expect(impatient.rephrase(words)).rejects.toMatchObject({ code: "service_timeout" });
    for (const [status, code] of [
      [401, "service_refused"],
      [404, "service_refused"],
      [429, "service_throttled"],
      [500, "service_failed"],
    ] as const) {
      answer = (_, response) => {
        response.statusCode = status;
        response.end("secret");
      };
      const refused = writer.rephrase(words);
      await expect(refused).rejects.toMatchObject({ code });
      await expect(refused).rejects.not.toThrow(/secret/);
    }
    const away = createOpenaiWriter({ baseUrl: "http://127.0.0.1:1/v1", model: "small" });
    await expect(away.rephrase(words)).rejects.toMatchObject({ code: "service_unreachable" });
  });
});
