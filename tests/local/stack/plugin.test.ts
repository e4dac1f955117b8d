import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAwsClient } from "../../../lib/adapters/aws/client.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { freePorts } from "../../../local/start/ports.ts";
import { eventually, type Running, run } from "../../support/process.ts";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "hearthline-plugin-"));
let service: Running;
let port = 0;
let lambdaPort = 0;

const plain = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS_|HEARTHLINE_|VITEST|NODE_OPTIONS)/.test(name)),
  );

async function start(): Promise<void> {
  [port = 0, lambdaPort = 0] = await freePorts(2);
  service = run(
    [
      join(root, "node_modules/serverless/bin/serverless.js"),
      "offline",
      "start",
      "--httpPort",
      `${port}`,
      "--lambdaPort",
      `${lambdaPort}`,
    ],
    { cwd: join(root, "tests/fixtures/stack"), env: { ...plain(), HEARTHLINE_DATA: folder } },
  );
  await eventually("the service", () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

async function sqs<O>(operation: string, queue: string, input: object = {}): Promise<O> {
  const [, endpoint] = /"queues":"([^"]+)"/.exec(service.output()) ?? [];
  const client = createAwsClient({
    service: "sqs",
    region: "us-east-1",
    endpoint,
    credentials: () => ({ accessKeyId: "local", secretAccessKey: "local" }),
    clock: systemClock,
    random: () => 0.5,
  });
  const { QueueUrl } = await client.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: queue });
  return client.call<O>(operation, { QueueUrl, ...input });
}

const send = (queue: string, ...bodies: string[]) =>
  sqs("SendMessageBatch", queue, {
    Entries: bodies.map((MessageBody, index) => ({ Id: `${index}`, MessageBody })),
  });
const depth = async (queue: string) => {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes } = await sqs<{ Attributes: Record<string, string> }>("GetQueueAttributes", queue, {
    AttributeNames: names,
  });
  return names.map((name) => Number(Attributes[name]));
};
const taken = (body: string) => {
  try {
    return readFileSync(join(folder, "taken.log"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith(`${body} `));
  } catch {
    return [];
  }
};

describe("serverless offline start with the stack plugin", () => {
  beforeAll(start);
  afterAll(async () => {
    service.child.kill("SIGKILL");
    await service.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it("sends a poison message to the dead-letter queue after maxReceiveCount, delivers a failed one again, and its neighbours once", async () => {
    await send("stack-fixture-work", "good-1", "poison", "once", "good-2");
    await eventually("the dead letter", async () => (await depth("stack-fixture-dead"))[0] === 1);
    const { Messages } = await sqs<{ Messages: { Body: string }[] }>("ReceiveMessage", "stack-fixture-dead", {
      VisibilityTimeout: 0,
    });
    expect(Messages.map(({ Body }) => Body)).toEqual(["poison"]);
    expect(await depth("stack-fixture-work")).toEqual([0, 0]);
    expect(taken("poison")).toEqual(["poison 1", "poison 2", "poison 3"]);
    expect(taken("once")).toEqual(["once 1", "once 2"]);
    expect(taken("good-1")).toEqual(["good-1 1"]);
    expect(taken("good-2")).toEqual(["good-2 1"]);
  });

  it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "brings %s to the function, on / and below it",
    async (method) => {
      for (const path of ["/", "/api/v1/events"]) {
        const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
        expect(await answer.json()).toMatchObject({ method, path });
      }
    },
  );

  it("asks the authorizer with a token and without", async () => {
    const asked = async (headers: Record<string, string>) => {
      const answer = await fetch(`http://127.0.0.1:${port}/x`, { headers });
      return ((await answer.json()) as { authorizer: { lambda: { asked: string } } }).authorizer.lambda.asked;
    };
    expect(await asked({})).toBe("nobody");
    expect(await asked({ authorization: "Bearer abc" })).toBe("Bearer abc");
  });

  it("brings a body of 2 MB to the function", async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/x`, { method: "POST", body: "x".repeat(2_000_000) });
    expect(await answer.json()).toMatchObject({ bytes: 2_000_000 });
  });

  it("lets the invocation under way end when it is told to stop, and goes on with its data", async () => {
    await send("stack-fixture-hold", "hold-1");
    await eventually("the delivery", () => taken("hold-1").length === 1);
    service.child.kill("SIGTERM");
    expect(await service.ended).toBe(0);
    expect(taken("hold-1")).toEqual(["hold-1 1", "hold-1 done"]);
    await start();
    expect(await depth("stack-fixture-hold")).toEqual([0, 0]);
    expect((await depth("stack-fixture-dead"))[0]).toBe(1);
  });

  it("delivers again what was in flight when it was killed", async () => {
    await send("stack-fixture-hold", "hold-2");
    await eventually("the delivery", () => taken("hold-2").length === 1);
    service.child.kill("SIGKILL");
    await service.ended;
    await start();
    await eventually("the second delivery", () => taken("hold-2").includes("hold-2 done"));
    expect(taken("hold-2")).toEqual(["hold-2 1", "hold-2 2", "hold-2 done"]);
    await eventually("the deletion", async () => (await depth("stack-fixture-hold")).every((count) => count === 0));
  });
});
