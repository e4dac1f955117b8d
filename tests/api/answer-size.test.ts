import { beforeEach, describe, expect, it, vi } from "vitest";
import { answerBytes, fitting } from "../../lib/api/answer-size.ts";
import { LAMBDA_PAYLOAD_MAX_BYTES } from "../../lib/limits.ts";
import { createTestApi, type TestApi } from "../support/api.ts";
import { AT_US } from "../support/api-requests.ts";
import { buildEvent } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

let api: TestApi;
beforeEach(async () => {
  api = await createTestApi({ clock: manualClock() });
});

/** What Lambda hands over: the body as a text within JSON. */
async function body(path: string): Promise<Record<string, unknown>> {
  const response = await api.ask(path);
  const text = await response.text();
  expect([path, response.status]).toEqual([path, 200]);
  expect(Buffer.byteLength(JSON.stringify(text))).toBeLessThan(LAMBDA_PAYLOAD_MAX_BYTES - 65_536);
  return JSON.parse(text) as Record<string, unknown>;
}

/** The pages of a list, each small enough to be answered. */
async function pages(path: string, list: string): Promise<Record<string, unknown>[][]> {
  const found: Record<string, unknown>[][] = [];
  for (let next: unknown = ""; next !== null; ) {
    const page = await body(`${path}${next && `&cursor=${encodeURIComponent(String(next))}`}`);
    found.push(page[list] as Record<string, unknown>[]);
    next = page.next;
    expect(found.length).toBeLessThan(1_000);
  }
  return found;
}

/** Texts of 16 KB that are half as long again in JSON, and twice as long in JSON within JSON. */
const LONG = `"é"\\${"x".repeat(12)}`.repeat(900);
const HOSTILE = '"\\'.repeat(8_192);

const big = (count: number, note: string) =>
  Array.from({ length: count }, (_, at) =>
    buildEvent({ entityId: `sensor.part_${at % 7}`, atUs: AT_US + at * 1_000, attributes: { note } }),
  );

describe("a page ends before it is more than a function may answer", () => {
  it.each([
    ["plain texts", "x".repeat(16_384)],
    ["texts of two languages, with quotes", LONG],
    ["nothing but quotes and backslashes", HOSTILE],
  ])("1,000 events of 16 KB: %s, each once, either way round", async (_name, note) => {
    const all = big(1_000, note);
    await api.events.write(all);
    for (const order of ["asc", "desc"]) {
      const found = await pages(`/api/v1/events?order=${order}&limit=1000`, "events");
      expect(found.length).toBeGreaterThan(3);
      const times = found.flat().map(({ last_updated }) => last_updated);
      expect(new Set(times).size).toBe(1_000);
      expect(times).toEqual(order === "asc" ? times.toSorted() : times.toSorted().reverse());
    }
  });

  it("small events still fill a page of 1,000, whatever the filter", async () => {
    await api.events.write(big(1_200, "x"));
    const found = await pages("/api/v1/events?order=asc&limit=1000", "events");
    expect(found.map((page) => page.length)).toEqual([1_000, 200]);
    const one = await pages("/api/v1/events?entity_id=sensor.part_3&limit=150", "events");
    expect(one.map((page) => page.length)).toEqual([150, 21]);
  });

  it("never has much more of the store in hand than a page", async () => {
    await api.events.write(big(1_000, "x".repeat(65_536)));
    const range = vi.spyOn(api.events, "range");
    await body("/api/v1/events?limit=1000");
    expect(range.mock.calls.map(([{ limit }]) => limit)).toEqual([128]);
    range.mockClear();
    api = await createTestApi({ clock: manualClock() });
    await api.events.write(big(1_000, "x".repeat(20_000)));
    const spy = vi.spyOn(api.events, "range");
    const { events } = await body("/api/v1/events?limit=1000");
    const length = (events as unknown[]).length;
    expect(length).toBeGreaterThan(200);
    expect(spy.mock.calls.reduce((sum, [{ limit }]) => sum + limit, 0)).toBeLessThan(length + 20);
  });

  it("areas, devices, entities with long names", async () => {
    const rows = Array.from({ length: 500 }, (_, at) => `part_${String(at).padStart(3, "0")}`);
    const whole = { revision: AT_US / 1_000, part: 1, parts: 1 };
    await api.index.applyRegistry("home", {
      ...{ ...whole, registry: "areas" },
      rows: rows.map((areaId) => ({ areaId, name: LONG, labels: [] })),
    });
    await api.index.applyRegistry("home", {
      ...{ ...whole, registry: "devices" },
      rows: rows.map((deviceId) => ({ deviceId, name: LONG, labels: [], identifiers: [], connections: [] })),
    });
    await api.index.applyRegistry("home", {
      ...{ ...whole, registry: "entities" },
      rows: rows.map((id) => ({ entityId: `light.${id}`, name: LONG, platform: "x", labels: [] })),
    });
    for (const [list, id] of [
      ["areas", "area_id"],
      ["devices", "device_id"],
      ["entities", "entity_id"],
    ] as const) {
      const found = await pages(`/api/v1/${list}?limit=1000`, list);
      expect(found.length).toBeGreaterThan(1);
      expect(found.flat().map((row) => String(row[id]).slice(-8))).toEqual(rows);
    }
    await api.index.applyRegistry("home", {
      ...{ ...whole, revision: AT_US / 1_000 + 1, registry: "areas" },
      rows: rows.map((areaId) => ({ areaId, name: `${LONG}!`, labels: [] })),
    });
    const changes = await pages("/api/v1/changes?registry=areas&limit=1000", "changes");
    // A revision keeps some of its changes, and their texts shortened.
    expect(changes.flat().length).toBeGreaterThan(10);
  });

  it("payloads of the outbox that are nothing but control characters", async () => {
    for (let at = 0; at < 9; at++) {
      const payload = "\u0001".repeat(131_072);
      const answer = await api.post("/api/v1/outbox", { kind: "mqtt", topic: `hearthline/${at}`, payload });
      expect(answer.status).toBe(201);
    }
    const found = await pages("/api/v1/outbox?limit=1000", "items");
    expect(found.flat().map(({ topic }) => topic)).toEqual(Array.from({ length: 9 }, (_, at) => `hearthline/${at}`));
    expect(found.length).toBeGreaterThan(1);
  });

  it("aggregates have no pages: too large a one is refused, with what to ask for instead", async () => {
    const entities = Array.from({ length: 100 }, (_, at) => `sensor.part_${at}`);
    const state = '"\\'.repeat(127);
    const hours = Array.from({ length: 100 }, (_, at) => AT_US - (at + 1) * 3_600_000_000);
    await api.events.write(entities.flatMap((entityId) => hours.map((atUs) => buildEvent({ entityId, atUs, state }))));
    const from = new Date(AT_US / 1_000 - 99 * 3_600_000).toISOString();
    const path = `/api/v1/events/aggregate?entity_id=${entities.join(",")}&from=${from}`;
    const answer = await api.ask(path);
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "request_invalid" }]);
    expect((await body(`${path}&functions=count,mean`)).entities).toHaveLength(100);
  });
});

describe("what fits", () => {
  it("is counted as it will be escaped, and is never nothing", () => {
    expect(answerBytes('"')).toBe(Buffer.byteLength(JSON.stringify(JSON.stringify('"'))));
    expect(fitting([])).toEqual([]);
    expect(fitting(["x".repeat(100)], 10)).toHaveLength(1);
    expect(fitting(["x".repeat(100), "y"], 10)).toHaveLength(1);
    expect(fitting(["a", "b", "c"], 3 * answerBytes("a"))).toHaveLength(3);
    expect(fitting(["a", "b", "c"], 3 * answerBytes("a") - 1)).toHaveLength(2);
  });
});
