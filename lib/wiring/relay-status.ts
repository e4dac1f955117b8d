import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import type { RelayHealth } from "../relay/index.ts";
import { relayPages } from "../web/index.ts";

export interface RelayStatusOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Addresses and networks that are answered; empty: everybody who reaches it. */
  readonly allow: readonly string[];
  health(): RelayHealth;
  /** OpenMetrics text. */
  metrics(): string;
}

interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const HTML = "text/html; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";
/** Source: the OpenMetrics specification 1.0, "Media Type". */
const METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/** Whoever asks slowly, or opens and says nothing, must not pile up. */
const ASKING_MS = 10_000;
/** How often Node looks for those that are slower; its default of 30 s would let them stay four times as long. */
const LOOK_FOR_SLOW_MS = 1_000;
const CONNECTIONS_MAX = 64;
/** Of these by addresses that are not answered: whoever is not let in must not keep out who is. */
const FOREIGN_CONNECTIONS_MAX = 8;
/** Where the Supervisor is, for every app: it hands on the browser's Host, whatever name the owner's Home Assistant has. Source: developers' documentation of apps, "Presentation", ingress; read 2026-09. */
const SUPERVISOR_ADDRESS = "172.30.32.2";
/** Names that nobody can register: of this machine, of the local network (RFC 6761, 6762, 8375, and `internal` by ICANN), those that routers give, and without a dot. */
const LOCAL_NAME = /^([^.]+|.+\.(localhost|local|lan|home|internal|fritz\.box|home\.arpa))\.?$/i;

/**
 * The relay's page, `/health`, `/metrics`, and `/live` (200 as long as the process answers, for watchdogs that restart it: a restart cures no Home Assistant
 * that is away). Reads only, and shows no secret and no entity.
 */
export async function serveRelayStatus(options: RelayStatusOptions): Promise<Server> {
  const isAllowed = allowing(options.allow);
  const limits = {
    requestTimeout: ASKING_MS,
    headersTimeout: ASKING_MS,
    connectionsCheckingInterval: LOOK_FOR_SLOW_MS,
  };
  const server = createServer(limits, (request, response) => {
    if (!isAllowed(request.socket.remoteAddress ?? "")) {
      response.setHeader("connection", "close");
      return send(response, { status: 403, type: TEXT, body: "This address is not answered here.\n" });
    }
    if (!isForUs(request)) {
      const body =
        "Ask by address, or by a name of the local network: a page of somebody else's could ask by any other.\n";
      return send(response, { status: 421, type: TEXT, body });
    }
    try {
      send(response, answer(request, options));
    } catch {
      send(response, { status: 500, type: TEXT, body: "The relay cannot say how it is.\n" });
    }
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.on("connection", limitForeign(isAllowed));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  // A connection that could not be taken (no file handle left) is not worth the relay.
  server.on("error", () => {});
  return server;
}

/**
 * A page in a browser in the house can make a name of its own mean this machine, and would then read everything here as if it came from there (DNS rebinding).
 * Such a name is in `Host`; an address or a local name cannot be one.
 */
function isForUs({ headers, socket, url = "/" }: IncomingMessage): boolean {
  // A target that is a whole address outranks `Host` (RFC 9112, 3.2.2). Only proxies are sent one, and this is none.
  if (!url.startsWith("/")) return false;
  const name = (headers.host ?? "").replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  if (isIP(name) !== 0 || LOCAL_NAME.test(name)) return true;
  return (socket.remoteAddress ?? "").replace(/^::ffff:/, "") === SUPERVISOR_ADDRESS;
}

function limitForeign(isAllowed: (address: string) => boolean): (socket: Socket) => void {
  let foreign = 0;
  return (socket) => {
    if (isAllowed(socket.remoteAddress ?? "")) return;
    if (foreign >= FOREIGN_CONNECTIONS_MAX) return void socket.destroy();
    foreign += 1;
    socket.once("close", () => {
      foreign -= 1;
    });
  };
}

function answer(request: IncomingMessage, { health, metrics }: RelayStatusOptions): Answer {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { status: 405, type: TEXT, body: "Only GET is answered here.\n", headers: { allow: "GET, HEAD" } };
  }
  switch (request.url?.split("?")[0]) {
    case "/": {
      const { html, policy } = relayPages.page(health());
      return { type: HTML, body: html, headers: { "content-security-policy": policy } };
    }
    case "/page/part":
      return { type: HTML, body: relayPages.part(health()) };
    case "/health": {
      const now = health();
      const status = now.status === "down" ? 503 : 200;
      return { status, type: "application/json", body: `${JSON.stringify(now)}\n` };
    }
    case "/live":
      return { type: TEXT, body: "The relay's process answers.\n" };
    case "/metrics":
      return { type: METRICS, body: metrics() };
    default:
      return { status: 404, type: TEXT, body: "There are /, /health, /live and /metrics.\n" };
  }
}

function send(response: ServerResponse, { status = 200, type, body, headers }: Answer): void {
  const length = Buffer.byteLength(body);
  response
    .writeHead(status, {
      "content-type": type,
      "content-length": length,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
      ...headers,
    })
    .end(response.req.method === "HEAD" ? undefined : body);
}

/** @throws TypeError for what is no address or network: settings are checked before */
function allowing(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => true;
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  // An IPv4 address that comes as "::ffff:a.b.c.d" is matched with the IPv4 rules.
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
