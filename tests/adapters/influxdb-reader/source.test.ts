import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { parseSeriesKey } from "../../../lib/adapters/influxdb-reader/series.ts";
import { createInfluxSource } from "../../../lib/adapters/influxdb-reader/source.ts";
import type { HistoryChunk } from "../../../lib/history/index.ts";

let server: Server | undefined;
afterEach(() => new Promise<void>((done) => (server ? server.close(() => done()) : done())));

interface Asked {
  readonly query: string;
  readonly authorization: string | undefined;
}

/** Answers as InfluxDB 1.6.7 does, by the first pattern that fits the query. */
async function influxdb(answers: readonly (readonly [RegExp, unknown])[], status = 200) {
  const asked: Asked[] = [];
  const made = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += String(part);
    });
    request.on("end", () => {
      const query = new URLSearchParams(body).get("q") ?? "";
      asked.push({ query, authorization: request.headers.authorization });
      const answer = answers.find(([pattern]) => pattern.test(query))?.[1] ?? { results: [{}] };
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  server = made;
  await new Promise<void>((done) => made.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}`, asked };
}

const series = (columns: readonly string[], values: readonly unknown[][], name?: string) => ({
  results: [{ series: [{ ...(name !== undefined && { name }), columns, values }] }],
});

async function all(url: string, more: Partial<Parameters<typeof createInfluxSource>[0]> = {}, position?: unknown) {
  const source = createInfluxSource({ url, database: "ha", isIncluded: () => true, ...more });
  const chunks: HistoryChunk[] = [];
  for await (const chunk of source.read(position, new AbortController().signal)) chunks.push(chunk);
  return { rows: chunks.flatMap(({ rows }) => rows), position: chunks.at(-1)?.position };
}

const SERIES = series(
  ["key"],
  [
    ["W,domain=sensor,entity_id=power"],
    ["kW,domain=sensor,entity_id=power"],
    ["state,domain=light,entity_id=a"],
    ["cpu,host=x"],
  ],
);
const FIELDS = {
  results: [
    {
      series: [
        { name: "W", columns: ["fieldKey", "fieldType"], values: [["value", "float"]] },
        {
          name: "state",
          columns: ["fieldKey", "fieldType"],
          values: [
            ["state", "string"],
            ["value", "float"],
          ],
        },
      ],
    },
  ],
};

describe("an InfluxDB that Home Assistant filled", () => {
  it("gives states, values and attributes per entity, over all its measurements, without secrets being asked for", async () => {
    const { url, asked } = await influxdb([
      [/^SHOW SERIES/, SERIES],
      [/^SHOW FIELD KEYS/, FIELDS],
      [/last\(\*\).*"W"/, series(["time", "last_value", "last_access_token_str"], [[0, 5, "secret"]])],
      [/last\(\*\).*"kW"/, series(["time", "last_value"], [[0, 5]])],
      [
        /last\(\*\).*"state"/,
        series(
          ["time", "last_state", "last_value", "last_x", "last_x_str", "last_state_", "last_no"],
          [[0, "on", 1, 2, "v2", 3, null]],
        ),
      ],
      [
        /FROM "W"/,
        series(
          ["time", "value"],
          [
            [1_000_001, 13],
            [3_000_000, 12.5],
          ],
        ),
      ],
      [/FROM "kW"/, series(["time", "value"], [[2_000_000, 0.1]])],
      [
        /FROM "state"/,
        series(
          ["time", "state", "value", "x", "x_str", "state_"],
          [
            [1_500_000, "on", 1, 2, "v2", 3],
            [1_600_000, null, null, 1, null, null],
            [1_700_000, "{'a': 1}", null, null, null, null],
          ],
        ),
      ],
    ]);
    const { rows, position } = await all(url);
    const unit = (name: string) => ({ unit_of_measurement: name });
    expect(rows).toEqual([
      { entityId: "light.a", state: "on", atUs: 1_500_000, attributes: { x: "v2", state: 3 } },
      { entityId: "light.a", state: "{'a': 1}", atUs: 1_700_000, attributes: {} },
      { entityId: "sensor.power", state: "13", atUs: 1_000_001, attributes: unit("W") },
      { entityId: "sensor.power", state: "0.1", atUs: 2_000_000, attributes: unit("kW") },
      { entityId: "sensor.power", state: "12.5", atUs: 3_000_000, attributes: unit("W") },
    ]);
    expect(asked.filter(({ query }) => /access_token|SELECT \*/.test(query))).toEqual([]);
    expect(asked.find(({ query }) => query.includes('FROM "W"') && !query.includes("last"))?.query).toBe(
      `SELECT "value" FROM "W" WHERE "domain" = 'sensor' AND "entity_id" = 'power' ORDER BY time ASC LIMIT 5000`,
    );
    asked.length = 0;
    await all(url, { fromUs: 5, toUs: 9_000_000 }, position);
    expect(asked.map(({ query }) => query)).toContainEqual(
      expect.stringContaining("time > 3000000u AND time < 9000000u"),
    );
  });

  it("pages, and does not run ahead in one measurement of what another still holds", async () => {
    const page = Array.from({ length: 5_000 }, (_, n) => [(n + 1) * 1_000, n]);
    const { url } = await influxdb([
      [/^SHOW SERIES/, SERIES],
      [/last\(\*\).*"state"/, { results: [{}] }],
      [/last\(\*\)/, series(["time", "last_value"], [[0, 5]])],
      [/FROM "W".*time > 5000000u/, series(["time", "value"], [[5_000_500, -1]])],
      [/FROM "W"/, series(["time", "value"], page)],
      [
        /FROM "kW".*time > 5000000u/,
        series(
          ["time", "value"],
          [
            [5_000_400, -2],
            [9_000_000, -3],
          ],
        ),
      ],
      [
        /FROM "kW"/,
        series(
          ["time", "value"],
          [
            [5_000_400, -2],
            [9_000_000, -3],
          ],
        ),
      ],
    ]);
    const { rows } = await all(url);
    expect(rows).toHaveLength(5_003);
    expect(rows.slice(-3).map(({ state }) => state)).toEqual(["-2", "-1", "-3"]);
  });

  it("signs in with user and password, or with a token alone", async () => {
    const { url, asked } = await influxdb([]);
    await all(url, { user: "u", password: "p" });
    await all(url, { password: "t" });
    await all(url);
    expect([...new Set(asked.map(({ authorization }) => authorization))]).toEqual(["Basic dTpw", "Token t", undefined]);
  });

  it("says what is wrong with it", async () => {
    const failing = async (answer: unknown, status: number) => {
      const { url } = await influxdb([[/./, answer]], status);
      return all(url).catch((thrown: unknown) => thrown);
    };
    expect(await failing({ error: "authorization failed" }, 401)).toMatchObject({ code: "service_refused" });
    await new Promise((done) => server?.close(done));
    expect(await failing({ results: [{ error: "database not found: ha" }] }, 200)).toMatchObject({
      code: "request_invalid",
    });
    await new Promise((done) => server?.close(done));
    expect(await failing("a page", 404)).toMatchObject({ code: "request_invalid" });
    await new Promise((done) => server?.close(done));
    expect(await failing({ error: "timeout" }, 503)).toMatchObject({ code: "service_failed" });
    await expect(all("http://127.0.0.1:1")).rejects.toMatchObject({ code: "service_unreachable" });
  });

  it("reads names with blanks, commas and equals signs", () => {
    expect(parseSeriesKey(String.raw`m\ 1\,2,domain=sensor,entity_id=a\ b\=c`)).toEqual({
      measurement: "m 1,2",
      tags: { domain: "sensor", entity_id: "a b=c" },
    });
  });
});
