import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAwsClient } from "../../../lib/adapters/aws/client.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { startQueues, startTables, takeLock } from "../../../local/stack/embedded.ts";

let folder = "";
const stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-embedded-"));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function queues() {
  const server = await startQueues({ folder, port: 0, clock: systemClock });
  stops.push(server.stop);
  const client = createAwsClient({
    service: "sqs",
    region: "us-east-1",
    endpoint: server.url,
    credentials: () => ({ accessKeyId: "local", secretAccessKey: "local" }),
    clock: systemClock,
    random: () => 0.5,
  });
  const { QueueUrl } = await client.call<{ QueueUrl: string }>("CreateQueue", { QueueName: "work" });
  const receive = async () =>
    (await client.call<{ Messages?: { Body: string; ReceiptHandle: string }[] }>("ReceiveMessage", { QueueUrl }))
      .Messages ?? [];
  return { server, client, QueueUrl, receive };
}

const canConnect = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host, port }, () => resolve(true));
    socket.on("error", () => resolve(false)).setTimeout(1000, () => resolve(false));
  });

describe("the embedded queues", () => {
  it("listen on loopback alone", async () => {
    const { server } = await queues();
    const others = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    expect(await canConnect("127.0.0.1", server.port)).toBe(true);
    for (const { address } of others) expect(await canConnect(address, server.port)).toBe(false);
    // 127.0.0.2 is loopback as well, and open only to a server that listens on every address.
    expect(await canConnect("127.0.0.2", server.port)).toBe(false);
  });

  it("show a message again at once when its visibility time-out is set to 0, and keep its count", async () => {
    const { client, QueueUrl, receive } = await queues();
    await client.call("SendMessage", { QueueUrl, MessageBody: "a" });
    const [first] = await receive();
    await client.call("ChangeMessageVisibility", {
      QueueUrl,
      ReceiptHandle: first?.ReceiptHandle,
      VisibilityTimeout: 0,
    });
    expect((await receive()).map(({ Body }) => Body)).toEqual(["a"]);
  });

  it("show again what was in flight when they stopped, and when they are told that nobody has it any more", async () => {
    const first = await queues();
    await first.client.call("SendMessage", { QueueUrl: first.QueueUrl, MessageBody: "a" });
    expect(await first.receive()).toHaveLength(1);
    await stops.pop()?.();
    const second = await queues();
    expect(await second.receive()).toHaveLength(1);
    expect(await second.receive()).toHaveLength(0);
    second.server.release();
    expect(await second.receive()).toHaveLength(1);
  });
});

describe("the embedded tables", () => {
  it("listen on loopback alone, and keep their data", async () => {
    const open = async () => {
      const server = await startTables({ folder, port: 0, clock: systemClock });
      stops.push(server.stop);
      const client = createAwsClient({
        service: "dynamodb",
        region: "us-east-1",
        endpoint: server.url,
        credentials: () => ({ accessKeyId: "local", secretAccessKey: "local" }),
        clock: systemClock,
        random: () => 0.5,
      });
      return { server, client };
    };
    const first = await open();
    expect(await canConnect("127.0.0.2", first.server.port)).toBe(false);
    await first.client.call("CreateTable", {
      TableName: "things",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    });
    await stops.pop()?.();
    const second = await open();
    expect(await second.client.call("ListTables", {})).toEqual({ TableNames: ["things"] });
  });
});

it("a folder's lock keeps a second holder out, until the first lets go", () => {
  const file = join(folder, "lock");
  const unlock = takeLock(file);
  expect(() => takeLock(file)).toThrow("locked");
  unlock();
  takeLock(file)();
});
