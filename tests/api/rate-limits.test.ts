import { describe, expect, it } from "vitest";
import { createMemoryRateStore } from "../../lib/adapters/memory/rates.ts";
import { createRateLimits } from "../../lib/api/index.ts";
import type { RateStore } from "../../lib/api/ports.ts";
import { createTestApi, tokenText } from "../support/api.ts";
import { plainEvent } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";

const caller = { homeId: "home", tokenId: "t" };

function counted(store: RateStore = createMemoryRateStore()) {
  const counts = { takes: 0 };
  const take: RateStore["take"] = (...asked) => {
    counts.takes++;
    return store.take(...asked);
  };
  return { counts, store: { take } };
}

describe("the limits of an instance", () => {
  it("cost a page that asks every two seconds no look into the table, and a script at full speed few", async () => {
    const clock = manualClock();
    const { counts, store } = counted();
    const limits = createRateLimits({ store, clock, perMinute: 1_200 });
    for (let request = 0; request < 300; request++) {
      expect(await limits.ofToken(caller)).toBe(0);
      await clock.advance(2_000);
    }
    expect(counts.takes).toBe(0);
    const other = { homeId: "home", tokenId: "other" };
    for (let request = 0; request < 1_200; request++) expect(await limits.ofToken(other)).toBe(0);
    expect(counts.takes).toBe(19);
  });

  it("look no further once there is nothing left, and say when to come again", async () => {
    const clock = manualClock();
    const { counts, store } = counted();
    const limits = createRateLimits({ store, clock, perMinute: 60 });
    for (let request = 0; request < 63; request++) expect(await limits.ofToken(caller)).toBe(0);
    const takes = counts.takes;
    for (let request = 0; request < 1_000; request++) expect(await limits.ofToken(caller)).toBe(1_000);
    expect(counts.takes).toBe(takes + 1);
    await clock.advance(999);
    expect(await limits.ofToken(caller)).toBe(1);
    await clock.advance(1);
    expect(await limits.ofToken(caller)).toBe(0);
  });

  it("share a lease among requests that come together", async () => {
    const { counts, store } = counted();
    const limits = createRateLimits({ store, clock: manualClock(), perMinute: 200 });
    const waits = await Promise.all(Array.from({ length: 300 }, () => limits.ofToken(caller)));
    expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(210);
    expect(counts.takes).toBeLessThanOrEqual(21);
  });

  it("let one that is refused for being large not keep out the small", async () => {
    const clock = manualClock();
    const limits = createRateLimits({ store: createMemoryRateStore(), clock, perMinute: 20 });
    expect(await limits.ofToken(caller, 18)).toBe(0);
    expect(await limits.ofToken(caller, 10)).toBeGreaterThan(0);
    expect(await limits.ofToken(caller)).toBe(0);
  });

  it("count a request of more than the whole limit as all of it", async () => {
    const limits = createRateLimits({ store: createMemoryRateStore(), clock: manualClock(), perMinute: 10 });
    expect(await limits.ofToken(caller, 1_000)).toBe(0);
    expect(await limits.ofToken(caller, 1_000)).toBeGreaterThan(0);
  });

  it("are each address's own, and none where the address is not known", async () => {
    const clock = manualClock();
    const limits = createRateLimits({ store: createMemoryRateStore(), clock, perMinute: 10 });
    for (let request = 0; request < 10; request++) expect(limits.ofAddress("192.0.2.1")).toBe(0);
    expect(limits.ofAddress("192.0.2.1")).toBe(6_000);
    expect(limits.ofAddress("192.0.2.2")).toBe(0);
    for (let request = 0; request < 50; request++) expect(limits.ofAddress(undefined)).toBe(0);
  });

  it("remember a bounded number of addresses, and forget who has been silent longest", async () => {
    const limits = createRateLimits({ store: createMemoryRateStore(), clock: manualClock(), perMinute: 10 });
    for (let request = 0; request < 10; request++) limits.ofAddress("192.0.2.1");
    for (let other = 0; other < 9_999; other++) limits.ofAddress(`10.1.${other >> 8}.${other & 255}`);
    expect(limits.ofAddress("192.0.2.1")).toBeGreaterThan(0);
    for (let other = 0; other < 10_000; other++) limits.ofAddress(`10.2.${other >> 8}.${other & 255}`);
    expect(limits.ofAddress("192.0.2.1")).toBe(0);
  });
});

describe("the limits of the API", () => {
  async function limitedTo(perMinute: number, address?: string) {
    const clock = manualClock();
    const limits = createRateLimits({ store: createMemoryRateStore(), clock, perMinute });
    return { clock, api: await createTestApi({ clock, parts: { limits, addressOf: () => address } }) };
  }

  it("answer 429 as a problem, with when to try again, each token for itself", async () => {
    const { api, clock } = await limitedTo(20);
    const ask = (token = tokenText("home")) => api.ask("/api/v1/areas", { token });
    for (let request = 0; request < 21; request++) {
      const answer = await ask();
      expect([answer.status, answer.headers.get("ratelimit-policy")]).toEqual([200, '"token";q=20;w=60']);
    }
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      "content-type": "application/problem+json",
      "retry-after": "3",
      ratelimit: '"token";r=0;t=3',
      "ratelimit-policy": '"token";q=20;w=60',
    });
    expect(await refused.json()).toMatchObject({ code: "rate_limited", status: 429 });
    expect((await ask(tokenText("home", "r"))).status).toBe(200);
    expect((await ask(tokenText("other"))).status).toBe(200);
    await clock.advance(3_000);
    expect((await ask()).status).toBe(200);
  });

  it("count events by the hundred", async () => {
    const { api } = await limitedTo(20);
    const many = Array.from({ length: 1_000 }, (_, number) => plainEvent({ entity_id: `light.l${number}` }));
    const post = async (events: unknown) => (await api.post("/api/v1/events", events)).status;
    expect(await post(many)).toBe(202);
    expect(await post(many)).toBe(202);
    expect(await post(many)).toBe(429);
    expect(await post(plainEvent())).toBe(429);
    expect(api.queue.messages.length).toBeGreaterThan(0);
  });

  it("hold for whoever has no token, by address; what is open is open to a token all the same", async () => {
    const { api } = await limitedTo(10, "192.0.2.1");
    const status = async (path: string, token: string | null) => (await api.ask(path, { token })).status;
    for (let request = 0; request < 5; request++) {
      expect(await status("/openapi.json", null)).toBe(200);
      expect(await status("/api/v1/areas", null)).toBe(401);
    }
    expect(await status("/openapi.json", null)).toBe(429);
    expect(await status("/api/v1/areas", null)).toBe(429);
    expect(await status("/openapi.json", tokenText("home"))).toBe(200);
  });
});
