import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server that takes all that it is sent and keeps nothing: what is measured is the relay that sends. */
export interface Taker {
  readonly url: string;
  stop(): void;
}

async function startTaker(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, stop };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** SQS as far as a relay's sink asks it: where the queue is, and batches of messages. */
export const startQueue = (): Promise<Taker> =>
  startTaker(async (request, response) => {
    const body = await bodyOf(request);
    const isBatch = String(request.headers["x-amz-target"]).endsWith("SendMessageBatch");
    const { Entries = [] } = (isBatch ? JSON.parse(body) : {}) as { Entries?: readonly { readonly Id: string }[] };
    const answer = isBatch
      ? { Successful: Entries.map(({ Id }) => ({ Id, MessageId: Id })), Failed: [] }
      : { QueueUrl: `http://${request.headers.host}/000000000000/events` };
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(answer));
  });

/** InfluxDB's `/write`: every line is good. */
export const startLineTaker = (): Promise<Taker> =>
  startTaker(async (request, response) => {
    for await (const _ of request);
    response.writeHead(204).end();
  });
