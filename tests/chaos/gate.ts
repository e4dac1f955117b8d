import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** How the queue answers. `answer-lost`: it takes the message, and its answer never arrives. */
export type GateState = "open" | "cut" | "silent" | "answer-lost" | "errors" | "throttles";

/** The relay's way to the queue: passes requests on and looks at the messages in them. */
export interface Gate {
  readonly url: string;
  set(state: GateState): void;
  close(): Promise<void>;
}

interface GateOptions {
  readonly queuePort: number;
  /** A message that the queue has taken; `isAcknowledged`: and its answer went back to the relay. */
  readonly onTaken: (body: string, isAcknowledged: boolean) => void;
}

const JSON_TYPE = { "content-type": "application/x-amz-json-1.0" };

export async function openGate({ queuePort, onTaken }: GateOptions): Promise<Gate> {
  let state: GateState = "open";
  const sockets = new Set<Socket>();
  const serve = async (asked: IncomingMessage, answer: ServerResponse) => {
    const body = await bodyOf(asked);
    if (state === "cut") return asked.socket.resetAndDestroy();
    if (state === "silent") return;
    if (state === "errors") return refuse(answer, 503, "ServiceUnavailable");
    if (state === "throttles") return refuse(answer, 400, "com.amazonaws.sqs#RequestThrottled");
    const taken = await forward(asked, body, queuePort);
    // The state by now: it may have changed while the queue worked.
    const isAnswered = (state as GateState) !== "answer-lost" && !asked.socket.destroyed;
    for (const message of taken.status === 200 ? messagesIn(body, taken.body) : []) onTaken(message, isAnswered);
    if (!isAnswered) return asked.socket.resetAndDestroy();
    answer.writeHead(taken.status, taken.headers).end(taken.body);
  };
  const server = createServer((asked, answer) => {
    serve(asked, answer).catch(() => asked.socket.destroy());
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(wanted) {
      // What was left without an answer gets none any more.
      if (wanted === "cut" || state === "silent") reset();
      state = wanted;
    },
    close() {
      reset();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

const refuse = (answer: ServerResponse, status: number, type: string): void =>
  void answer.writeHead(status, JSON_TYPE).end(JSON.stringify({ __type: type, message: "chaos" }));

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Forwarded {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

function forward(asked: IncomingMessage, body: Buffer, port: number): Promise<Forwarded> {
  const { method, url, headers } = asked;
  return new Promise((resolve, reject) => {
    const onward = request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
      bodyOf(answer).then(
        (text) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: text }),
        reject,
      );
    });
    onward.on("error", reject);
    onward.end(body);
  });
}

interface Batch {
  readonly Entries?: readonly { readonly Id: string; readonly MessageBody: string }[];
}

/** Bodies of a SendMessageBatch whose entries the answer confirms. Source: SQS API reference, SendMessageBatch. */
function messagesIn(asked: Buffer, answered: Buffer): string[] {
  const { Entries = [] } = JSON.parse(asked.toString()) as Batch;
  if (Entries.length === 0 || Entries[0]?.MessageBody === undefined) return [];
  const { Successful = [] } = JSON.parse(answered.toString()) as { Successful?: readonly { readonly Id: string }[] };
  const taken = new Set(Successful.map(({ Id }) => Id));
  return Entries.filter(({ Id }) => taken.has(Id)).map(({ MessageBody }) => MessageBody);
}
