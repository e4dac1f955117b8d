import { describe, expect, it } from "vitest";
import type { AwsClient } from "../../../lib/adapters/aws/client.ts";
import { createSqsQueue } from "../../../lib/adapters/sqs/queue.ts";
import { systemClock } from "../../../lib/base/clock.ts";

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
}
type Answer = (entries: readonly Entry[], attempt: number) => object;

/** A client that answers batches as told and notes the bodies of each. */
function scripted(answer: Answer) {
  const batches: string[][] = [];
  let urls = 0;
  const client: AwsClient = {
    call: async <O>(operation: string, input: object): Promise<O> => {
      if (operation === "GetQueueUrl") {
        urls++;
        return { QueueUrl: "http://other-host/q" } as O;
      }
      const { Entries, QueueUrl } = input as { Entries: Entry[]; QueueUrl: string };
      expect(QueueUrl).toBe("http://other-host/q");
      batches.push(Entries.map(({ MessageBody }) => MessageBody));
      return answer(Entries, batches.length) as O;
    },
  };
  const slept: number[] = [];
  const clock = { ...systemClock, sleep: async (ms: number) => void slept.push(ms) };
  const queue = createSqsQueue({ client, name: "q", clock, random: () => 0.5 });
  return { queue, batches, slept, urls: () => urls };
}

const all = (entries: readonly Entry[]) => ({ Successful: entries.map(({ Id }) => ({ Id })), Failed: [] });
const messages = (...bodies: string[]) => bodies.map((body) => ({ body }));

describe("SQS queue", () => {
  it("sends again only what the answer names as failed, after a wait that grows", async () => {
    const { queue, batches, slept } = scripted((entries, attempt) => {
      const failed = entries.filter(({ MessageBody }) => MessageBody !== "a" && attempt <= 2);
      return {
        Successful: entries.filter((entry) => !failed.includes(entry)).map(({ Id }) => ({ Id })),
        Failed: failed.map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false })),
      };
    });
    await queue.send(messages("a", "b", "c"));
    expect(batches).toEqual([
      ["a", "b", "c"],
      ["b", "c"],
      ["b", "c"],
    ]);
    expect(slept).toEqual([25, 50]);
  });

  it("takes an entry that is in neither list for failed", async () => {
    const { queue, batches } = scripted((entries, attempt) => (attempt === 1 ? {} : all(entries)));
    await queue.send(messages("a"));
    expect(batches).toHaveLength(2);
  });

  it("gives up after five attempts and names the count and the first reason", async () => {
    const { queue, batches } = scripted((entries) => ({
      Successful: [{ Id: "0" }],
      Failed: entries.slice(-2).map(({ Id }) => ({ Id, Code: "ServiceUnavailable", Message: "busy" })),
    }));
    await expect(queue.send(messages("a", "b", "c"))).rejects.toMatchObject({
      code: "queue_send_failed",
      message: expect.stringMatching(/"q": 2 of 3 .* 5 attempts.*"ServiceUnavailable: busy"/),
    });
    expect(batches).toHaveLength(5);
  });

  it("does not try again what is the sender's fault", async () => {
    const { queue, batches } = scripted(() => ({
      Failed: [{ Id: "0", Code: "InvalidMessageContents", SenderFault: true }],
    }));
    await expect(queue.send(messages("a"))).rejects.toMatchObject({ code: "queue_send_failed" });
    expect(batches).toHaveLength(1);
  });

  it("tries again what was throttled, though SQS calls that the sender's fault", async () => {
    const { queue, batches } = scripted((entries, attempt) =>
      attempt === 1 ? { Failed: [{ Id: "0", Code: "RequestThrottled", SenderFault: true }] } : all(entries),
    );
    await queue.send(messages("a"));
    expect(batches).toHaveLength(2);
  });

  it("packs within 10 messages and 1 MiB, in order, and asks for the URL once", async () => {
    const { queue, batches, urls } = scripted(all);
    const bodies = [...Array.from({ length: 12 }, (_, at) => `${at}`), "x".repeat(700_000), "y".repeat(400_000), "z"];
    await queue.send(messages(...bodies));
    await queue.send(messages("again"));
    expect(batches.map((batch) => batch.length)).toEqual([10, 3, 2, 1]);
    expect(batches.flat()).toEqual([...bodies, "again"]);
    expect(urls()).toBe(1);
  });

  it.each([
    ["U+0000", "a\u0000b", /U\+0000 at position 1 of its body/],
    ["a control character", "\u0001", /U\+0001/],
    ["a lone surrogate", "ab\ud800", /U\+D800 at position 2/],
    ["U+FFFE", "\ufffe", /U\+FFFE/],
    ["nothing", "", /is empty/],
  ])("refuses %s before anything is sent", async (_, body, message) => {
    const { queue, batches } = scripted(all);
    await expect(queue.send([{ body: "good" }, { body }])).rejects.toMatchObject({
      code: "queue_message_invalid",
      message: expect.stringMatching(message),
    });
    expect(batches).toEqual([]);
  });

  it.each([
    ["an empty attribute", { a: "" }, /attribute "a" without a value/],
    ["a control character in an attribute", { a: "\u0007" }, /U\+0007 at position 0 of its attribute "a"/],
    ["eleven attributes", Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`a${at}`, "b"])), /11 attributes/],
    ["too many bytes with its attributes", { a: "x".repeat(1_048_570) }, /1048579 bytes/],
  ])("refuses %s", async (_, attributes, message) => {
    const { queue } = scripted(all);
    await expect(queue.send([{ body: "go", attributes }])).rejects.toMatchObject({
      code: "queue_message_invalid",
      message: expect.stringMatching(message),
    });
  });

  it("does not remember that it could not find the queue", async () => {
    let isThere = false;
    const client: AwsClient = {
      call: async <O>(operation: string, input: object): Promise<O> => {
        if (!isThere) throw new Error("away");
        return (operation === "GetQueueUrl" ? { QueueUrl: "q" } : all((input as { Entries: Entry[] }).Entries)) as O;
      },
    };
    const queue = createSqsQueue({ client, name: "q", clock: systemClock, random: () => 0 });
    await expect(queue.send(messages("a"))).rejects.toThrow("away");
    isThere = true;
    await queue.send(messages("a"));
  });
});
