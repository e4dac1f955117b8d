import { describe, expect, it } from "vitest";
import { createAuthorize } from "../../lib/wiring/authorize.ts";
import { tokenText } from "../support/api.ts";

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
