import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/base/clock.ts";
import { type AuthorizerEvent, createAuthorize } from "../../lib/wiring/authorize.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import { tokenText } from "../support/api.ts";
import { dynamodbClientAt, startDynaliteServer } from "../support/dynalite.ts";
import { provisionTable } from "../support/provision.ts";

// Nothing listens on this port: what needs the table cannot be answered, what does not need it can.
const env = {
  AWS_ENDPOINT_URL: "http://127.0.0.1:9",
  HEARTHLINE_TABLE: "hearthline-test",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
};

describe("the authorizer function", () => {
  const authorize = createAuthorize(env);
  it("lets everything through, with what is wrong, in the simple answer of an HTTP API", async () => {
    expect(await authorize({ version: "2.0", headers: {} })).toEqual({
      isAuthorized: true,
      context: { error: "token_missing" },
    });
    expect(await authorize({ version: "2.0", headers: { Authorization: "Bearer nonsense" } })).toEqual({
      isAuthorized: true,
      context: { error: "token_invalid" },
    });
  });

  it("answers a REST API with a policy", async () => {
    const methodArn = "arn:aws:execute-api:us-east-1:1:api/local/GET/health";
    expect(await authorize({ headers: null, methodArn })).toEqual({
      principalId: "nobody",
      policyDocument: {
        Version: "2012-10-17",
        Statement: [{ Action: "execute-api:Invoke", Effect: "Allow", Resource: methodArn }],
      },
      context: { error: "token_missing" },
    });
  });

  it("says that a token was not checked when the table is away", async () => {
    const answer = await authorize({ version: "2.0", headers: { authorization: `Bearer ${tokenText("home")}` } });
    expect(answer).toEqual({ isAuthorized: true, context: { error: "token_unchecked" } });
  });

  it("names a wrong setting at the first request", async () => {
    await expect(createAuthorize({ HEARTHLINE_TABLE: "!" })({ version: "2.0", headers: {} })).rejects.toThrow(
      "HEARTHLINE_TABLE",
    );
  });
});

describe("the authorizer function with its table", () => {
  let tables: Awaited<ReturnType<typeof startDynaliteServer>>;
  let authorize: ReturnType<typeof createAuthorize>;
  let token: string;
  let revoke: () => Promise<boolean>;
  beforeAll(async () => {
    tables = await startDynaliteServer();
    const settings = { AWS_ENDPOINT_URL_DYNAMODB: tables.url, HEARTHLINE_TABLE: "authorize" };
    await provisionTable(dynamodbClientAt(tables.url), "authorize", systemClock);
    const { homes, tokens } = createOperator(readConfig(settings), { env: {} });
    await homes.add({ homeId: "home" });
    const made = await tokens.create({ homeId: "home", name: "test", scopes: ["read"] });
    token = made.text;
    revoke = () => tokens.revoke("home", made.id);
    authorize = createAuthorize(settings, { env: {} });
  });
  afterAll(() => tables.stop());

  /** As the two kinds of gateway tell of the address. */
  const v2 = (text: string, sourceIp: string): AuthorizerEvent => ({
    version: "2.0",
    headers: { authorization: `Bearer ${text}`, "x-forwarded-for": "203.0.113.99" },
    requestContext: { http: { method: "GET", sourceIp } },
  });
  const v1 = (text: string, sourceIp: string): AuthorizerEvent => ({
    methodArn: "arn",
    headers: { Authorization: `Bearer ${text}` },
    requestContext: { identity: { sourceIp } },
  });
  const wrong = (number: number) => `hl_home_${String(number).padStart(43, "0")}`;
  const errorOf = async (event: AuthorizerEvent) => (await authorize(event)).context;

  it("looks up no more than sixty wrong tokens a minute of one address, whatever a header says of it", async () => {
    await errorOf(v2(token, "203.0.113.7"));
    for (let number = 0; number < 60; number++)
      expect(await errorOf((number % 2 ? v1 : v2)(wrong(number), "203.0.113.7"))).toEqual({ error: "token_invalid" });
    // A second has passed at most now and then, and gives one more.
    const errors = [];
    for (let number = 60; number < 90; number++) errors.push(await errorOf(v2(wrong(number), "203.0.113.7")));
    expect(errors).toContainEqual({ error: "token_guessed" });
    expect(await errorOf(v2(wrong(1), "203.0.113.8"))).toEqual({ error: "token_invalid" });
    expect(await errorOf(v2(token, "203.0.113.7"))).toMatchObject({ home_id: "home" });
  });

  it("lets a token through no more from the moment that its revocation is done", async () => {
    for (let times = 0; times < 3; times++) expect(await errorOf(v2(token, "::1"))).toMatchObject({ scopes: "read" });
    await revoke();
    expect(await errorOf(v2(token, "::1"))).toEqual({ error: "token_invalid" });
  });
});
