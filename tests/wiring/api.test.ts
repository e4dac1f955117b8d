import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiEvent, createApiFunction } from "../../lib/wiring/api.ts";
import { tokenText } from "../support/api.ts";

// Nothing listens on this port: answers that need the table or a queue are errors, all others are whole.
const env = {
  AWS_ENDPOINT_URL: "http://127.0.0.1:9",
  HEARTHLINE_STORE: "memory",
  HEARTHLINE_LOG_LEVEL: "error",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
};

interface Answer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

let call: (event: ApiEvent) => Promise<Answer>;
beforeEach(() => {
  call = createApiFunction(env) as typeof call;
});

/** A table without a single item: reads of events want to know whether the home is moving. */
let emptyTable: Server;
beforeAll(async () => {
  emptyTable = createServer((request, response) => {
    request.resume().on("end", () => response.end("{}"));
  });
  await new Promise<void>((resolve) => emptyTable.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void emptyTable.close());
const besideTable = () => {
  const { port } = emptyTable.address() as AddressInfo;
  call = createApiFunction({ ...env, AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}` }) as typeof call;
};

const CALLER = { home_id: "home", scopes: "read write", token_id: "t" };

/** As an HTTP API (payload 2.0) sends it. */
const v2 = (
  path: string,
  given: { method?: string; headers?: object; query?: string; body?: string; lambda?: object; base64?: boolean } = {},
) =>
  ({
    version: "2.0",
    rawPath: path,
    rawQueryString: given.query ?? "",
    headers: { host: "abc.execute-api.eu-west-1.amazonaws.com", ...given.headers },
    body: given.body,
    isBase64Encoded: given.base64 ?? false,
    requestContext: {
      domainName: "abc",
      http: { method: given.method ?? "GET", path },
      authorizer: { lambda: given.lambda ?? CALLER },
    },
  }) as unknown as ApiEvent;

/** As a REST API (payload 1.0) sends it. */
const v1 = (
  path: string,
  given: {
    method?: string;
    headers?: Record<string, string>;
    query?: Record<string, string[]>;
    authorizer?: object;
  } = {},
) =>
  ({
    path,
    httpMethod: given.method ?? "GET",
    headers: { Host: "abc", ...given.headers },
    multiValueHeaders: Object.fromEntries(
      Object.entries({ Host: "abc", ...given.headers }).map(([name, value]) => [name, [value]]),
    ),
    queryStringParameters: null,
    multiValueQueryStringParameters: given.query ?? null,
    body: null,
    isBase64Encoded: false,
    requestContext: { authorizer: given.authorizer ?? CALLER, httpMethod: given.method ?? "GET" },
  }) as unknown as ApiEvent;

const problemOf = ({ statusCode, body }: Answer) => ({
  statusCode,
  code: (JSON.parse(body) as { code?: string }).code,
});

describe("the API function", () => {
  it("answers payload 2.0 as text, with the caller that the authorizer found", async () => {
    besideTable();
    const answer = await call(v2("/api/v1/events", { query: "limit=5&entity_id=light.a&entity_id=light.b" }));
    expect(answer).toMatchObject({
      statusCode: 200,
      isBase64Encoded: false,
      headers: { "content-type": "application/json" },
    });
    expect(JSON.parse(answer.body)).toEqual({ events: [], next: null });
  });

  it("answers payload 1.0, the context one level higher", async () => {
    besideTable();
    const answer = await call(v1("/api/v1/events", { query: { limit: ["5"], entity_id: ["light.a", "light.b"] } }));
    expect(answer).toMatchObject({ statusCode: 200, multiValueHeaders: { "content-type": ["application/json"] } });
    expect(problemOf(await call(v1("/api/v1/events", { query: { limit: ["0"] } })))).toEqual({
      statusCode: 400,
      code: "request_invalid",
    });
  });

  it.each([
    ["what the authorizer says is wrong", { error: "token_expired" }, "token_expired", 401],
    ["tokens that could not be checked", { error: "token_unchecked" }, "service_unavailable", 503],
    ["nothing", {}, "token_missing", 401],
    ["a JWT of serverless-offline", { jwt: { claims: { home_id: "home" } } }, "token_missing", 401],
    ["a missing scope", { ...CALLER, scopes: "write" }, "scope_missing", 403],
  ])("knows by the context: %s", async (_what, lambda, code, statusCode) => {
    expect(problemOf(await call(v2("/api/v1/events", { lambda })))).toEqual({ statusCode, code });
    expect(problemOf(await call(v1("/api/v1/events", { authorizer: lambda })))).toEqual({ statusCode, code });
  });

  it("takes no caller from a header, serverless-offline's own included", async () => {
    const headers = { "sls-offline-authorizer-override": JSON.stringify({ lambda: CALLER }) };
    expect(problemOf(await call(v2("/api/v1/events", { headers })))).toEqual({
      statusCode: 401,
      code: "token_invalid",
    });
    const authorization = { authorization: `Bearer ${tokenText("home")}` };
    expect(problemOf(await call(v2("/api/v1/events", { headers: authorization, lambda: {} })))).toMatchObject({
      code: "token_missing",
    });
  });

  it("looks the token up itself where no authorizer stands in front", async () => {
    call = createApiFunction({ ...env, HEARTHLINE_AUTHORIZER: "inline" }) as typeof call;
    expect(problemOf(await call(v1("/api/v1/events")))).toMatchObject({ code: "token_missing" });
    // The table is away, so that a token can be asked for and not be found good.
    const headers = { Authorization: `Bearer ${tokenText("home")}` };
    expect(problemOf(await call(v1("/api/v1/events", { headers })))).toEqual({
      statusCode: 503,
      code: "service_unavailable",
    });
  });

  it("refuses events with 503 while keys and queue are away", async () => {
    const body = JSON.stringify({
      event_type: "state_changed",
      entity_id: "light.a",
      state: "on",
      timestamp: new Date().toISOString(),
    });
    const headers = { "content-type": "application/json" };
    const answer = await call(v2("/api/v1/events", { method: "POST", headers, body }));
    expect(problemOf(answer)).toEqual({ statusCode: 503, code: "service_unavailable" });
    const base64 = await call(
      v2("/api/v1/events", { method: "POST", headers, body: Buffer.from("{").toString("base64"), base64: true }),
    );
    expect(problemOf(base64)).toMatchObject({ code: "body_not_json" });
  });

  it("answers reads with 503 while nobody can say whether the home is moving: NEW may lack the past", async () => {
    expect(problemOf(await call(v2("/api/v1/events")))).toEqual({ statusCode: 503, code: "service_unavailable" });
  });

  it.each(["TRACE", "CONNECT", "TRACK"])("answers %s with 405", async (method) => {
    expect(problemOf(await call(v2("/api/v1/events", { method })))).toEqual({
      statusCode: 405,
      code: "method_not_allowed",
    });
    expect(problemOf(await call(v1("/api/v1/events", { method })))).toEqual({
      statusCode: 405,
      code: "method_not_allowed",
    });
  });

  it("bears a GET with a body, a host that is none, an address with two slashes", async () => {
    besideTable();
    expect((await call(v2("/api/v1/events", { body: "{}" }))).statusCode).toBe(200);
    expect((await call(v2("/api/v1/events", { headers: { host: "a b/c?d" } }))).statusCode).toBe(200);
    expect(problemOf(await call(v2("//evil.example/api/v1/events")))).toMatchObject({ code: "not_found" });
  });

  it("says down, 503, while the table and the queues are away, and draws the page all the same", async () => {
    const answer = await call(v2("/health", { lambda: {} }));
    expect([answer.statusCode, JSON.parse(answer.body)]).toEqual([503, { status: "down" }]);
    expect((await call(v2("/", { lambda: {} }))).body).toContain("Sign in");
  });
});
