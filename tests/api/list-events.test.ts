import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { toWireEvent } from "../../lib/event/index.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { AT } from "../support/api-requests.ts";
import { fullEvent, manyEvents } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

interface EventsBody {
  readonly events: readonly { readonly entity_id: string; readonly last_updated: string; readonly home_id: string }[];
  readonly next: string | null;
}

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
});

const list = async (query: string, token?: string): Promise<EventsBody> => {
  const response = await api.ask(`/api/v1/events${query}`, token === undefined ? {} : { token });
  expect(response.status).toBe(200);
  return (await response.json()) as EventsBody;
};
const problem = async (query: string) =>
  (await api.ask(`/api/v1/events${query}`)).json() as Promise<{
    code: string;
    errors: { field: string }[];
    detail: string;
  }>;

describe("GET /api/v1/events", () => {
  it("gives an event with every member as it was stored", async () => {
    await api.events.write([fullEvent]);
    expect(await list("")).toEqual({ events: [JSON.parse(JSON.stringify(toWireEvent(fullEvent)))], next: null });
  });

  it("gives the newest first, or the oldest with order=asc, 100 at a time", async () => {
    const all = manyEvents(150);
    await api.events.write(all);
    const newest = await list("");
    expect(newest.events.map(({ last_updated }) => last_updated)).toEqual(
      all
        .slice(-100)
        .reverse()
        .map((event) => toWireEvent(event).last_updated),
    );
    expect((await list("?order=asc&limit=3")).events).toEqual(
      JSON.parse(JSON.stringify(all.slice(0, 3).map(toWireEvent))),
    );
  });

  it("filters by half-open times, entities, area, device and domain", async () => {
    const all = manyEvents(200);
    await api.events.write(all);
    const [from, to] = [all[20], all[80]].map((event) => (event ? toWireEvent(event).last_updated : ""));
    const times = await list(
      `?order=asc&limit=1000&from=${encodeURIComponent(from ?? "")}&to=${encodeURIComponent(to ?? "")}`,
    );
    expect(times.events).toHaveLength(60);
    expect(times.events[0]?.last_updated).toBe(from);
    const count = async (query: string) => (await list(`?limit=1000&${query}`)).events.length;
    expect(await count("entity_id=sensor.part_0,light.part_1")).toBe(
      all.filter(({ entityId }) => ["sensor.part_0", "light.part_1"].includes(entityId)).length,
    );
    expect(await count("entity_id=sensor.part_0&entity_id=light.part_1")).toBe(
      await count("entity_id=sensor.part_0,light.part_1"),
    );
    expect(await count("area_id=area_3")).toBe(all.filter(({ areaId }) => areaId === "area_3").length);
    expect(await count("device_id=device_4")).toBe(all.filter(({ deviceId }) => deviceId === "device_4").length);
    expect(await count("domain=light")).toBe(all.filter(({ domain }) => domain === "light").length);
    expect(await count("domain=nothing")).toBe(0);
  });

  it("reads a plus that a URL has turned into a space", async () => {
    await api.events.write(manyEvents(2));
    expect((await list(`?from=${AT}`)).events).toHaveLength(2);
  });

  it("pages through everything once, whatever the page size and order", async () => {
    const all = manyEvents(60);
    await api.events.write(all);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.constantFrom("asc", "desc"), async (limit, order) => {
        const found: string[] = [];
        let cursor: string | null = null;
        do {
          const page: EventsBody = await list(
            `?limit=${limit}&order=${order}${cursor === null ? "" : `&cursor=${cursor}`}`,
          );
          found.push(...page.events.map(({ last_updated }) => last_updated));
          cursor = page.next;
        } while (cursor !== null);
        const wanted = all.map((event) => toWireEvent(event).last_updated);
        expect(found).toEqual(order === "asc" ? wanted : wanted.reverse());
      }),
      { numRuns: 30 },
    );
  });

  it("refuses a cursor of another query, order or home, and keeps it for another page size", async () => {
    await api.events.write([...manyEvents(10), ...manyEvents(10, { homeId: "other" })]);
    const { next } = await list("?limit=2&domain=light");
    expect((await list(`?limit=1&domain=light&cursor=${next}`)).events).toHaveLength(1);
    expect(await problem(`?limit=2&domain=sensor&cursor=${next}`)).toMatchObject({
      code: "cursor_of_another_query",
      errors: [{ field: "cursor" }],
    });
    expect(await problem(`?limit=2&domain=light&order=asc&cursor=${next}`)).toMatchObject({
      code: "cursor_of_another_query",
    });
    const foreign = await api.ask(`/api/v1/events?limit=2&domain=light&cursor=${next}`, { token: tokenText("other") });
    expect(foreign.status).toBe(400);
    expect(await problem("?cursor=bm90IGEgY3Vyc29y")).toMatchObject({ code: "cursor_invalid" });
    expect(await problem("?cursor=W10")).toMatchObject({ code: "cursor_invalid" });
  });

  it("never shows another home", async () => {
    await api.events.write([...manyEvents(5), ...manyEvents(5, { homeId: "other" })]);
    const { events } = await list("?limit=1000", tokenText("other"));
    expect(events).toHaveLength(5);
    expect(new Set(events.map(({ home_id }) => home_id))).toEqual(new Set(["other"]));
    expect(await problem("?home_id=other")).toMatchObject({ code: "request_invalid", errors: [{ field: "home_id" }] });
  });

  it("names every wrong parameter", async () => {
    const answer = await problem(
      "?limit=0&from=2026-11-22&to=never&order=up&entity_id=Kitchen&domain=A&entity=x&area_id=a&area_id=b",
    );
    expect(answer.code).toBe("request_invalid");
    expect(new Set(answer.errors.map(({ field }) => field))).toEqual(
      new Set(["limit", "from", "to", "order", "entity_id.0", "domain", "entity", "area_id"]),
    );
  });

  it.each([
    "limit=1001",
    "limit=-1",
    "limit=1.5",
    "limit=ten",
    "limit=",
    "limit=1e2",
    "limit=0x10",
    "from=",
    "cursor=",
    "entity_id=",
    "from=2026-02-30T00:00:00Z",
  ])("refuses %s", async (query) => expect(await problem(`?${query}`)).toMatchObject({ code: "request_invalid" }));

  it("refuses an end before the beginning and takes an empty range", async () => {
    expect(await problem("?from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z")).toMatchObject({
      errors: [{ field: "to" }],
    });
    expect((await list("?from=2026-11-22T00:00:00Z&to=2026-11-22T00:00:00Z")).events).toEqual([]);
  });

  it("answers 503 when the store is away", async () => {
    const range = () => Promise.reject(new HearthlineError("service_timeout", "no answer"));
    api = await createTestApi({
      clock: manualClock(),
      parts: { events: { range, stats: range, aggregate: range, retention: range } },
    });
    const response = await api.ask("/api/v1/events");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
  });
});
