import { beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { plainEvent } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

let api: TestApi;
let paths: readonly string[];
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock(), pageToken: tokenText("home", "r") });
  const document = (await (await api.ask("/openapi.json")).json()) as { paths: Record<string, object> };
  paths = [...Object.keys(document.paths).map((path) => path.replace("{id}", "x")), "/nothing", "/api/v1/events/"];
});

const FOREIGN = [
  "evil.example",
  "evil.example:8787",
  "127.0.0.1.evil.example",
  "127.0.0.1@evil.example",
  "localhost.evil.example:8787",
  "localhost.",
  "[::2]",
  "[::ffff:127.0.0.1]",
  "127.0.0.2",
  "0.0.0.0:8787",
  "192.168.1.10:8787",
  "localhost:",
  "localhost:999999",
  "localhost:80:80",
  "localhost evil.example",
  "",
];

describe("an API on this machine, which signs in its own page", () => {
  it.each(FOREIGN)('answers nothing to a name that is not this machine\'s: "%s"', async (host) => {
    for (const path of paths) {
      for (const method of ["GET", "HEAD", "POST", "OPTIONS", "DELETE"]) {
        const answer = await api.ask(path, { method, headers: { host } });
        expect([method, path, answer.status]).toEqual([method, path, 421]);
        expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
        const text = await answer.text();
        if (method !== "HEAD") expect(JSON.parse(text)).toMatchObject({ code: "host_not_local" });
        expect(text).not.toContain(tokenText("home", "r"));
      }
    }
  });

  it.each(["127.0.0.1", "127.0.0.1:8787", "localhost", "LocalHost:1", "LOCALHOST:65535", "[::1]", "[::1]:8787"])(
    "answers to %s, signed in",
    async (host) => {
      const page = await api.ask("/", { headers: { host }, token: null });
      expect(page.status).toBe(200);
      expect(await page.text()).toContain(tokenText("home", "r"));
      expect((await api.ask("/api/v1/areas", { headers: { host } })).status).toBe(200);
    },
  );

  it.each([
    "http://evil.example",
    "https://127.0.0.1:8787",
    "http://127.0.0.1:8788",
    "http://127.0.0.1",
    "http://localhost:8787",
    "null",
    "file://",
    "",
  ])('takes nothing from a page of another origin, with or without a token: "%s"', async (origin) => {
    for (const token of [tokenText("home"), null]) {
      const answer = await api.post("/api/v1/events", plainEvent(), { headers: { origin }, token });
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: "origin_foreign" }]);
    }
    expect(api.queue.messages).toEqual([]);
    // Reads need a token, and no page of another origin is shown an answer.
    const read = await api.ask("/api/v1/areas", { headers: { origin } });
    expect([read.status, read.headers.get("access-control-allow-origin")]).toEqual([200, null]);
  });

  it("takes what its own page sends, and programs, which have no origin", async () => {
    const post = (headers: Record<string, string>) => api.post("/api/v1/events", plainEvent(), { headers });
    expect((await post({ origin: "http://127.0.0.1:8787" })).status).toBe(202);
    expect((await post({ origin: "http://LOCALHOST:8787", host: "localhost:8787" })).status).toBe(202);
    expect((await post({})).status).toBe(202);
  });
});

describe("an API elsewhere", () => {
  it("answers to every name: it signs nobody in", async () => {
    api = await createTestApi({ clock: manualClock() });
    for (const host of ["api.example", "127.0.0.1"])
      expect(
        (await api.post("/api/v1/events", plainEvent(), { headers: { host, origin: "https://a.example" } })).status,
      ).toBe(202);
    expect(await (await api.ask("/", { token: null })).text()).not.toContain(tokenText("home", "r").slice(-43));
  });
});
