import { describe, expect, it } from "vitest";
import { type AwsClient, AwsError } from "../../../lib/adapters/aws/client.ts";
import { createSqsSink } from "../../../lib/adapters/sqs/sink.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { SinkMessage } from "../../../lib/relay/ports.ts";
import { piecePacker } from "../../relay/piece-sink.ts";

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
}

const awsError = (type: string, status = 400) => new AwsError("SendMessageBatch", { type, status, body: {} });
const all = (entries: readonly Entry[]) => ({ Successful: entries.map(({ Id }) => ({ Id })) });
const messages = (...texts: string[]): SinkMessage[] =>
  texts.map((text, at) => ({
    first: at,
    last: at,
    fromMs: 0,
    toMs: 0,
    pieces: [{ first: at, last: at, text }],
    lost: [],
  }));

function start(answer: (entries: readonly Entry[], call: number) => object) {
  const batches: string[][] = [];
  const options: object[] = [];
  let urls = 0;
  const client: AwsClient = {
    call: async <O>(operation: string, input: object, more: object = {}): Promise<O> => {
      options.push(more);
      if (operation === "GetQueueUrl") return { QueueUrl: `http://q/${++urls}` } as O;
      const { Entries } = input as { Entries: Entry[] };
      batches.push(Entries.map(({ MessageBody }) => MessageBody));
      return answer(Entries, batches.length) as O;
    },
  };
  const sink = createSqsSink({ name: "cloud", client, queue: "q", packer: piecePacker(1), flushMs: 1 });
  const outcomes = async (...texts: string[]) => (await sink.send(messages(...texts))).map(({ outcome }) => outcome);
  return { sink, batches, options, outcomes, urls: () => urls };
}

describe("the sink over SQS", () => {
  it("sends ten messages in one request, one attempt, with time for a slow line", async () => {
    const { outcomes, batches, options } = start(all);
    expect(await outcomes(..."abcdefghij")).toEqual(Array(10).fill("taken"));
    expect(batches).toEqual([[..."abcdefghij"]]);
    expect(options.every((more) => (more as { attempts?: number }).attempts === 1)).toBe(true);
    await outcomes("x".repeat(163_840));
    expect(options.at(-1)).toMatchObject({ extraTimeoutMs: 10_000 });
  });

  it("stays within 1 MiB a request", async () => {
    const { outcomes, batches } = start(all);
    await outcomes("a".repeat(600_000), "b".repeat(400_000), "c".repeat(100_000));
    expect(batches.map((batch) => batch.length)).toEqual([2, 1]);
  });

  it("tells message by message what was taken", async () => {
    const { sink } = start(() => ({
      Successful: [{ Id: "0" }],
      Failed: [
        { Id: "1", Code: "RequestThrottled", Message: "slowly", SenderFault: true },
        { Id: "2", Code: "InternalError" },
        { Id: "3", Code: "InvalidMessageContents", Message: "a character", SenderFault: true },
        { Id: "4", Code: "InvalidParameterValue", Message: "too long", SenderFault: true },
      ],
    }));
    const answers = await sink.send(messages("a", "b", "c", "d", "e", "f"));
    expect(answers).toMatchObject([
      { outcome: "taken" },
      { outcome: "failed", error: { code: "service_throttled" } },
      { outcome: "failed", error: { code: "queue_send_failed" } },
      { outcome: "refused", isCertain: true },
      { outcome: "refused", isCertain: false },
      { outcome: "failed", error: { code: "queue_send_failed" } },
    ]);
  });

  it("finds the one message for which a whole request was refused", async () => {
    const { outcomes, batches } = start((entries) => {
      if (entries.some(({ MessageBody }) => MessageBody === "bad")) throw awsError("InvalidMessageContents");
      return all(entries);
    });
    expect(await outcomes("a", "bad", "c")).toEqual(["taken", "refused", "taken"]);
    expect(batches).toEqual([["a", "bad", "c"], ["a"], ["bad"], ["c"]]);
  });

  it("refuses by itself what SQS takes nowhere, and sends the rest", async () => {
    const { outcomes, batches } = start(all);
    expect(await outcomes("a", "\u0000", "c")).toEqual(["taken", "refused", "taken"]);
    expect(batches).toEqual([["a", "c"]]);
  });

  it.each(["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"])(
    "looks a queue up again that is gone (%s)",
    async (type) => {
      const { sink, urls } = start((entries, call) => {
        if (call <= 2) throw awsError(type);
        return all(entries);
      });
      for (let call = 1; call <= 2; call++)
        expect(await sink.send(messages("a"))).toMatchObject([
          { outcome: "failed", error: { code: "queue_unknown", message: expect.stringContaining('"q"') } },
        ]);
      expect(await sink.send(messages("a"))).toEqual([{ outcome: "taken" }]);
      expect(urls()).toBe(3);
    },
  );

  it.each([
    [awsError("RequestThrottled", 400), "service_throttled"],
    [awsError("Http503", 503), "service_failed"],
    [awsError("AccessDeniedException", 403), "service_refused"],
    [awsError("ExpiredToken", 403), "service_refused"],
    [new HearthlineError("service_unreachable", "ECONNREFUSED"), "service_unreachable"],
  ])("%s fails every message of the request, and is no word on their content", async (error, code) => {
    const { sink, batches } = start(() => {
      throw error;
    });
    const answers = await sink.send(messages("a", "b"));
    expect(answers).toMatchObject(Array(2).fill({ outcome: "failed", error: { code } }));
    expect(batches).toHaveLength(1);
  });

  it("does not keep an address that is none", async () => {
    let asked = 0;
    const client: AwsClient = {
      call: async <O>(operation: string, input: object): Promise<O> => {
        if (operation !== "GetQueueUrl") return all((input as { Entries: Entry[] }).Entries) as O;
        return (++asked === 1 ? {} : { QueueUrl: "http://q" }) as O;
      },
    };
    const sink = createSqsSink({ name: "cloud", client, queue: "q", packer: piecePacker(1), flushMs: 1 });
    expect(await sink.send(messages("a"))).toMatchObject([{ outcome: "failed", error: { code: "service_failed" } }]);
    expect(await sink.send(messages("a"))).toEqual([{ outcome: "taken" }]);
  });
});
