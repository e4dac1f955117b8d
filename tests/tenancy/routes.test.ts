import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { homePartition, MIGRATIONS_PARTITION, tokenHashKey } from "../../lib/adapters/dynamodb/keys.ts";
import { hashToken } from "../../lib/api/index.ts";
import { keyIdOf, openEnvelope, readEnvelope } from "../../lib/event/index.ts";
import { oneOf } from "../support/depth.ts";
import { functionAtWork } from "../support/pipeline-functions.ts";
import { nastyTexts } from "./nasty.ts";
import { CANARY, FOREIGN, OWN, type TwoHomes, twoHomes } from "./two-homes.ts";

interface Parameter {
  readonly in: string;
  readonly name: string;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: unknown;
  readonly "x-hearthline-scope"?: string;
}
interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** What a test must know of a route beside what the document says: ids of the first home for its path, and bodies that reach for it. */
interface Sample {
  readonly id?: keyof TwoHomes["ids"];
  readonly bodies?: readonly unknown[];
  /** What it needs so that it answers, and so that there is a second page. */
  readonly query?: string;
  /** Of what changes only as the caller saw it. */
  readonly ifMatch?: string;
}

const event = { event_type: "state_changed", entity_id: "sensor.a_one", state: "5", timestamp: "2026-11-22T06:00:00Z" };
const naming = { home_id: FOREIGN, homeId: FOREIGN, home: FOREIGN };
const events = [event, { ...event, ...naming }, [{ ...event, attributes: naming }]];

const plan = { old: { kind: "influxdb", url: "http://influxdb.local:8086" } };

const SAMPLES: Readonly<Record<string, Sample>> = {
  "GET /": {},
  "GET /api/v1/aggregates/daily": {},
  "GET /api/v1/aggregates/monthly": {},
  "GET /api/v1/aggregates/weekly": {},
  "GET /api/v1/areas": {},
  "GET /api/v1/capabilities": {},
  "GET /api/v1/changes": { query: "registry=devices" },
  "GET /api/v1/conflicts": {},
  "GET /api/v1/devices": {},
  "GET /api/v1/devices/{id}": { id: "device" },
  "GET /api/v1/devices/{id}/capabilities": { id: "device" },
  "GET /api/v1/devices/{id}/history": { id: "device" },
  "GET /api/v1/entities": {},
  "GET /api/v1/events": {},
  "GET /api/v1/events/aggregate": {
    query: "entity_id=sensor.a_one&from=2026-11-22T05:00:00Z&to=2026-11-22T06:00:00Z&window=1h",
  },
  "GET /api/v1/events/stats": {},
  "GET /api/v1/health": {},
  "GET /api/v1/jobs": {},
  "GET /api/v1/jobs/{id}": { id: "job" },
  "GET /api/v1/ledger": {},
  "GET /api/v1/metrics": {},
  "GET /api/v1/migrations": {},
  "GET /api/v1/migrations/{id}": { id: "migration" },
  "GET /api/v1/migrations/{id}/audit": { id: "migration" },
  "GET /api/v1/migrations/{id}/differences": { id: "migration" },
  "GET /api/v1/migrations/{id}/metrics": { id: "migration" },
  "GET /api/v1/migrations/{id}/report": { id: "migration" },
  "GET /api/v1/migrations/{id}/report.html": { id: "migration" },
  "GET /api/v1/migrations/{id}/tuning": { id: "migration" },
  "GET /api/v1/outbox": {},
  "GET /api/v1/patterns": {},
  "GET /api/v1/patterns/{id}": { id: "pattern" },
  "GET /api/v1/ready": {},
  "GET /api/v1/retention": {},
  "GET /api/v1/suggestions": {},
  "GET /api/v1/suggestions/{id}": { id: "suggestion" },
  "GET /api/v1/suggestions/{id}/automation.yaml": { id: "suggestion" },
  "POST /api/v1/suggestions/{id}/accept": { id: "suggestion", bodies: [{}] },
  "POST /api/v1/suggestions/{id}/dismiss": { id: "suggestion", bodies: [{}] },
  "POST /api/v1/suggestions/{id}/restore": { id: "suggestion", bodies: [{}] },
  "POST /api/v1/suggestions/{id}/snooze": { id: "suggestion", bodies: [{ days: 3 }, { days: 3, ...naming }] },
  "GET /docs": {},
  "GET /health": {},
  "GET /metrics": {},
  "GET /openapi.json": {},
  "GET /page/app.js": {},
  "GET /page/live": {},
  "GET /ready": {},
  "POST /api/v1/conflicts/sync": { bodies: [naming] },
  "POST /api/v1/conflicts/{id}/settle": { id: "conflict", bodies: [{ chosen: "old" }, { chosen: "old", ...naming }] },
  "POST /api/v1/events": { bodies: events },
  "POST /api/v1/events/forward": { bodies: events },
  "POST /api/v1/jobs": {
    bodies: [
      { kind: "daily", date: "2020-01-01" },
      { kind: "daily", date: "2020-01-01", ...naming },
    ],
  },
  "POST /api/v1/migrations": { bodies: [plan, { ...plan, ...naming }] },
  "POST /api/v1/migrations/{id}/abort": { id: "migration", bodies: [{}, naming], ifMatch: '"2"' },
  "POST /api/v1/migrations/{id}/advance": { id: "migration", bodies: [{}, naming], ifMatch: '"2"' },
  "POST /api/v1/migrations/{id}/pause": { id: "migration", bodies: [{}, naming], ifMatch: '"2"' },
  "POST /api/v1/migrations/{id}/readers": {
    id: "migration",
    bodies: [{ reader: "admin", to: "new" }, naming],
    ifMatch: '"2"',
  },
  "POST /api/v1/migrations/{id}/resume": { id: "migration", bodies: [{}, naming], ifMatch: '"2"' },
  "POST /api/v1/migrations/{id}/rollback": { id: "migration", bodies: [{ at: "once" }, naming], ifMatch: '"2"' },
  "POST /api/v1/migrations/{id}/start": { id: "migration", bodies: [{}, naming], ifMatch: '"2"' },
  "POST /api/v1/outbox": { bodies: [{ kind: "capabilities" }, { kind: "capabilities", ...naming }] },
  "POST /api/v1/outbox/{id}/acknowledge": {
    id: "outbox",
    bodies: [
      { status: "delivered", attempts: 1 },
      { status: "delivered", attempts: 1, ...naming },
    ],
  },
};

let homes: TwoHomes;
let routes: readonly Route[];
const real = globalThis.fetch;
/** Partitions of the table that functions have touched. */
const touched = new Set<string>();

function note(init: RequestInit | undefined): void {
  const target = new Headers(init?.headers).get("x-amz-target") ?? "";
  if (functionAtWork() !== "api" || !target.startsWith("DynamoDB")) return;
  for (const [, pk = ""] of String(init?.body).matchAll(/"(?:pk|:pk)":\{"S":"((?:[^"\\]|\\.)*)"\}/g))
    touched.add(JSON.parse(`"${pk}"`) as string);
}

beforeAll(async () => {
  globalThis.fetch = (input, init) => {
    note(init);
    return real(input, init);
  };
  homes = await twoHomes();
  const document = (await homes.pipeline.ask(undefined, "/openapi.json")).json as {
    paths: Record<string, Record<string, Operation>>;
  };
  routes = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const name = method.toUpperCase();
      return { name: `${name} ${path}`, method: name, path, operation };
    }),
  );
});
afterAll(async () => {
  globalThis.fetch = real;
  await homes?.pipeline.stop();
});

const sampleOf = ({ name }: Route): Sample => SAMPLES[name] ?? {};
const ask = (token: string | undefined, route: Route, path: string, body?: unknown) => {
  const { ifMatch } = sampleOf(route);
  return homes.pipeline.ask(token, path, {
    method: route.method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(ifMatch !== undefined && { ifMatch }),
  });
};
const bodiesOf = (route: Route): readonly unknown[] => sampleOf(route).bodies ?? [undefined];
const pathFor = (route: Route, id = "missing"): string => route.path.replace("{id}", encodeURIComponent(id));
const namesIn = ({ operation: { parameters = [] } }: Route, where: string): string[] =>
  parameters.filter((parameter) => parameter.in === where).map(({ name }) => name);
const foreignIds = (): string[] => Object.values(homes.ids);

/** The answer without what the request itself said, and without what differs between any two requests. */
function answerWithout({ status, json }: { status: number; json: unknown }, said: string): string {
  const text = JSON.stringify(json) ?? "";
  const escaped = JSON.stringify(said).slice(1, -1);
  return `${status} ${text.replaceAll(escaped, "SAID").replaceAll(JSON.stringify(escaped).slice(1, -1), "SAID")}`;
}

/** Every route, each with what it was asked and answered for the second home's token. */
async function expectNothingForeign(route: Route, path: string, body?: unknown): Promise<void> {
  touched.clear();
  const answer = await ask(homes.own.token, route, path, body);
  expect([path, answer.status, answer.status < 500]).toEqual([path, answer.status, true]);
  expect(JSON.stringify(answer.json)).not.toContain(CANARY);
  // Health asks for one item to see whether the table answers: of a home that nobody has.
  // And which migrations are under way, each home's under its own name, is written in one place.
  const allowed = [
    homePartition(OWN),
    homePartition("no-such-home"),
    tokenHashKey(hashToken(homes.own.token)).pk,
    ...(route.name === "POST /api/v1/migrations" ? [MIGRATIONS_PARTITION] : []),
  ];
  const others = [...touched].filter((pk) => !allowed.includes(pk));
  expect(`${path} touched ${others.join(", ") || "nothing else"}`).toBe(`${path} touched nothing else`);
}

describe("every route of the document", () => {
  it("has a sample here, and every sample a route", () => {
    const named = routes.map(({ name }) => name);
    expect(named.filter((name) => !(name in SAMPLES))).toEqual([]);
    expect(Object.keys(SAMPLES).filter((name) => !named.includes(name))).toEqual([]);
    for (const route of routes)
      expect([route.name, sampleOf(route).id !== undefined]).toEqual([route.name, route.path.includes("{id}")]);
    expect(foreignIds().filter((id) => id === "")).toEqual([]);
  });

  it("shows the first home its own, so that it could be seen if it came through", async () => {
    const blind = ["GET /api/v1/retention", "GET /api/v1/events/stats", "GET /api/v1/jobs", "GET /api/v1/jobs/{id}"];
    const seen: string[] = [];
    touched.clear();
    for (const route of routes.filter(({ method, operation }) => method === "GET" && operation["x-hearthline-scope"])) {
      const path = `${pathFor(route, homes.ids[sampleOf(route).id ?? "device"])}?${sampleOf(route).query ?? ""}`;
      const { json } = await ask(homes.foreign.token, route, path);
      const text = JSON.stringify(json);
      if (text.includes(CANARY) || foreignIds().some((id) => text.includes(id))) seen.push(route.name);
    }
    const scoped = routes.filter(({ method, operation }) => method === "GET" && operation["x-hearthline-scope"]);
    expect(scoped.map(({ name }) => name).filter((name) => !seen.includes(name) && !blind.includes(name))).toEqual([]);
    expect([...touched]).toContain(homePartition(FOREIGN));
  });

  it("answers to another home's ids as to ids of nothing, whatever is sent with them", async () => {
    for (const route of routes.filter(({ path }) => path.includes("{id}"))) {
      const id = homes.ids[sampleOf(route).id ?? "device"];
      for (const body of bodiesOf(route)) {
        await expectNothingForeign(route, pathFor(route, id), body);
        const answer = await ask(homes.own.token, route, pathFor(route, id), body);
        const missing = `${id.slice(0, -1)}${id.endsWith("0") ? "1" : "0"}`;
        const nothing = await ask(homes.own.token, route, pathFor(route, missing), body);
        expect([400, 404]).toContain(answer.status);
        expect(answerWithout(answer, id)).toBe(answerWithout(nothing, missing));
      }
    }
  });

  it("filters by another home's ids as by ids of nothing", async () => {
    for (const route of routes)
      for (const name of namesIn(route, "query").filter((one) => one !== "cursor"))
        for (const id of foreignIds()) {
          const path = (value: string) => `${pathFor(route)}?${name}=${encodeURIComponent(value)}`;
          await expectNothingForeign(route, path(id));
          const [answer, nothing] = await Promise.all(
            [id, `${id}0`].map((value) => ask(homes.own.token, route, path(value), bodiesOf(route)[0])),
          );
          if (answer && nothing) expect([route.name, name, answer.status]).toEqual([route.name, name, nothing.status]);
        }
  });

  it("takes the home from nothing but the token: not from the query, a body, a header", async () => {
    for (const route of routes)
      for (const body of bodiesOf(route))
        for (const query of [
          `home_id=${FOREIGN}`,
          `home=${FOREIGN}`,
          `homeId=${FOREIGN}`,
          `token=${homes.foreign.token}`,
        ])
          await expectNothingForeign(
            route,
            `${pathFor(route, homes.ids[sampleOf(route).id ?? "device"])}?${query}`,
            body,
          );
  });

  it("reads no cursor of another home, and none of another query", async () => {
    const paged = routes.filter((route) => namesIn(route, "query").includes("cursor"));
    const cursors = new Map<string, string>();
    for (const route of paged) {
      const { query = "" } = sampleOf(route);
      const path = `${pathFor(route, homes.ids[sampleOf(route).id ?? "device"])}?limit=1&${query}`;
      const { json } = await ask(homes.foreign.token, route, path);
      expect([route.name, typeof json.next]).toEqual([route.name, "string"]);
      cursors.set(route.name, json.next as string);
      const again = await ask(homes.foreign.token, route, `${path}&cursor=${encodeURIComponent(json.next as string)}`);
      expect([route.name, again.status]).toEqual([route.name, 200]);
    }
    for (const route of paged)
      for (const [from, cursor] of cursors) {
        const { query = "" } = sampleOf(route);
        const path = `${pathFor(route, "b_lamp")}?limit=1&${query}&cursor=${encodeURIComponent(cursor)}`;
        await expectNothingForeign(route, path);
        const answer = await ask(homes.own.token, route, path);
        expect([from, route.name, answer.status]).toEqual([from, route.name, 400]);
        expect(["cursor_of_another_query", "cursor_invalid"]).toContain(answer.json.code);
      }
  });

  it("reads no cursor that somebody has made: with another home's position under our own fingerprint it shows our own", async () => {
    const route = routes.find(({ name }) => name === "GET /api/v1/events");
    if (!route) throw new Error("no events");
    const next = (await ask(homes.own.token, route, "/api/v1/events?limit=1")).json.next as string;
    const [fingerprint] = JSON.parse(Buffer.from(next, "base64url").toString()) as [string];
    for (const entity of ["sensor.a_one", `${FOREIGN}#sensor.a_one`, "x' OR '1'='1", "\u0000"])
      for (const atUs of [0, Number.MAX_SAFE_INTEGER, -1]) {
        const made = Buffer.from(JSON.stringify([fingerprint, [atUs, entity, false]])).toString("base64url");
        await expectNothingForeign(route, `/api/v1/events?limit=1&cursor=${made}`);
      }
  });

  it("is reached by no text that breaks out, in the path or in any parameter", async () => {
    const texts = nastyTexts(FOREIGN);
    let turn = 0;
    /** One of so many texts, each time others: every text is tried in many places. */
    const some = (all: readonly string[], count: number) => {
      const from = turn++;
      return all.filter((_, at) => (at + from) % oneOf(count) === 0);
    };
    for (const route of routes) {
      if (route.path.includes("{id}"))
        for (const text of some([...texts, ...nastyTexts(homes.ids[sampleOf(route).id ?? "device"])], 2))
          await expectNothingForeign(route, pathFor(route, text), bodiesOf(route)[0]);
      // Of dates, numbers and enumerations hardly any text gets past the schema, so fewer are enough.
      for (const name of namesIn(route, "query"))
        for (const text of some(texts, /id$|domain/.test(name) ? 3 : 12))
          await expectNothingForeign(route, `${pathFor(route)}?${name}=${encodeURIComponent(text)}`);
    }
  });

  it("writes for nobody but the token's home, signed by its key", async () => {
    await homes.pipeline.drain();
    for (const name of ["POST /api/v1/events", "POST /api/v1/events/forward"])
      for (const body of SAMPLES[name]?.bodies ?? []) {
        const route = routes.find((one) => one.name === name);
        if (!route) throw new Error(name);
        expect((await ask(homes.own.token, route, route.path, body)).status).toBe(202);
      }
    const held = await homes.pipeline.receive("events");
    expect(held.length).toBeGreaterThan(0);
    for (const { Body } of held) {
      const envelope = readEnvelope(Body);
      expect([envelope.home_id, envelope.key_id]).toEqual([OWN, keyIdOf(homes.own.key.secret)]);
      expect(openEnvelope(envelope, homes.own.key).length).toBeGreaterThan(0);
    }
    await homes.pipeline.settle("events", held, new Set(held.map(({ MessageId }) => MessageId)));
    const before = JSON.stringify(await homes.pipeline.events(homes.foreign.token));
    await homes.pipeline.drain();
    expect(JSON.stringify(await homes.pipeline.events(homes.foreign.token))).toBe(before);
  });

  it("leaves the first home's part of the table as it was", async () => {
    const before = await homes.itemsOf(FOREIGN);
    expect(before.length).toBeGreaterThan(20);
    for (const route of routes.filter(({ method }) => method !== "GET"))
      for (const body of bodiesOf(route))
        await ask(homes.own.token, route, pathFor(route, homes.ids[sampleOf(route).id ?? "device"]), body);
    await homes.pipeline.drain();
    expect(await homes.itemsOf(FOREIGN)).toEqual(before);
  });

  it("shows nobody without a token anything of any home", async () => {
    for (const route of routes)
      for (const token of [
        undefined,
        `hl_${FOREIGN}_${"x".repeat(43)}`,
        `hl_${OWN}_${homes.foreign.token.slice(-43)}`,
      ]) {
        const answer = await ask(
          token,
          route,
          pathFor(route, homes.ids[sampleOf(route).id ?? "device"]),
          bodiesOf(route)[0],
        );
        const text = JSON.stringify(answer.json);
        expect(text).not.toContain(CANARY);
        if (route.operation["x-hearthline-scope"]) expect([route.name, answer.status]).toEqual([route.name, 401]);
      }
  });
});
