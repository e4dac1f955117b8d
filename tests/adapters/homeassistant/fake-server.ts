import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** One connection of a client, as the server sees it. */
export interface Peer {
  readonly socket: WebSocket;
  /** Sends a message, or a list of messages as one coalesced frame. */
  send(message: unknown): void;
  /** Sends text that need not be JSON. */
  raw(text: string | Buffer, options?: { readonly binary: boolean }): void;
}

export interface FakeServerOptions {
  /** Takes a message of an authenticated client. Default: answers every command with success. */
  readonly onCommand?: (message: Command, peer: Peer) => void;
  /** Instead of Home Assistant's greeting. */
  readonly onConnection?: (peer: Peer) => void;
  readonly token?: string;
  readonly version?: string;
  readonly port?: number;
}

export type Command = Readonly<Record<string, unknown>> & { readonly id: number; readonly type: string };

export interface FakeServer {
  readonly url: string;
  readonly port: number;
  readonly peers: readonly Peer[];
  /** Everything that clients sent, in order. */
  readonly received: Record<string, unknown>[];
  stop(): Promise<void>;
}

export const TOKEN = "a.long-lived.token-for-tests";

/** A WebSocket server that greets and authenticates as Home Assistant does; what it does then is the test's business. */
export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const { token = TOKEN, version = "2026.11.0", onCommand = succeed } = options;
  const http: Server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ server: http, path: "/api/websocket" });
  const peers: Peer[] = [];
  const received: Record<string, unknown>[] = [];

  sockets.on("connection", (socket) => {
    const peer: Peer = {
      socket,
      send: (message) => socket.send(JSON.stringify(message)),
      raw: (text, { binary } = { binary: false }) => socket.send(text, { binary }),
    };
    peers.push(peer);
    socket.on("error", () => {});
    let isIn = false;
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString()) as Command;
      received.push(message);
      if (isIn) onCommand(message, peer);
      else if (options.onConnection === undefined) {
        isIn = message.type === "auth" && message.access_token === token;
        if (isIn) return peer.send({ type: "auth_ok", ha_version: version });
        peer.send({ type: "auth_invalid", message: "Invalid access token or password" });
        socket.close();
      }
    });
    if (options.onConnection) options.onConnection(peer);
    else peer.send({ type: "auth_required", ha_version: version });
  });

  http.listen(options.port ?? 0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    peers,
    received,
    stop: async () => {
      for (const { socket } of peers) socket.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** Answers as for a command without a result. */
export function succeed(command: Command, peer: Peer): void {
  if (command.type === "ping") peer.send({ id: command.id, type: "pong" });
  else peer.send({ id: command.id, type: "result", success: true, result: null });
}
