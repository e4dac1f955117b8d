import { createServer, type IncomingHttpHeaders } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { AwsError, type CredentialSource, createAwsClient } from "../../../lib/adapters/aws/client.ts";
import { environmentCredentials } from "../../../lib/adapters/aws/credentials.ts";
import { systemClock } from "../../../lib/base/clock.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

const NOW_MS = Date.UTC(2026, 10, 22, 6);

const same: CredentialSource = () => ({ accessKeyId: "id", secretAccessKey: "secret-text" });

async function service(...answers: readonly (Answer | undefined)[]) {
  return serviceFor({ credentials: same }, ...answers);
}

/** A service on loopback that answers in turn, the last answer for ever; undefined: it never answers. */
async function serviceFor(
  { credentials, timeoutMs = 30_000 }: { readonly credentials: CredentialSource; readonly timeoutMs?: number },
  ...answers: readonly (Answer | undefined)[]
) {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ headers: request.headers, body });
    const date = new Date(NOW_MS).toUTCString();
    if (answer) response.writeHead(answer.status, { date, ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const slept: number[] = [];
  const client = createAwsClient({
    service: "sqs",
    region: "us-east-1",
    endpoint,
    credentials,
    clock: { ...systemClock, nowMs: () => NOW_MS, sleep: async (ms) => void slept.push(ms) },
    random: () => 1,
    timeoutMs,
  });
  return { client, requests, slept, endpoint };
}

const json = (status: number, body: object): Answer => ({ status, body: JSON.stringify(body) });

it("sends one signed AWS JSON 1.0 request and gives the answer", async () => {
  const { client, requests } = await service(json(200, { QueueUrl: "q" }));
  expect(await client.call("GetQueueUrl", { QueueName: "n" })).toEqual({ QueueUrl: "q" });
  expect(requests).toHaveLength(1);
  expect(requests[0]?.headers).toMatchObject({
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "AmazonSQS.GetQueueUrl",
    authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=id\//),
  });
  expect(JSON.parse(requests[0]?.body ?? "")).toEqual({ QueueName: "n" });
});

it.each([
  ["com.amazonaws.sqs#QueueDoesNotExist", 400, "QueueDoesNotExist", "service_failed"],
  [
    "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    400,
    "ConditionalCheckFailedException",
    "conflict",
  ],
  ["UnrecognizedClientException", 400, "UnrecognizedClientException", "service_refused"],
  ["com.amazon.coral.service#AccessDeniedException", 403, "AccessDeniedException", "service_refused"],
])("names the error %s and does not try again", async (__type, status, type, code) => {
  const { client, requests } = await service(json(status, { __type, message: "said" }));
  const thrown = await client.call("DoIt", {}).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(AwsError);
  expect(thrown).toMatchObject({ code, type, status, message: `DoIt was answered with ${status} ${type}: said` });
  expect(requests).toHaveLength(1);
});

it.each([
  [json(400, { __type: "x#ThrottlingException" }), "service_throttled"],
  [json(400, { __type: "x#ProvisionedThroughputExceededException" }), "service_throttled"],
  [json(500, { __type: "x#InternalServerError" }), "service_failed"],
  [{ status: 503, body: "<html>busy</html>" }, "service_failed"],
  [{ status: 429, body: "" }, "service_throttled"],
] as const)("tries again after %o, with growing waits, five times", async (answer, code) => {
  const { client, requests, slept } = await service(answer);
  await expect(client.call("DoIt", {})).rejects.toMatchObject({ code });
  expect(requests).toHaveLength(5);
  expect(slept).toEqual([50, 100, 200, 400]);
});

it("succeeds when a later attempt does", async () => {
  const { client } = await service(json(500, {}), json(500, {}), json(200, { ok: 1 }));
  expect(await client.call("DoIt", {})).toEqual({ ok: 1 });
});

it("gives up an answer that does not come, and says after how long", async () => {
  const { client, requests } = await serviceFor({ credentials: same, timeoutMs: 200 }, undefined);
  await expect(client.call("DoIt", {}, { attempts: 2 })).rejects.toMatchObject({
    code: "service_timeout",
    message: expect.stringContaining("within 200 ms"),
  });
  expect(requests).toHaveLength(2);
});

it("says which address could not be reached, and never a secret", async () => {
  const { client, requests } = await service(json(200, {}));
  const nobody = createAwsClient({
    service: "dynamodb",
    region: "us-east-1",
    endpoint: "http://127.0.0.1:1",
    credentials: () => ({ accessKeyId: "id", secretAccessKey: "secret-text" }),
    clock: { ...systemClock, sleep: async () => {} },
    random: () => 0,
  });
  const thrown = await nobody.call("DoIt", {}).catch((error: unknown) => error);
  expect(thrown).toMatchObject({
    code: "service_unreachable",
    message: expect.stringContaining('"http://127.0.0.1:1"'),
  });
  expect(String(thrown)).not.toContain("secret-text");
  await client.call("DoIt", {});
  expect(JSON.stringify(requests)).not.toContain("secret-text");
});

it("stops when it is told to", async () => {
  const { client, requests } = await service(json(500, {}));
  const stop = new AbortController();
  stop.abort();
  await expect(client.call("DoIt", {}, { signal: stop.signal })).rejects.toMatchObject({ name: "HearthlineError" });
  expect(requests).toHaveLength(0);
});

it("takes credentials from the environment, or says which are missing", () => {
  const set = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  expect(environmentCredentials(set)()).toEqual({ accessKeyId: "a", secretAccessKey: "b" });
  expect(environmentCredentials({ ...set, AWS_SESSION_TOKEN: "c" })()).toMatchObject({ sessionToken: "c" });
  expect(() => environmentCredentials({ AWS_ACCESS_KEY_ID: "a" })()).toThrowError(/AWS_SECRET_ACCESS_KEY/);
});

it.each([
  "ExpiredTokenException",
  "ExpiredToken",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "InvalidSignatureException",
])("asks for other credentials when the service says %s, and tries those once", async (type) => {
  const asked: (string | undefined)[] = [];
  const source: CredentialSource = (refused) => {
    asked.push(refused?.accessKeyId);
    return { accessKeyId: refused ? "new" : "old", secretAccessKey: "secret-text" };
  };
  const expired = json(403, { __type: `com.amazon.coral.service#${type}`, message: "no good" });
  const { client, requests } = await serviceFor({ credentials: source }, expired, json(200, { ok: 1 }));
  expect(await client.call("DoIt", {})).toEqual({ ok: 1 });
  expect(asked).toEqual([undefined, "old"]);
  expect(requests.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1])).toEqual([
    "old",
    "new",
  ]);
});

it("does not try the same credentials twice", async () => {
  const { client, requests } = await service(json(403, { __type: "x#ExpiredToken", message: "expired" }));
  await expect(client.call("DoIt", {})).rejects.toMatchObject({ code: "service_refused" });
  expect(requests).toHaveLength(1);
});

it("says how far the clocks are apart when a signature is refused", async () => {
  const headers = { date: new Date(NOW_MS + 900_000).toUTCString() };
  const answer = { ...json(403, { __type: "x#SignatureDoesNotMatch", message: "Signature expired" }), headers };
  const { client } = await service(answer);
  await expect(client.call("DoIt", {})).rejects.toThrowError(/clock here is 900 s behind the service's/);
  const { client: other } = await service(json(403, { __type: "x#SignatureDoesNotMatch", message: "wrong key" }));
  const thrown = await other.call("DoIt", {}).catch((error: unknown) => error);
  expect(String(thrown)).not.toContain("clock");
});

it("goes by the service's clock once ours was the reason of a refusal", async () => {
  const headers = { date: new Date(NOW_MS + 900_000).toUTCString() };
  const expired = { ...json(403, { __type: "x#InvalidSignatureException", message: "Signature expired" }), headers };
  const { client, requests } = await service(expired, json(200, {}));
  await client.call("DoIt", {});
  await client.call("DoIt", {});
  const aheadMs = requests.map(({ headers }) => {
    const signed = String(headers["x-amz-date"]).replace(
      /^(....)(..)(..T..)(..)(..Z)$/,
      (_, year, month, hour, minute, second) => `${year}-${month}-${hour}:${minute}:${second}`,
    );
    return Date.parse(signed) - NOW_MS;
  });
  expect(aheadMs.map((ms) => Math.abs(Math.round(ms / 60_000)))).toEqual([0, 15, 15]);
});

it.each(["<html>please sign in</html>", "7"])("takes %s with 200 for no answer of the service", async (body) => {
  const { client, requests } = await service({ status: 200, body });
  await expect(client.call("DoIt", {}, { attempts: 2 })).rejects.toThrowError(/answered with 200 by something/);
  expect(requests).toHaveLength(2);
});
