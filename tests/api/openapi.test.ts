import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createTestApi, type TestApi, tokenText } from "../support/api.ts";
import { disagree, furnish, haEvent, plainEvent } from "../support/api-requests.ts";
import { manualClock } from "../support/manual-clock.ts";
import { buildPattern } from "../support/patterns.ts";

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

let api: TestApi;
let document: Document;
let ajv: Ajv2020;

beforeAll(async () => {
  api = await createTestApi({ clock: manualClock() });
  await api.patterns.change("home", () => [buildPattern()]);
  await furnish(api);
  await api.addToken(tokenText("home", "w"), "home", ["write"]);
  document = (await (await api.ask("/openapi.json", { token: null })).json()) as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, "document");
});

const pointer = (...parts: readonly string[]) =>
  parts.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");

/** Holds an answer against what the document says of its route, status and media type. */
async function check(
  path: string,
  template: string,
  init: Parameters<TestApi["ask"]>[1] = {},
  asked = api,
): Promise<number> {
  const method = (init.method ?? "GET").toLowerCase();
  const response = await asked.ask(path, init);
  const documented = document.paths[template]?.[method]?.responses[String(response.status)];
  if (!documented) throw new Error(`${method} ${template} answered ${response.status}, which is not documented`);
  const text = await response.text();
  const mediaType = (response.headers.get("content-type") ?? "").split(/; ?charset/)[0] ?? "";
  if (!documented.content) {
    expect(text).toBe("");
    return response.status;
  }
  expect(Object.keys(documented.content)).toContain(
    Object.keys(documented.content).find((type) => type.startsWith(mediaType)),
  );
  if (mediaType.endsWith("json")) {
    const schema = `document#/paths/${pointer(template)}/${method}/responses/${response.status}/content/${pointer(mediaType)}/schema`;
    const isValid = ajv.validate({ $ref: schema.replaceAll("{", "%7B").replaceAll("}", "%7D") }, JSON.parse(text));
    expect(ajv.errors ?? []).toEqual([]);
    expect(isValid).toBe(true);
  }
  return response.status;
}

describe("the OpenAPI document", () => {
  it("is 3.1, names every operation once, and says which need a token", () => {
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.every(({ security }) => security.length > 0)).toBe(true);
  });

  it("has every address of the contract that is built, and no other", () => {
    const both = ["/health", "/ready", "/metrics"];
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        "/",
        "/docs",
        "/openapi.json",
        "/page/live",
        "/page/app.js",
        ...both,
        ...both.map((path) => `/api/v1${path}`),
        "/api/v1/events",
        "/api/v1/events/forward",
        "/api/v1/events/stats",
        "/api/v1/events/aggregate",
        "/api/v1/entities",
        "/api/v1/devices",
        "/api/v1/devices/{id}",
        "/api/v1/devices/{id}/capabilities",
        "/api/v1/devices/{id}/history",
        "/api/v1/changes",
        "/api/v1/conflicts",
        "/api/v1/conflicts/sync",
        "/api/v1/conflicts/{id}/settle",
        "/api/v1/capabilities",
        "/api/v1/patterns",
        "/api/v1/patterns/{id}",
        "/api/v1/suggestions",
        "/api/v1/suggestions/{id}",
        "/api/v1/suggestions/{id}/automation.yaml",
        "/api/v1/suggestions/{id}/accept",
        "/api/v1/suggestions/{id}/dismiss",
        "/api/v1/suggestions/{id}/snooze",
        "/api/v1/suggestions/{id}/restore",
        "/api/v1/outbox",
        "/api/v1/outbox/{id}/acknowledge",
        "/api/v1/areas",
        "/api/v1/aggregates/daily",
        "/api/v1/aggregates/weekly",
        "/api/v1/aggregates/monthly",
        "/api/v1/retention",
        "/api/v1/jobs",
        "/api/v1/jobs/{id}",
        "/api/v1/ledger",
        "/api/v1/migrations",
        ...["", "/report", "/report.html", "/tuning", "/differences", "/metrics", "/audit", "/readers"].map(
          (path) => `/api/v1/migrations/{id}${path}`,
        ),
        ...["start", "pause", "resume", "advance", "rollback", "abort"].map(
          (path) => `/api/v1/migrations/{id}/${path}`,
        ),
      ].sort(),
    );
  });

  it("has every operation that it names: none answers as an unknown address or method does", async () => {
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of Object.keys(item)) {
        const response = await api.ask(path.replace("{id}", "plug"), { method: method.toUpperCase() });
        expect(
          [404, 405].includes(response.status) && !/\/(jobs|patterns|suggestions|migrations)\//.test(path),
          `${method} ${path}`,
        ).toBe(false);
      }
    }
  });

  it.each([
    ["/api/v1/events", "/api/v1/events"],
    ["/api/v1/events?limit=1&order=asc", "/api/v1/events"],
    ["/api/v1/events/stats", "/api/v1/events/stats"],
    ["/api/v1/events/stats?limit=1", "/api/v1/events/stats"],
    [
      "/api/v1/events/aggregate?entity_id=light.kitchen,sensor.outside_temperature&from=2026-11-22T00:00:00Z&window=5m",
      "/api/v1/events/aggregate",
    ],
    ["/api/v1/entities", "/api/v1/entities"],
    ["/api/v1/devices?limit=1", "/api/v1/devices"],
    ["/api/v1/devices/plug", "/api/v1/devices/{id}"],
    ["/api/v1/devices/plug/capabilities", "/api/v1/devices/{id}/capabilities"],
    ["/api/v1/devices/plug/history", "/api/v1/devices/{id}/history"],
    ["/api/v1/changes?limit=1", "/api/v1/changes"],
    ["/api/v1/changes?registry=devices&id=plug", "/api/v1/changes"],
    ["/api/v1/conflicts?status=open&device_id=plug", "/api/v1/conflicts"],
    ["/api/v1/capabilities?limit=1", "/api/v1/capabilities"],
    ["/api/v1/patterns", "/api/v1/patterns"],
    ["/api/v1/patterns?kind=room&status=active&automated=false&limit=1", "/api/v1/patterns"],
    ["/api/v1/patterns/time-of-day-1", "/api/v1/patterns/{id}"],
    ["/api/v1/suggestions", "/api/v1/suggestions"],
    ["/api/v1/suggestions?status=new&limit=1", "/api/v1/suggestions"],
    ["/api/v1/suggestions/coffee", "/api/v1/suggestions/{id}"],
    ["/api/v1/suggestions/coffee/automation.yaml", "/api/v1/suggestions/{id}/automation.yaml"],
    ["/api/v1/outbox?status=pending", "/api/v1/outbox"],
    ["/api/v1/areas", "/api/v1/areas"],
    ["/api/v1/aggregates/daily?limit=1", "/api/v1/aggregates/daily"],
    ["/api/v1/aggregates/weekly", "/api/v1/aggregates/weekly"],
    ["/api/v1/aggregates/monthly", "/api/v1/aggregates/monthly"],
    ["/api/v1/retention", "/api/v1/retention"],
    ["/api/v1/jobs", "/api/v1/jobs"],
    ["/api/v1/jobs/job-2", "/api/v1/jobs/{id}"],
    ["/api/v1/ledger", "/api/v1/ledger"],
    ["/api/v1/ledger?limit=1", "/api/v1/ledger"],
    ["/health", "/health"],
    ["/api/v1/health", "/api/v1/health"],
    ["/ready", "/ready"],
    ["/metrics", "/metrics"],
    ["/openapi.json", "/openapi.json"],
    ["/docs", "/docs"],
    ["/", "/"],
    ["/page/live", "/page/live"],
    ["/page/app.js", "/page/app.js"],
  ])("describes the answer of %s, with a token, without, and without the scope", async (path, template) => {
    expect(await check(path, template)).toBe(200);
    expect([200, 401]).toContain(await check(path, template, { token: null }));
    expect([200, 403]).toContain(await check(path, template, { token: tokenText("home", "w") }));
  });

  it("describes what POST answers", async () => {
    const init = (body: unknown, type = "application/json") => ({
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": type },
    });
    const statuses = [];
    for (const template of ["/api/v1/events", "/api/v1/events/forward"]) {
      statuses.push(await check(template, template, init([haEvent(), haEvent().data, plainEvent(), {}])));
      statuses.push(await check(template, template, init({})));
      statuses.push(await check(template, template, init([])));
      statuses.push(await check(template, template, init({}, "text/plain")));
      statuses.push(await check(template, template, init("x".repeat(1_100_000))));
      statuses.push(await check(template, template, { ...init(plainEvent()), token: tokenText("home", "r") }));
      statuses.push(await check(template, template, { ...init(plainEvent()), token: null }));
    }
    expect(statuses).toEqual([202, 400, 400, 415, 413, 403, 401, 202, 400, 400, 415, 413, 403, 401]);
  });

  it("describes what the outbox answers", async () => {
    const init = (body: unknown, token?: string | null) => ({
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
      ...(token !== undefined && { token }),
    });
    const own = await createTestApi({ clock: manualClock() });
    const message = { kind: "mqtt", topic: "hearthline/a", payload: "" };
    const add = (body: unknown, token?: string | null) =>
      check("/api/v1/outbox", "/api/v1/outbox", init(body, token), own);
    expect(await add(message)).toBe(201);
    expect(await add({ kind: "capabilities" })).toBe(201);
    expect(await add({ kind: "capabilities" })).toBe(200);
    expect(await add({ ...message, topic: "x" })).toBe(400);
    expect(await add(message, null)).toBe(401);
    expect(await add(message, tokenText("home", "r"))).toBe(403);
    expect(await check("/api/v1/outbox", "/api/v1/outbox", {}, own)).toBe(200);
    const { items } = (await (await own.ask("/api/v1/outbox")).json()) as { items: { id: string }[] };
    const end = (id: string, body: unknown) =>
      check(`/api/v1/outbox/${id}/acknowledge`, "/api/v1/outbox/{id}/acknowledge", init(body), own);
    expect(await end(items[0]?.id ?? "", { status: "failed", attempts: 1, error: "refused" })).toBe(200);
    expect(await end("none", { status: "delivered" })).toBe(404);
    expect(await end("none", {})).toBe(400);
    for (let at = 0; at < 299; at++) await own.post("/api/v1/outbox", message);
    expect(await add(message)).toBe(429);
  });

  it("describes what conflicts are answered with", async () => {
    const own = await createTestApi({ clock: manualClock() });
    await disagree(own);
    const init = (body: unknown, token?: string | null) => ({
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
      ...(token !== undefined && { token }),
    });
    const sync = (token?: string | null) =>
      check("/api/v1/conflicts/sync", "/api/v1/conflicts/sync", init({}, token), own);
    expect([await sync(), await sync(null), await sync(tokenText("home", "r"))]).toEqual([200, 401, 403]);
    expect(await check("/api/v1/conflicts", "/api/v1/conflicts", {}, own)).toBe(200);
    expect(await check("/api/v1/devices/ha-lamp", "/api/v1/devices/{id}", {}, own)).toBe(200);
    const { conflicts } = (await (await own.ask("/api/v1/conflicts")).json()) as { conflicts: { id: string }[] };
    const settle = (id: string | undefined, body: unknown) =>
      check(`/api/v1/conflicts/${id}/settle`, "/api/v1/conflicts/{id}/settle", init(body), own);
    expect(await settle(conflicts[0]?.id, { chosen: "old", reason: "I know it" })).toBe(200);
    expect(await settle(conflicts[0]?.id, { chosen: "both" })).toBe(409);
    expect(await settle("none", { chosen: "new" })).toBe(404);
    expect(await settle("none", { chosen: "neither" })).toBe(400);
  });

  it("describes what migrations are answered with", async () => {
    const own = await createTestApi({ clock: manualClock() });
    const token = tokenText("home", "d");
    await own.addToken(token, "home", ["admin"]);
    const list = "/api/v1/migrations";
    const post = (body: unknown, headers: Record<string, string> = {}) => ({
      method: "POST",
      token,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
    const plan = { old: { kind: "http", url: "http://old.local/api/v1/events" } };
    const statuses = [];
    for (const body of [{}, plan, plan]) statuses.push(await check(list, list, post(body), own));
    statuses.push(await check(list, list, { ...post(plan), token: tokenText("home") }, own));
    expect(statuses).toEqual([400, 201, 409, 403]);
    const { migrations } = (await (await own.ask(list)).json()) as { migrations: { id: string }[] };
    const id = migrations[0]?.id ?? "";
    const difference = { entityId: "light.a", atUs: 1e15, foundUs: 1e15, explanation: "x", lostBy: "old" as const };
    await own.migrationStore.addDifferences("home", id, [{ ...difference, class: "late" }]);
    await own.migrationStore.addPairs("home", id, [
      { atUs: manualClock().nowMs() * 1000, by: "probe", query: "range", rows: 1, oldMs: 3 },
    ]);
    expect(await check(list, list, {}, own)).toBe(200);
    for (const path of ["", "/report", "/report.html", "/tuning", "/differences", "/metrics", "/audit"]) {
      const template = `${list}/{id}${path}`;
      expect([path, await check(`${list}/${id}${path}`, template, {}, own)]).toEqual([path, 200]);
      expect([path, await check(`${list}/none${path}`, template, {}, own)]).toEqual([path, 404]);
    }
    const change = (what: string, epoch?: string, body: object = {}) =>
      check(`${list}/${id}/${what}`, `${list}/{id}/${what}`, post(body, epoch ? { "if-match": epoch } : {}), own);
    expect(await change("start")).toBe(428);
    expect(await change("start", "x")).toBe(400);
    expect(await change("start", '"1"')).toBe(200);
    expect(await change("start", '"1"')).toBe(412);
    expect(await change("advance", '"2"')).toBe(409);
    expect(await change("readers", '"2"', { reader: "nobody", to: "new" })).toBe(404);
    expect(await change("rollback", '"2"', { at: "once" })).toBe(200);
    expect(await change("abort", '"3"')).toBe(409);
  });

  it("describes errors and 304", async () => {
    expect(await check("/api/v1/events?limit=0&x=1", "/api/v1/events")).toBe(400);
    expect(await check("/api/v1/events?cursor=x", "/api/v1/events")).toBe(400);
    expect(await check("/api/v1/events/aggregate?window=1y", "/api/v1/events/aggregate")).toBe(400);
    expect(await check("/api/v1/devices/none", "/api/v1/devices/{id}")).toBe(404);
    expect(await check("/api/v1/devices/none/history", "/api/v1/devices/{id}/history")).toBe(404);
    expect(await check("/api/v1/changes?id=x", "/api/v1/changes")).toBe(400);
    expect(await check("/api/v1/suggestions/none", "/api/v1/suggestions/{id}")).toBe(404);
    expect(await check("/api/v1/jobs/none", "/api/v1/jobs/{id}")).toBe(404);
    expect(await check("/api/v1/areas", "/api/v1/areas", { headers: { "if-none-match": "*" } })).toBe(304);
  });

  it("describes what is answered while parts are away, and to a foreign host", async () => {
    const away = () => Promise.reject(new HearthlineError("service_unreachable", "away"));
    const parts = {
      events: { range: away, stats: away, aggregate: away, retention: away },
      index: { list: away, seen: away, history: away, revisions: away },
      jobs: { get: away, list: away, create: away, requeue: away },
      ledger: { rows: away },
    };
    const broken = await createTestApi({
      clock: manualClock(),
      parts,
      depths: away,
      pageToken: tokenText("home", "r"),
    });
    for (const path of [
      "/api/v1/events",
      "/api/v1/events/stats",
      "/api/v1/entities",
      "/api/v1/devices",
      "/api/v1/areas",
      "/api/v1/jobs",
      "/api/v1/ledger",
      "/health",
      "/ready",
    ]) {
      expect(await check(path, path, {}, broken)).toBe(503);
    }
    const aggregate = "/api/v1/events/aggregate";
    expect(await check(`${aggregate}?entity_id=light.a&from=2026-11-22T00:00:00Z`, aggregate, {}, broken)).toBe(503);
    for (const path of ["/", "/docs"]) {
      expect(await check(path, path, {}, broken)).toBe(200);
      expect(await check(path, path, { headers: { host: "evil.example:8787" } }, broken)).toBe(421);
    }
  });
});
