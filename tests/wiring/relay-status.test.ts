import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { metricsOf, type RelayHealth } from "../../lib/relay/index.ts";
import { serveRelayStatus } from "../../lib/wiring/relay-status.ts";
import { parseOpenMetrics } from "../support/openmetrics.ts";
import { healthySink, relayHealth } from "../support/relay-health.ts";

let server: Awaited<ReturnType<typeof serveRelayStatus>> | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

async function serve(health: () => RelayHealth = relayHealth, allow: readonly string[] = [], host = "127.0.0.1") {
  server = await serveRelayStatus({ host, port: 0, allow, health, metrics: () => metricsOf(health()) });
  const { port } = server.address() as AddressInfo;
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
}
const refused = (): RelayHealth => relayHealth({ connected: false, refused: true, last_error: "refused" });

describe("the relay's status", () => {
  it("health: 200 while it works, also with something to look at; 503 when it does not", async () => {
    const ok = await (await serve())("/health");
    expect([ok.status, ok.headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(await ok.json()).toEqual(relayHealth());
    server?.close();
    const degraded = await serve(() => relayHealth({ sinks: [healthySink({ breaker: "open" })] }));
    expect((await degraded("/health")).status).toBe(200);
    server?.close();
    const down = await (await serve(refused))("/health");
    expect([down.status, ((await down.json()) as RelayHealth).status]).toEqual([503, "down"]);
  });

  it("live: 200 as long as the process answers, whatever it lacks", async () => {
    expect((await (await serve(refused))("/live")).status).toBe(200);
  });

  it("metrics: as OpenMetrics, by their own type", async () => {
    const answer = await (await serve())("/metrics");
    expect(answer.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(parseOpenMetrics(await answer.text()).size).toBeGreaterThan(25);
  });

  it("the page: nothing from elsewhere, framed by its own origin only, and the part that changes alone", async () => {
    const ask = await serve();
    const page = await ask("/");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const text = await page.text();
    const part = await (await ask("/page/part")).text();
    expect(text).toContain(part);
    expect(part).not.toContain("<script");
  });

  it("answers HEAD without a body, refuses to be written to, and knows no other path", async () => {
    const ask = await serve();
    const head = await ask("/health", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(100);
    expect([(await ask("/", { method: "POST" })).status, (await ask("/other")).status]).toEqual([405, 404]);
    expect((await ask("/health?x=1")).status).toBe(200);
  });

  it("says nothing of what failed in it", async () => {
    const ask = await serve(() => {
      throw new Error("PLANTED");
    });
    const answer = await ask("/health");
    expect([answer.status, await answer.text()]).toEqual([500, "The relay cannot say how it is.\n"]);
    expect((await ask("/live")).status).toBe(200);
  });
});

describe("whom it answers", () => {
  it.each([
    ["everybody when nobody is named", [], 200],
    ["an address", ["127.0.0.1"], 200],
    ["a network", ["10.0.0.0/8", "127.0.0.0/8"], 200],
    ["not the others", ["172.30.32.2", "::1"], 403],
  ] as const)("%s", async (_what, allow, status) => {
    for (const path of ["/", "/health", "/metrics", "/live", "/nothing"]) {
      const answer = await (await serve(relayHealth, allow))(path);
      expect(answer.status).toBe(path === "/nothing" && status === 200 ? 404 : status);
      expect((await answer.text()).includes("home")).toBe(status === 200 && path !== "/live" && path !== "/nothing");
      server?.close();
    }
  });

  it("knows an IPv4 address that comes as IPv6", async () => {
    const ask = await serve(relayHealth, ["127.0.0.1"], "::");
    expect((await ask("/live")).status).toBe(200);
    server?.close();
    expect((await (await serve(relayHealth, ["172.30.32.2"], "::"))("/live")).status).toBe(403);
  });
});

const portOf = () => (server?.address() as AddressInfo | undefined)?.port ?? 0;

/** What a request with this Host is answered. */
async function statusFor(host: string | undefined): Promise<number> {
  const asked = request({
    host: "127.0.0.1",
    port: portOf(),
    path: "/health",
    setHost: false,
    headers: host ? { host } : {},
  });
  asked.end();
  const [answer] = await once(asked, "response");
  answer.resume();
  return answer.statusCode;
}

describe("by which name it answers", () => {
  it.each([
    "127.0.0.1:8788",
    "[::1]:8788",
    "192.168.1.7",
    "localhost:8788",
    "LOCALHOST",
    "homeassistant",
    "homeassistant.local:8099",
    "relay.home.arpa",
    "relay.fritz.box",
  ])("%s", async (host) => {
    await serve();
    expect(await statusFor(host)).toBe(200);
  });

  it.each(["attacker.example:8788", "127.0.0.1.attacker.example", "local.attacker.example", "attacker.example."])(
    "not %s: a page of somebody else's would ask so",
    async (host) => {
      await serve(relayHealth, ["127.0.0.1"]);
      expect(await statusFor(host)).toBe(421);
    },
  );
});

describe("a request as it stands on the wire", () => {
  async function statusOf(lines: string): Promise<string> {
    const socket = connect(portOf(), "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${lines}\r\n\r\n`);
    const [chunk] = await once(socket, "data");
    socket.destroy();
    return String(chunk).split(" ")[1] ?? "";
  }

  it.each([
    ["a name of this machine", "GET /health HTTP/1.1\r\nHOST: LocalHost:1", "200"],
    ["no Host", "GET /health HTTP/1.1", "400"],
    ["no Host, as before HTTP/1.1", "GET /health HTTP/1.0", "421"],
    ["an empty Host", "GET /health HTTP/1.1\r\nHost:", "421"],
    [
      "another's whole address, under our name",
      "GET http://attacker.example/health HTTP/1.1\r\nHost: 127.0.0.1",
      "421",
    ],
    [
      "our whole address, under another's name",
      "GET http://127.0.0.1/health HTTP/1.1\r\nHost: attacker.example",
      "421",
    ],
    ["a path that looks like an address", "GET //attacker.example/health HTTP/1.1\r\nHost: 127.0.0.1", "404"],
    ["a name with blanks", "GET /health HTTP/1.1\r\nHost: localhost attacker.example", "421"],
    ["two names, ours second", "GET /health HTTP/1.1\r\nHost: attacker.example\r\nHost: 127.0.0.1", "421"],
  ])("with %s", async (_what, lines, status) => {
    await serve();
    expect(await statusOf(lines)).toBe(status);
  });
});

describe("whoever asks badly", () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  async function open(count: number, text = "") {
    for (let at = 0; at < count; at++) {
      const socket = connect(portOf(), "127.0.0.1");
      socket.on("error", () => {});
      sockets.push(socket);
      await once(socket, "connect");
      if (text) socket.write(text);
    }
  }
  const isClosed = (socket: Socket) => socket.destroyed || socket.readableEnded || socket.closed;

  it("and is not let in, keeps nobody out", async () => {
    await serve(relayHealth, ["172.30.32.2"]);
    await open(40, "GET /health HTTP/1.1\r\n");
    for (const socket of sockets) socket.resume();
    await expect.poll(() => sockets.filter((socket) => !isClosed(socket)).length).toBe(8);
  });

  it("for an unreadable word gets 400, and the next is answered", async () => {
    const ask = await serve();
    await open(1, "\u0000\u0001 nothing\r\n\r\n");
    const [chunk] = await once(sockets[0] as Socket, "data");
    expect(String(chunk)).toMatch(/^HTTP\/1.1 400/);
    expect((await ask("/live")).status).toBe(200);
  });

  it("a thousand at once: each is answered or cut off, and then all is as before", async () => {
    const ask = await serve();
    const answers = await Promise.allSettled(Array.from({ length: 1_000 }, async () => (await ask("/health")).text()));
    expect(answers.some(({ status }) => status === "fulfilled")).toBe(true);
    expect((await ask("/health")).status).toBe(200);
  });

  it("and errors of accepting do not end the process", async () => {
    await serve();
    for (let times = 0; times < 3; times++) server?.emit("error", new Error("accept EMFILE"));
    expect(await statusFor("localhost")).toBe(200);
  });

  it("slowly, is cut off within 12 s", async () => {
    await serve();
    await open(1, "GET /health HTTP/1.1\r\nHost: loc");
    const [socket] = sockets as [Socket];
    socket.resume();
    const sinceMs = performance.now();
    await once(socket, "close");
    expect(performance.now() - sinceMs).toBeLessThan(14_000);
  });
});
