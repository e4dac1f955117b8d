import { beforeEach, describe, expect, it } from "vitest";
import { contextOf, createIdentify, hashToken, identifiedOf, type Token } from "../../lib/api/index.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

let clock: ManualClock;
let api: TestApi;
beforeEach(async () => {
  clock = manualClock();
  api = await createTestApi({ clock });
});

describe("who may ask", () => {
  const SCOPED = [
    "/api/v1/events",
    "/api/v1/entities",
    "/api/v1/devices",
    "/api/v1/devices/x",
    "/api/v1/areas",
    "/api/v1/jobs",
    "/api/v1/jobs/x",
    "/page/live",
  ];
  it.each(SCOPED)("%s needs a token", async (path) => {
    const response = await api.ask(path, { token: null });
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="hearthline"']);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({
      status: 401,
      code: "token_missing",
      type: "/docs#problem-token_missing",
    });
  });

  it.each([
    ["Bearer hl_home_short", "token_invalid"],
    [`Bearer ${tokenText("home", "z")}`, "token_invalid"],
    [`bearer  ${tokenText("home")} x`, "token_invalid"],
    ["Basic aG9tZTpob21l", "token_invalid"],
    [" ", "token_missing"],
  ])("refuses the header %s", async (authorization, code) => {
    const response = await api.ask("/api/v1/areas", { token: null, headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code });
  });

  it("takes the scheme in any case", async () => {
    const response = await api.ask("/api/v1/areas", {
      token: null,
      headers: { authorization: `bearer ${tokenText("home")}` },
    });
    expect(response.status).toBe(200);
  });

  it("lets admin do everything and write not read", async () => {
    await api.addToken(tokenText("home", "m"), "home", ["admin"]);
    await api.addToken(tokenText("home", "w"), "home", ["write"]);
    expect((await api.ask("/api/v1/areas", { token: tokenText("home", "m") })).status).toBe(200);
    expect((await api.ask("/api/v1/areas", { token: tokenText("home", "w") })).status).toBe(403);
  });

  it("refuses a token that has expired meanwhile", async () => {
    await api.addToken(tokenText("home", "e"), "home", ["read"], new Date(clock.nowMs() + 2_000).toISOString());
    const status = async () => (await api.ask("/api/v1/areas", { token: tokenText("home", "e") })).status;
    expect(await status()).toBe(200);
    await clock.advance(2_000);
    expect(await status()).toBe(401);
  });

  it("refuses a revoked token at once, and takes a new one at once", async () => {
    const status = async (tail: string) => (await api.ask("/api/v1/areas", { token: tokenText("home", tail) })).status;
    expect(await status("n")).toBe(401);
    const id = await api.addToken(tokenText("home", "n"), "home", ["read"]);
    expect(await status("n")).toBe(200);
    await api.tokens.revoke("home", id);
    expect(await status("n")).toBe(401);
  });

  it("ends a token in the millisecond that it names, and says so", async () => {
    const atMs = clock.nowMs() + 1_500;
    await api.addToken(tokenText("home", "e"), "home", ["read"], new Date(atMs).toISOString());
    const ask = () => api.ask("/api/v1/areas", { token: tokenText("home", "e") });
    await clock.advance(1_499);
    expect((await ask()).status).toBe(200);
    await clock.advance(1);
    const refused = await ask();
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: "token_expired" }]);
    expect(refused.headers.get("www-authenticate")).toContain("expired");
  });

  it("takes a token whose end cannot be read for an ended one", async () => {
    const broken = {
      id: "1",
      homeId: "home",
      name: "",
      scopes: ["read"] as const,
      hash: "",
      createdAt: "",
      expiresAt: "soon",
    };
    const identify = createIdentify({ findByHash: async () => broken }, clock);
    expect(await identify(`Bearer ${tokenText("home")}`)).toEqual({ error: "token_expired" });
  });

  it("answers 503, not 401, when tokens cannot be checked", async () => {
    const identify = createIdentify({ findByHash: () => Promise.reject(new Error("away")) }, clock);
    api = await createTestApi({ clock, parts: { identify } });
    const response = await api.ask("/api/v1/areas");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  it("hands a caller through the gateway as flat text, and takes nothing else for one", () => {
    const identified = { caller: { homeId: "home", scopes: ["read", "write"] as const, tokenId: "t" } };
    expect(identifiedOf(contextOf(identified))).toEqual(identified);
    const named = { caller: { ...identified.caller, tokenName: "the tablet" } };
    expect(identifiedOf(contextOf(named))).toEqual(named);
    expect(identifiedOf(contextOf({ error: "token_expired" }))).toEqual({ error: "token_expired" });
    for (const context of [
      undefined,
      null,
      {},
      { home_id: "" },
      { home_id: "home" },
      { jwt: {} },
      "home",
      { error: "x" },
    ]) {
      expect(identifiedOf(context)).toEqual({ error: "token_missing" });
    }
    expect(identifiedOf({ home_id: "home", scopes: "read root", token_id: "t" })).toMatchObject({
      caller: { scopes: ["read"] },
    });
  });
});

describe("who guesses tokens", () => {
  const ADDRESS = "203.0.113.7";
  const good: Token = {
    id: "1",
    homeId: "home",
    name: "",
    scopes: ["read"],
    hash: hashToken(tokenText("home")),
    createdAt: "",
  };
  const guess = (number: number) => `Bearer hl_home_${String(number).padStart(43, "g")}`;
  let looks: number;
  const make = () => {
    looks = 0;
    const findByHash = async (hash: string) => {
      looks++;
      return hash === good.hash ? good : undefined;
    };
    return createIdentify({ findByHash }, clock);
  };

  it("is looked up for sixty times a minute, and then no more, until time has passed", async () => {
    const identify = make();
    for (let number = 0; number < 60; number++)
      expect(await identify(guess(number), ADDRESS)).toEqual({ error: "token_invalid" });
    for (let number = 60; number < 200; number++)
      expect(await identify(guess(number), ADDRESS)).toEqual({ error: "token_guessed" });
    expect(looks).toBe(60);
    await clock.advance(2_000);
    for (const error of ["token_invalid", "token_invalid", "token_guessed"])
      expect(await identify(guess(0), ADDRESS)).toEqual({ error });
  });

  it("does not lock out who stands beside them with a good token, nor another address", async () => {
    const identify = make();
    await identify(`Bearer ${tokenText("home")}`, ADDRESS);
    for (let number = 0; number < 100; number++) await identify(guess(number), ADDRESS);
    expect(await identify(`Bearer ${tokenText("home")}`, ADDRESS)).toMatchObject({ caller: { homeId: "home" } });
    expect(await identify(guess(1), "203.0.113.8")).toEqual({ error: "token_invalid" });
  });

  it("has one IPv6 network of 64 bits, however it is written, and no good token counts as a guess", async () => {
    const identify = make();
    for (let number = 0; number < 60; number++) await identify(guess(number), `2001:db8::${number.toString(16)}`);
    expect(await identify(guess(0), "2001:0DB8:0:0:1::")).toEqual({ error: "token_guessed" });
    expect(await identify(guess(0), "2001:db8:0:1::")).toEqual({ error: "token_invalid" });
    for (let number = 0; number < 100; number++) await identify(`Bearer ${tokenText("home")}`, "::1");
    expect(await identify(guess(0), "::1")).toEqual({ error: "token_invalid" });
    for (let number = 0; number < 59; number++) await identify(guess(number), "192.0.2.1");
    expect(await identify(guess(0), "::ffff:192.0.2.1")).toEqual({ error: "token_invalid" });
    expect(await identify(guess(0), "192.0.2.1")).toEqual({ error: "token_guessed" });
  });

  it("is nobody whose token could not be looked up", async () => {
    const identify = createIdentify({ findByHash: () => Promise.reject(new Error("away")) }, clock);
    for (let number = 0; number < 100; number++)
      expect(await identify(guess(number), ADDRESS)).toEqual({ error: "token_unchecked" });
  });

  it("is answered 429 by the API, with when to try again", async () => {
    api = await createTestApi({ clock, parts: { callerOf: () => ({ error: "token_guessed" }) } });
    const answer = await api.ask("/api/v1/areas");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await answer.json()).toMatchObject({ code: "rate_limited" });
  });
});

describe("addresses and methods", () => {
  it.each([
    "/api/v1/nothing",
    "/api/v1/events/",
    "/api/v2/events",
    "/favicon.ico",
    "/%E0%A4%A",
    "//",
    "/api/v1/devices/a/b",
  ])("answers 404 to %s", async (path) => {
    const response = await api.ask(path);
    expect([response.status, response.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    expect(await response.json()).toMatchObject({ code: "not_found" });
  });

  it.each([
    ["DELETE", "/api/v1/events", "POST, GET, HEAD, OPTIONS"],
    ["PUT", "/api/v1/devices/x", "GET, HEAD, OPTIONS"],
    ["POST", "/health", "GET, HEAD, OPTIONS"],
    ["GET", "/api/v1/events/forward", "POST, OPTIONS"],
    ["PATCH", "/", "GET, HEAD, OPTIONS"],
  ])("answers 405 to %s %s and says what is allowed", async (method, path, allow) => {
    const response = await api.ask(path, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
    expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
  });

  it("answers OPTIONS with what is allowed and without CORS", async () => {
    const headers = { origin: "https://evil.example", "access-control-request-method": "GET" };
    const response = await api.ask("/api/v1/events", { method: "OPTIONS", headers, token: null });
    expect([response.status, response.headers.get("allow")]).toEqual([204, "POST, GET, HEAD, OPTIONS"]);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("answers HEAD as GET, without the body", async () => {
    const [get, head] = await Promise.all(["GET", "HEAD"].map((method) => api.ask("/api/v1/areas", { method })));
    expect([head?.status, head?.headers.get("etag"), await head?.text()]).toEqual([200, get?.headers.get("etag"), ""]);
  });

  it.each(["/", "/docs", "/health", "/metrics", "/openapi.json", "/api/v1/events", "/nothing"])(
    "sends careful headers with %s",
    async (path) => {
      const { headers } = await api.ask(path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("content-security-policy")).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/);
    },
  );

  it("tells nothing of the inside when something unexpected happens", async () => {
    const lines: string[] = [];
    const log = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (message: string) => void lines.push(message),
      with: () => log,
    };
    const range = () => Promise.reject(new TypeError("/srv/secret is undefined"));
    api = await createTestApi({
      clock,
      parts: { log, events: { range, stats: range, aggregate: range, retention: range } },
    });
    const response = await api.ask("/api/v1/events");
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: "unexpected" });
    expect(text).not.toContain("secret");
    expect(lines).toEqual(["a request could not be answered"]);
  });
});
