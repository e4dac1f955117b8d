import { gunzipSync } from "node:zlib";
import { createInfluxdbEventStore, type InfluxdbEventStoreOptions } from "../../lib/adapters/influxdb/event-store.ts";
import { durationSeconds } from "../../lib/adapters/influxdb/influxql.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import type { EventStoreUnderTest } from "../conformance/event-store.ts";

/** So long that the events of the tests, of 1969 to 2255, are never too old for a server whose clock nobody sets. */
export const LONG_DAYS = 36_500;

export type Fetch = typeof fetch;

export const openStore = (
  options: Partial<InfluxdbEventStoreOptions> & { url: string; database: string },
): EventStore => createInfluxdbEventStore({ clock: systemClock, random: seededRandom(1), ...options });

/** One statement, by hand. */
export async function influxql(url: string, statement: string, { database = "", authorization = "" } = {}) {
  const body = new URLSearchParams({ q: statement, epoch: "u", ...(database && { db: database }) });
  const answer = await fetch(`${url}/query`, {
    method: "POST",
    body,
    ...(authorization && { headers: { authorization } }),
  });
  return (await answer.json()) as {
    readonly error?: string;
    readonly results: readonly {
      readonly error?: string;
      readonly series?: readonly { readonly name: string; readonly values: readonly (readonly unknown[])[] }[];
    }[];
  };
}

let made = 0;

/** An empty store in a database of its own, whose next write can be broken. */
export async function openConformanceStore(url: string, through: (inner: Fetch) => Fetch = (inner) => inner) {
  const database = `conformance_${process.pid}_${++made}`;
  let broken: number | undefined;
  const breaking: Fetch = async (input, init) => {
    if (broken === undefined || !String(input).includes("/write")) return fetch(input, init);
    const choice = broken;
    broken = undefined;
    const { headers, body } = { headers: {}, ...init };
    if (choice % 3 > 0 && body instanceof Uint8Array) {
      const lines = gunzipSync(body).toString().trimEnd().split("\n");
      const some = choice % 3 === 1 ? lines : lines.slice(0, choice % lines.length);
      const { "content-encoding": _, ...plain } = headers as Record<string, string>;
      await fetch(input, { ...init, headers: plain, body: `${some.join("\n")}\n` });
    }
    throw new TypeError("the connection broke");
  };
  const make = (attempts?: number): EventStore => {
    const store = openStore({ url, database, attempts, fetch: through(breaking) });
    // The conformance suite asks for days that are counted from the server's own clock.
    return { ...store, setUp: ({ rawDays }) => store.setUp({ rawDays: rawDays + LONG_DAYS }) };
  };
  const store = make(1);
  await store.setUp({ rawDays: 1 });
  const under: EventStoreUnderTest = {
    store,
    reopen: async () => make(1),
    crash: async () => make(1),
    breakNext: (choice) => {
      broken = choice;
      return () => {
        broken = undefined;
      };
    },
    dispose: async () => {
      broken = undefined;
      await influxql(url, `DROP DATABASE "${database}"`);
    },
  };
  return under;
}

/**
 * InfluxDB 1.6 with the manners of 2.x, as their documentation tells: another version, buckets at `/api/v2`, no `rp`. The engine is a real one, the interface is not:
 * what a real 2.x server makes of the requests is not proved by it.
 */
export function asVersion2(url: string): (inner: Fetch) => Fetch {
  return (inner) => async (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    const { method = "GET", body } = { ...init };
    if (pathname === "/ping") return pingOf("v2.7.12");
    if (pathname === "/api/v2/orgs") return Response.json({ orgs: [{ id: "0a" }] });
    if (!pathname.startsWith("/api/v2/buckets")) return inner(withPolicy(input), init);
    const name = searchParams.get("name") ?? decodeURIComponent(pathname.split("/")[4] ?? "");
    if (method === "GET") {
      const kept = await keptSeconds(url, name);
      const bucket =
        kept === undefined
          ? []
          : [{ id: name, orgID: "0a", name, retentionRules: kept ? [{ type: "expire", everySeconds: kept }] : [] }];
      return Response.json({ buckets: bucket });
    }
    const asked = JSON.parse(String(body ?? "{}")) as { name?: string; retentionRules?: { everySeconds: number }[] };
    const hours = Math.ceil((asked.retentionRules?.[0]?.everySeconds ?? 0) / 3_600);
    if (method === "DELETE") await influxql(url, `DROP DATABASE "${name}"`);
    if (method === "POST")
      await influxql(url, `CREATE DATABASE "${asked.name}" WITH DURATION ${hours}h SHARD DURATION 24h NAME "autogen"`);
    if (method === "PATCH") await influxql(url, `ALTER RETENTION POLICY "autogen" ON "${name}" DURATION ${hours}h`);
    return Response.json({}, { status: method === "POST" ? 201 : 200 });
  };
}

/** As `asVersion2`, with the manners of 3.x: `/api/v3`, questions in the address only, no DELETE, old points taken and not shown. */
export function asVersion3(url: string): (inner: Fetch) => Fetch {
  return (inner) => async (input, init) => {
    const { pathname, searchParams } = new URL(String(input));
    const { method = "GET", body } = { ...init };
    if (pathname === "/ping") return Response.json({ version: "3.7.0", revision: "x" });
    if (pathname === "/query") return query3(searchParams, method, () => inner(withPolicy(input), init));
    if (pathname === "/api/v3/configure/table") {
      await influxql(url, `DROP MEASUREMENT "${searchParams.get("table")}"`, {
        database: searchParams.get("db") ?? "",
      });
      return Response.json({});
    }
    if (pathname !== "/api/v3/configure/database") return inner(withPolicy(input), init);
    const { db, retention_period: period } = JSON.parse(String(body)) as { db: string; retention_period: string };
    const how = `DURATION ${Number(period.replace("d", "")) * 24}h`;
    const isThere = (await keptSeconds(url, db)) !== undefined;
    if (method === "POST" && isThere) return Response.json({ error: "already exists" }, { status: 409 });
    const statement =
      method === "POST"
        ? `CREATE DATABASE "${db}" WITH ${how} NAME "autogen"`
        : `ALTER RETENTION POLICY "autogen" ON "${db}" ${how}`;
    await influxql(url, statement);
    return Response.json({});
  };
}

async function query3(parameters: URLSearchParams, method: string, ask: () => Promise<Response>): Promise<Response> {
  const statement = parameters.get("q") ?? "";
  if (method !== "GET") return Response.json({ error: "missing field `q`" }, { status: 400 });
  if (/^(DELETE|DROP|CREATE|ALTER)/.test(statement))
    return Response.json({ error: "This feature is not implemented: DELETE" }, { status: 501 });
  return ask();
}

const pingOf = (version: string) => new Response(null, { status: 204, headers: { "x-influxdb-version": version } });

/** Neither version knows retention policies: what names one would fail there. */
function withPolicy(input: Parameters<Fetch>[0]): string {
  const url = new URL(String(input));
  if (url.searchParams.has("rp")) throw new TypeError("this version has no retention policies");
  return url.href;
}

async function keptSeconds(url: string, database: string): Promise<number | undefined> {
  const { results } = await influxql(url, `SHOW RETENTION POLICIES ON "${database}"`);
  const duration = results[0]?.series?.[0]?.values[0]?.[1];
  return duration === undefined ? undefined : durationSeconds(String(duration));
}
