import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Pipeline } from "./pipeline.ts";

/** The API of a pipeline as the relay meets it: by HTTP, with its token. */
export async function servePipeline(pipeline: Pick<Pipeline, "ask">) {
  const server = createServer(async (request, response) => {
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
