import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import { manualClock } from "../../support/manual-clock.ts";

type Answering = (response: ServerResponse) => unknown;

/** An OLD that answers everything alike. */
async function oldThat(answering: Answering, kind: "http" | "influxdb" = "http", timeoutMs = 20_000) {
  const server = createServer((request, response) => {
    request.resume();
    answering(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { old } = planSchema.parse({ old: { kind, url } });
  return createOldSystem(old, {}, { clock: manualClock(), timeoutMs });
}

const json =
  (value: unknown, status = 200): Answering =>
  (response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));

const FROM_US = Date.UTC(2026, 10, 22) * 1000;
const SPAN = { fromUs: FROM_US, toUs: FROM_US + 3_600_000_000 };
const TIME = "2026-11-22T00:30:00.000001+00:00";
const state = { entity_id: "light.a", state: "on", attributes: {}, last_changed: TIME, last_updated: TIME };
const changed = (new_state: unknown) => ({
  events: [
    { event_type: "state_changed", data: { entity_id: "light.a", old_state: null, new_state }, time_fired: TIME },
  ],
});

async function scanOf(answering: Answering, kind?: "influxdb", timeoutMs?: number) {
  const old = await oldThat(answering, kind, timeoutMs);
  const rows = [];
  for await (const piece of old.scan(SPAN)) rows.push(...piece);
  return rows;
}

describe("what an HTTP pipeline answers", () => {
  it("is read in Home Assistant's shape and in the plain one, with any offset", async () => {
    const atUs = FROM_US + 1_800_000_001;
    const row = { entityId: "light.a", atUs, state: "on", attributes: {}, lastChangedUs: atUs };
    expect(await scanOf(json(changed(state)))).toEqual([row]);
    expect(
      await scanOf(
        json({ events: [{ ...state, last_changed: undefined, last_updated: "2026-11-22T01:30:00.000001+01:00" }] }),
      ),
    ).toEqual([{ entityId: "light.a", atUs, state: "on", attributes: {} }]);
    const { last_updated: timestamp, entity_id } = state;
    expect(await scanOf(json({ events: [{ entity_id, state: "on", timestamp }], next: null }))).toEqual([
      { entityId: "light.a", atUs, state: "on" },
    ]);
    expect(await scanOf(json(changed(null)))).toEqual([{ entityId: "light.a", atUs, state: null }]);
  });

  const bad: readonly (readonly [what: string, answering: Answering, seen: RegExp])[] = [
    [
      "a web page",
      (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in"),
      /web page/,
    ],
    ["a page that does not say so", (response) => response.end("<!DOCTYPE html><p>"), /web page/],
    ["200 with an error inside", json({ error: "database is locked" }), /error inside: .*database is locked/],
    ["200 with a failure inside", json({ status: "error", events: [] }), /error inside/],
    ["a truncated body", (response) => response.end('{"events":[{"entity_id":"li'), /no JSON/],
    ["no list", json({ events: { a: 1 } }), /no list "events"/],
    ["a list alone", json([]), /no list "events"/],
    ["a float where a state is", json(changed({ ...state, state: 13 })), /state is no text: "13"/],
    [
      "a time without an offset",
      json(changed({ ...state, last_updated: "2026-11-22T00:30:00" })),
      /no ISO 8601 with an offset/,
    ],
    ["a time that is a number", json(changed({ ...state, last_updated: 1_795_326_429.185 })), /time is no text/],
    ["a time that is none", json(changed({ ...state, last_updated: "2026-02-30T00:00:00Z" })), /no ISO 8601/],
    ["attributes that are a text", json(changed({ ...state, attributes: "{}" })), /attributes are no object/],
    ["an entity id that is none", json({ events: [{ ...state, entity_id: 7 }] }), /without an entity id/],
    ["another shape", json({ events: [{ entity: "light.a", was: "on", at: TIME }] }), /without an entity id/],
    [
      "what was not asked for",
      json(changed({ ...state, last_updated: "2026-11-23T00:30:00Z" })),
      /outside of what was asked/,
    ],
    ["a next page that is the same", json({ ...changed(state), next: "a" }), /leads nowhere/],
    ["an empty page with one behind it", json({ events: [], next: "a" }), /leads nowhere/],
    ["404", json({ detail: "nothing here" }, 404), /404/],
    ["a redirect", (response) => response.writeHead(302, { location: "/login" }).end(), /302/],
    ["nothing", (response) => response.end(), /no JSON/],
    [
      "a body without an end",
      (response) => {
        const more = () => response.write("x".repeat(1_048_576), () => !response.destroyed && more());
        more();
      },
      /more than \d+ bytes/,
    ],
  ];
  it.each(bad)(
    "is malformed when it is %s, and the message says what was asked and seen",
    async (_, answering, seen) => {
      const scanning = scanOf(answering);
      await expect(scanning).rejects.toMatchObject({ code: "old_malformed" });
      await expect(scanning).rejects.toThrow(seen);
      await expect(scanning).rejects.toThrow(/GET "http:\/\/127.0.0.1:\d+\/api\/v1\/events"/);
    },
  );

  it.each([
    ["503", json({}, 503), "service_failed"],
    ["429", json({}, 429), "service_throttled"],
    ["401", json({}, 401), "service_refused"],
    ["a cut connection", (response: ServerResponse) => response.destroy(), "service_unreachable"],
    [
      "a body that breaks off",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-length": "1000" }).write("{");
        setImmediate(() => response.destroy());
      },
      "service_unreachable",
    ],
  ] as const)("is looked at again after %s", async (_, answering, code) => {
    await expect(scanOf(answering)).rejects.toMatchObject({ code });
  });

  it("is looked at again after silence", async () => {
    await expect(scanOf(() => {}, undefined, 100)).rejects.toMatchObject({ code: "service_timeout" });
  });

  it("says what OLD's health says, and measures its clock", async () => {
    const at = new Date(manualClock().nowMs() - 3_600_000).toUTCString();
    const healthy = await oldThat((response) =>
      response
        .writeHead(200, { date: at })
        .end(
          JSON.stringify({ status: "ok", version: "3", memory_bytes: 5e6, rows_taken: 7, newest: TIME, oldest: TIME }),
        ),
    );
    expect(await healthy.describe()).toEqual({
      ...{ product: "an HTTP pipeline 3", schema: "events", clockSkewMs: -3_599_500 },
      ...{ oldestUs: FROM_US + 1_800_000_001, newestUs: FROM_US + 1_800_000_001, memoryBytes: 5e6, rowsTaken: 7 },
    });
    const sick = await oldThat(json({ status: "degraded" }));
    await expect(sick.describe()).rejects.toMatchObject({ code: "service_failed" });
  });
});

const series = (columns: readonly string[], values: readonly unknown[][]) => ({
  results: [{ statement_id: 0, series: [{ name: "W", columns, values }] }],
});

describe("what an InfluxDB answers", () => {
  it.each([
    [
      "a web page",
      (response: ServerResponse) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "old_malformed",
    ],
    ["no InfluxQL", json({ hello: "world" }), "old_malformed"],
    ["an error inside of 200", json({ results: [{ error: "engine: shard is broken" }] }), "old_malformed"],
    ["rows shorter than their columns", json(series(["key", "x"], [["a"]])), "old_malformed"],
    ["another database", json({ results: [{ error: "database not found: home_assistant" }] }), "request_invalid"],
    ["a time-out of its own", json({ results: [{ error: "query timeout reached" }] }), "service_failed"],
    ["500", json({ error: "x" }, 500), "service_failed"],
    ["401", json({ error: "authorization failed" }, 401), "service_refused"],
  ] as const)("%s", async (_, answering, code) => {
    await expect(scanOf(answering, "influxdb")).rejects.toMatchObject({ code });
  });

  const answers = (rows: object) => {
    let asked = 0;
    const schema = [
      series(["tagKey"], [["domain"], ["entity_id"]]),
      series(["fieldKey", "fieldType"], [["value", "float"]]),
    ];
    return (response: ServerResponse) => json(schema[asked++] ?? rows)(response);
  };
  const COLUMNS = ["time", "state", "value", "domain", "entity_id"];

  it("a time that is no whole microsecond, or a state that is neither text nor number, is malformed", async () => {
    for (const row of [
      [1.5, null, 1, "sensor", "a"],
      ["2026-11-22T00:30:00Z", null, 1, "sensor", "a"],
      [FROM_US, null, true, "sensor", "a"],
    ])
      await expect(scanOf(answers(series(COLUMNS, [row])), "influxdb")).rejects.toMatchObject({
        code: "old_malformed",
      });
    const good = await scanOf(answers(series(COLUMNS, [[FROM_US, null, 1, "sensor", "a"]])), "influxdb");
    expect(good[0]).toEqual({ entityId: "sensor.a", atUs: FROM_US, state: "1" });
  });
});
