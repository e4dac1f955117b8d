import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRelayProcess, type RelayProcess, relayExit } from "../lib/wiring/relay.ts";

/** Whatever hangs: a part that is told to end is gone within five seconds. */
const END_WITHIN_MS = 4_800;

/**
 * The process in the house: the relay, and its status on 127.0.0.1. Says `{ready, port}` over IPC where there is a parent;
 * ends on SIGTERM, on SIGINT, and when the parent is gone.
 */
async function main(): Promise<void> {
  const relay = createRelayProcess(process.env, { isAlone: process.send === undefined });
  let server: Server;
  try {
    server = await serveStatus(relay);
  } catch (thrown) {
    await relay.stop();
    throw thrown;
  }
  const end = () => {
    setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
    void relay.stop();
  };
  // Not once: without a listener the second signal (a supervisor's, and the one passed on by its parent) would end it in the middle.
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("SIGHUP", end);
  process.once("disconnect", end);
  const { port } = server.address() as AddressInfo;
  relay.log.info("The relay has started.", { status: `http://127.0.0.1:${port}/health` });
  process.send?.({ ready: true, port });
  try {
    await relay.run();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function serveStatus(relay: RelayProcess): Promise<Server> {
  const server = createServer((request, answer) => {
    const path = request.url?.split("?")[0];
    if (request.method !== "GET") return send(answer, 405, "text/plain", "Only GET is answered here.\n");
    if (path === "/health") return send(answer, 200, "application/json", `${JSON.stringify(relay.health())}\n`);
    if (path === "/metrics") {
      return send(answer, 200, "application/openmetrics-text; version=1.0.0; charset=utf-8", relay.metrics());
    }
    return send(answer, 404, "text/plain", "There are /health and /metrics.\n");
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(relay.port, "127.0.0.1", () => resolve(server));
  });
}

function send(answer: ServerResponse, status: number, type: string, body: string): void {
  answer.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    const { code, message } = relayExit(thrown);
    process.stderr.write(`${message}\n`);
    process.exit(code);
  },
);
