import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { FaultHooks } from "../live/faults.ts";
import type { HomeCore } from "../live/home-core.ts";
import { serveConnection } from "./connection.ts";
import { answer, serveRest } from "./rest.ts";
import { serveSim } from "./sim-routes.ts";
import type { Connection } from "./wire.ts";

const MESSAGE_MAX_BYTES = 16_777_216;
/** How long clients have to read the rest and to say goodbye. */
const STOP_PATIENCE_MS = 2_000;

/** The door of the home: HTTP and WebSocket on 127.0.0.1. */
export interface HomeServer {
  readonly port: number;
  /** Ends every client's connection; `isClean` with a close frame. */
  closeConnections(isClean: boolean): void;
  /** Messages that wait for the slowest client. */
  pending(): number;
  connections(): number;
  stop(): Promise<void>;
}

/** Listens; `port` 0 takes a free one. While the home is down, whoever connects is cut off. @throws HearthlineError `port_taken` */
export async function serveHome(core: HomeCore, port: number, hooks: Pick<FaultHooks, "restart">): Promise<HomeServer> {
  const connections = new Set<Connection>();
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const isSim = (request.url ?? "").startsWith("/_sim/");
    if (!isSim && !core.isUp) return void request.socket.destroy();
    const served = isSim
      ? serveSim(core, request, { response, hooks: { ...hooks, dropConnections, connections: () => connections.size } })
      : serveRest(core, request, response);
    served.catch(() =>
      response.headersSent ? response.destroy() : answer(response, 500, "500: Internal Server Error"),
    );
  });
  const websockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX_BYTES, perMessageDeflate: false });
  const closeConnections = (isClean: boolean) => {
    for (const connection of [...connections]) connection.end(isClean);
  };
  const dropConnections = () => closeConnections(false);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  server.on("upgrade", (request, socket, head) => {
    const path = new URL(request.url ?? "/", "http://home").pathname;
    if (!core.isUp) return void socket.destroy();
    if (path !== "/api/websocket") return void socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
    websockets.handleUpgrade(request, socket, head, (ws) => {
      const closed = (connection: Connection) => void connections.delete(connection);
      connections.add(serveConnection(core, ws, { socket: socket as Socket, hooks: { closed } }));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === "EADDRINUSE"
          ? new HearthlineError(
              "port_taken",
              `Tried to listen on 127.0.0.1:${port} for the simulated home: another program listens there. Wanted is a free port, or 0 for any.`,
            )
          : cause,
      ),
    );
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    closeConnections,
    pending: () => Math.max(0, ...[...connections].map((connection) => connection.pending())),
    connections: () => connections.size,
    async stop() {
      closeConnections(true);
      websockets.close();
      const closed = new Promise((resolve) => server.close(resolve));
      // Clients read what was written and answer the close frame; a connection that is cut before may lose what they have not read.
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, STOP_PATIENCE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}
