import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";

export interface SmallSupervisor {
  readonly url: string;
  /** What the app finds in SUPERVISOR_TOKEN. */
  readonly token: string;
  /** While Core is not there the proxy answers 502, and cuts whoever is connected. */
  setCore(isUp: boolean): void;
  /** What GET /services/mqtt gives; undefined: no broker. */
  mqtt: Readonly<Record<string, unknown>> | undefined;
  /** Commands that it refused to hand on. */
  readonly refused: string[];
  stop(): Promise<void>;
}

interface Core {
  readonly url: string;
  readonly token: string;
}

/**
 * The least of Home Assistant's Supervisor that an app needs: the proxy of Core's WebSocket, which asks for the token itself and signs in at Core with another, hands
 * on every message but those for the Supervisor, and answers 502 while Core is down; and the services API.
 */
export async function startSmallSupervisor(core: Core): Promise<SmallSupervisor> {
  const token = "a-token-of-the-supervisor-for-this-app";
  let isUp = true;
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, answer) => {
    const isAllowed = request.headers.authorization === `Bearer ${token}`;
    const data = request.url === "/services/mqtt" ? supervisor.mqtt : undefined;
    const status = !isAllowed ? 401 : data === undefined ? 400 : 200;
    answer.writeHead(status, { "content-type": "application/json" });
    answer.end(JSON.stringify(status === 200 ? { result: "ok", data } : { result: "error", message: "no" }));
  });
  const supervisor: SmallSupervisor = {
    url: "",
    token,
    mqtt: undefined,
    refused: [],
    setCore(now) {
      isUp = now;
      if (!now) for (const socket of sockets.clients) socket.terminate();
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on("upgrade", (request, socket: Duplex, head) => {
    if (!isUp || request.url !== "/core/websocket") {
      return socket.end(`HTTP/1.1 ${isUp ? "404 Not Found" : "502 Bad Gateway"}\r\nContent-Length: 0\r\n\r\n`);
    }
    sockets.handleUpgrade(request, socket, head, (client) =>
      proxy(client, { core, token, refused: supervisor.refused }),
    );
  });
  await listening(server);
  return Object.assign(supervisor, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const listening = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

interface ProxyOptions {
  readonly core: Core;
  readonly token: string;
  readonly refused: string[];
}

function proxy(client: WebSocket, { core, token, refused }: ProxyOptions): void {
  const say = (message: object) => client.send(JSON.stringify(message));
  say({ type: "auth_required", ha_version: "2026.11.0" });
  client.once("message", (first) => {
    const { access_token } = JSON.parse(String(first)) as { access_token?: string };
    if (access_token !== token) {
      say({ type: "auth_invalid", message: "Invalid access" });
      return client.close();
    }
    const upstream = new WebSocket(`${core.url.replace("http", "ws")}/api/websocket`);
    client.on("close", () => upstream.terminate());
    upstream.on("close", () => client.close());
    upstream.on("error", () => client.terminate());
    const toCore = (text: RawData) => {
      const { type, id } = JSON.parse(String(text)) as { type: string; id: number };
      if (!/^(supervisor|hassio)\//.test(type)) return upstream.send(String(text));
      refused.push(type);
      say({ id, type: "result", success: false, error: { code: "unauthorized", message: "Unauthorized" } });
    };
    upstream.on("message", (text) => {
      const { type } = JSON.parse(String(text)) as { type?: string };
      if (type === "auth_required") upstream.send(JSON.stringify({ type: "auth", access_token: core.token }));
      else if (type === "auth_ok") {
        say({ type: "auth_ok", ha_version: "2026.11.0" });
        client.on("message", toCore);
      } else client.send(String(text));
    });
  });
}
