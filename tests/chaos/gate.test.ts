import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AwsError, createAwsClient } from "../../lib/adapters/aws/client.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { type Gate, type GateState, openGate } from "./gate.ts";

describe("the gate before the queue", () => {
  let queue: Awaited<ReturnType<typeof startFauxqsServer>>;
  let gate: Gate;
  const taken: { readonly body: string; readonly isAcknowledged: boolean }[] = [];
  beforeEach(async () => {
    queue = await startFauxqsServer();
    await queue.client.call("CreateQueue", { QueueName: "q" });
    taken.length = 0;
    gate = await openGate({
      queuePort: Number(new URL(queue.url).port),
      onTaken: (body, isAcknowledged) => taken.push({ body, isAcknowledged }),
    });
  });
  afterEach(async () => {
    await gate.close();
    await queue.stop();
  });

  /** The error's name, or undefined. */
  async function send(body: string, timeoutMs = 30_000): Promise<string | undefined> {
    const client = createAwsClient({
      service: "sqs",
      region: "us-east-1",
      endpoint: gate.url,
      credentials: () => ({ accessKeyId: "test", secretAccessKey: "test" }),
      clock: systemClock,
      random: systemRandom,
      timeoutMs,
    });
    const QueueUrl = `${queue.url}/000000000000/q`;
    const Entries = [{ Id: "0", MessageBody: body }];
    try {
      await client.call("SendMessageBatch", { QueueUrl, Entries }, { attempts: 1 });
      return undefined;
    } catch (thrown) {
      return thrown instanceof AwsError ? thrown.type : "no answer";
    }
  }
  const inQueue = async () => {
    const { Messages = [] } = await queue.client.call<{ Messages?: { Body: string }[] }>("ReceiveMessage", {
      QueueUrl: `${queue.url}/000000000000/q`,
      MaxNumberOfMessages: 10,
    });
    return Messages.map(({ Body }) => Body);
  };

  it("passes a message on and says that it was acknowledged", async () => {
    expect(await send("a")).toBeUndefined();
    expect(taken).toEqual([{ body: "a", isAcknowledged: true }]);
    expect(await inQueue()).toEqual(["a"]);
  });

  it("loses the answer only: the queue has the message, and it does not count as acknowledged", async () => {
    gate.set("answer-lost");
    expect(await send("a")).toBe("no answer");
    expect(taken).toEqual([{ body: "a", isAcknowledged: false }]);
    expect(await inQueue()).toEqual(["a"]);
  });

  it.each<[GateState, string]>([
    ["cut", "no answer"],
    ["silent", "no answer"],
    ["errors", "ServiceUnavailable"],
    ["throttles", "RequestThrottled"],
  ])("%s: %s, and the queue never hears of it", async (state, answer) => {
    gate.set(state);
    expect(await send("a", state === "silent" ? 500 : undefined)).toBe(answer);
    expect([taken, await inQueue()]).toEqual([[], []]);
    gate.set("open");
    expect(await send("b")).toBeUndefined();
  });
});
