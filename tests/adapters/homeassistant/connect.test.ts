import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { createHomeAssistant } from "../../../lib/adapters/homeassistant/client.ts";
import { connectionFailure } from "../../../lib/adapters/homeassistant/failures.ts";
import { type Clock, systemClock } from "../../../lib/base/clock.ts";
import type { HearthlineError } from "../../../lib/base/errors.ts";
import { createAuthority } from "../../support/certificates.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { freePort } from "../../support/peers.ts";
import { startFakeServer, succeed, TOKEN } from "./fake-server.ts";

const failureAt = async (url: string, clock: Clock = systemClock, signal?: AbortSignal): Promise<HearthlineError> => {
  const error = await createHomeAssistant({ url, token: TOKEN, clock })
    .connect(signal)
    .then(
      () => expect.unreachable("it connected"),
      (thrown: unknown) => thrown as HearthlineError,
    );
  expect(error.message).not.toContain(TOKEN);
  return error;
};

/** Listens until the test has ended; the port. */
async function listening(server: TcpServer | Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const answering = async (handler: RequestListener): Promise<string> => {
  const server = createServer(handler);
  return `http://127.0.0.1:${await listening(server)}`;
};

describe("connecting to what is away", () => {
  it("is tried again when nothing listens", async () => {
    const error = await failureAt(`http://127.0.0.1:${await freePort()}`);
    expect(error).toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("is tried again when the name is unknown", async () => {
    const error = await failureAt("http://no-such-home.invalid:8123");
    expect(error).toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
    expect(error.message).toMatch(/ENOTFOUND|EAI_AGAIN|within 10000 ms/);
  });

  it("is given up at its deadline when nobody answers", async () => {
    const port = await listening(createTcpServer());
    const clock = manualClock();
    const failure = failureAt(`http://127.0.0.1:${port}`, clock);
    await clock.advance(10_000);
    expect(await failure).toMatchObject({
      code: "home_assistant_disconnected",
      message: expect.stringContaining("within 10000 ms"),
    });
  });

  it("is given up at its deadline when the greeting does not come", async () => {
    const server = await startFakeServer({ onConnection: () => {} });
    onTestFinished(() => server.stop());
    const clock = manualClock();
    const failure = failureAt(server.url, clock);
    await expect.poll(() => server.peers.length).toBe(1);
    await clock.advance(10_000);
    expect(await failure).toMatchObject({ code: "home_assistant_disconnected" });
  });

  it("is given up when the caller says so, before and meanwhile", async () => {
    const server = await startFakeServer({ onConnection: () => {} });
    onTestFinished(() => server.stop());
    expect((await failureAt(server.url, systemClock, AbortSignal.abort())).message).toContain("given up");
    const stop = new AbortController();
    const failure = failureAt(server.url, systemClock, stop.signal);
    await expect.poll(() => server.peers.length).toBeGreaterThan(0);
    stop.abort();
    expect((await failure).message).toContain("given up");
  });

  it("is given up when the caller says so after authentication", async () => {
    const stop = new AbortController();
    const server = await startFakeServer({ onCommand: () => stop.abort() });
    onTestFinished(() => server.stop());
    expect(await failureAt(server.url, systemClock, stop.signal)).toMatchObject({
      code: "home_assistant_disconnected",
    });
  });

  it("is tried again when the connection closes during authentication", async () => {
    const server = await startFakeServer({ onConnection: ({ socket }) => socket.close() });
    onTestFinished(() => server.stop());
    expect(await failureAt(server.url)).toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
  });

  it.each([500, 502, 503, 504, 429])("is tried again when a proxy answers %d", async (status) => {
    const url = await answering((_request, response) => response.writeHead(status).end());
    const error = await failureAt(url);
    expect(error).toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
    expect(error.message).toContain(String(status));
  });
});

describe("connecting to something else", () => {
  it.each([
    ["a path that is not there", 404, {}, "home_assistant_not_home_assistant", "404"],
    [
      "a page",
      200,
      { "content-type": "text/html; charset=utf-8" },
      "home_assistant_not_home_assistant",
      "200 text/html",
    ],
    ["a login before it", 401, {}, "home_assistant_not_home_assistant", "login"],
    ["a ban", 403, {}, "home_assistant_token_refused", "ip_bans.yaml"],
    [
      "a redirection",
      301,
      { location: "https://home.example/api/websocket?x=secret" },
      "home_assistant_address_wrong",
      '"https://home.example/api/websocket"',
    ],
    ["a bad request", 400, {}, "home_assistant_not_home_assistant", "400"],
  ] as const)("says what to do about %s", async (_what, status, headers, code, text) => {
    const url = await answering((_request, response) => response.writeHead(status, headers).end("<html>"));
    const error = await failureAt(url);
    expect(error).toMatchObject({ code, fate: "stop" });
    expect(error.message).toContain(text);
    expect(error.message).not.toContain("x=secret");
  });

  it("knows a port that speaks no HTTP", async () => {
    const server = createTcpServer((socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"));
    expect(await failureAt(`http://127.0.0.1:${await listening(server)}`)).toMatchObject({
      code: "home_assistant_not_home_assistant",
    });
  });

  it.each([
    ["another object", '{"hello":1}'],
    ["a list", "[1]"],
    ["text", "welcome"],
    ["auth_ok before anything was asked", '{"type":"auth_ok"}'],
    ["nothing", ""],
  ])("knows a WebSocket server that greets with %s, and does not show it the token", async (_what, greeting) => {
    const server = await startFakeServer({ onConnection: ({ raw }) => raw(greeting) });
    onTestFinished(() => server.stop());
    expect(await failureAt(server.url)).toMatchObject({ code: "home_assistant_not_home_assistant", fate: "stop" });
    expect(server.received).toEqual([]);
  });

  it("waits instead when it has been Home Assistant before", async () => {
    const server = await startFakeServer();
    const client = createHomeAssistant({ url: server.url, token: TOKEN, clock: systemClock });
    await (await client.connect()).close();
    await server.stop();
    const proxy = createServer((_request, response) => response.writeHead(404).end());
    proxy.listen(server.port, "127.0.0.1");
    await once(proxy, "listening");
    onTestFinished(() => new Promise((resolve) => proxy.close(() => resolve())));
    await expect(client.connect()).rejects.toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
  });
});

describe("the token", () => {
  it("is in no message, even when the server repeats it", async () => {
    const server = await startFakeServer({
      onConnection: ({ send }) => {
        send({ type: "auth_required" });
        send({ type: "auth_invalid", message: `no user has ${TOKEN}` });
      },
    });
    onTestFinished(() => server.stop());
    const error = await failureAt(server.url);
    expect(error.code).toBe("home_assistant_token_refused");
    expect(error.message).toContain("no user has [secret]");
  });

  it("may have spaces or a line end around it, as files have", async () => {
    const server = await startFakeServer();
    onTestFinished(() => server.stop());
    const session = await createHomeAssistant({ url: server.url, token: ` ${TOKEN}\n`, clock: systemClock }).connect();
    expect(session.haVersion).toBe("2026.11.0");
    await session.close();
  });
});

describe("TLS", () => {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000);
  const valid = { notBefore: day(-2), notAfter: day(2) };
  const authority = createAuthority({ name: "Hearthline tests", ...valid });
  const certificates = {
    trusted: authority.issue({ name: "127.0.0.1", ...valid }),
    expired: authority.issue({ name: "127.0.0.1", ...valid, notAfter: day(-1) }),
    "other-name": authority.issue({ name: "elsewhere.example", ...valid }),
  };
  const secure = async (name: keyof typeof certificates): Promise<number> => {
    const { key, certificate } = certificates[name];
    const server = createTlsServer({ key, cert: certificate }, (_request, response) => response.writeHead(404).end());
    new WebSocketServer({ server, path: "/api/websocket" }).on("connection", (socket) => {
      socket.send('{"type":"auth_required","ha_version":"2026.11.0"}');
      socket.once("message", () => {
        socket.send('{"type":"auth_ok","ha_version":"2026.11.0"}');
        socket.on("message", (data) =>
          succeed(JSON.parse(data.toString()), {
            socket,
            raw: () => {},
            send: (each) => socket.send(JSON.stringify(each)),
          }),
        );
      });
    });
    server.on("tlsClientError", () => {});
    return listening(server);
  };
  const usual = getCACertificates("default");
  const trustOurs = () => setDefaultCACertificates([...usual, authority.certificate]);

  beforeAll(trustOurs);
  afterAll(() => setDefaultCACertificates(usual));

  it("works where the certificate is trusted", async () => {
    const url = `https://127.0.0.1:${await secure("trusted")}`;
    const session = await createHomeAssistant({ url, token: TOKEN, clock: systemClock }).connect();
    expect(session.haVersion).toBe("2026.11.0");
    await session.close();
  });

  it.each([
    ["expired", "has expired"],
    ["other-name", "for another name"],
  ] as const)("says what to do about a certificate that is %s", async (certificate, advice) => {
    const error = await failureAt(`https://127.0.0.1:${await secure(certificate)}`);
    expect(error).toMatchObject({ code: "home_assistant_tls_failed", fate: "stop" });
    expect(error.message).toContain(advice);
  });

  it("says what to do about a certificate of an issuer that nobody knows", async () => {
    setDefaultCACertificates(usual);
    onTestFinished(trustOurs);
    const error = await failureAt(`https://127.0.0.1:${await secure("trusted")}`);
    expect(error.code).toBe("home_assistant_tls_failed");
    expect(error.message).toContain("NODE_EXTRA_CA_CERTS");
  });

  it("says to use http where https is written for a plain port", async () => {
    const server = await startFakeServer();
    onTestFinished(() => server.stop());
    const error = await failureAt(server.url.replace("http:", "https:"));
    expect(error.code).toBe("home_assistant_tls_failed");
    expect(error.message).toContain("use http://");
  });

  it("says to use https where http is written for a TLS port", async () => {
    const error = await failureAt(`http://127.0.0.1:${await secure("trusted")}`);
    expect(error).toMatchObject({ code: "home_assistant_address_wrong", fate: "stop" });
    expect(error.message).toContain("use https://");
  });

  it("is not blamed for a connection that was only cut off", async () => {
    const server = createTcpServer((socket) => socket.destroy());
    expect(await failureAt(`http://127.0.0.1:${await listening(server)}`)).toMatchObject({
      code: "home_assistant_disconnected",
    });
  });

  it.each([
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "CERT_NOT_YET_VALID",
    "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    "CERT_REVOKED",
  ])("is what %s is about", (code) => {
    const met = Object.assign(new Error("handshake failed"), { code });
    expect(connectionFailure(met, new URL("wss://home.example/api/websocket"))).toMatchObject({
      code: "home_assistant_tls_failed",
    });
  });
});
