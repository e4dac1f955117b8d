import type { Context, SQSEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../lib/base/errors.ts";
import { createLogger } from "../../lib/base/log.ts";
import { type BatchWork, eachMessage, sqsHandler } from "../../lib/wiring/handler.ts";

const eventOf = (...bodies: string[]) =>
  ({
    Records: bodies.map((body, at) => ({
      messageId: `m${at}`,
      body,
      attributes: { ApproximateReceiveCount: "2", SentTimestamp: "1700000000000" },
      messageAttributes: { home_id: { dataType: "String", stringValue: "h1" }, blob: { dataType: "Binary" } },
    })),
  }) as unknown as SQSEvent;

const lambda = (remainingMs = 30_000) =>
  ({ awsRequestId: "r1", getRemainingTimeInMillis: () => remainingMs }) as unknown as Context;

function handlerOf(work: BatchWork) {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
  return { lines, handler: sqsHandler("sample", work, { log }) };
}

describe("sqsHandler", () => {
  it("gives the messages with their attributes and answers with the failed ones that are in the batch", async () => {
    const { handler, lines } = handlerOf(async (messages, context) => {
      expect(messages[0]).toEqual({
        messageId: "m0",
        body: "a",
        attributes: { home_id: "h1" },
        receiveCount: 2,
        sentAtMs: 1_700_000_000_000,
      });
      context.note({ homeId: "h1" });
      context.metrics.count("EventsIn", 3);
      context.metrics.count("EventsIn", 4);
      context.metrics.level("LedgerGap", 9);
      context.metrics.level("LedgerGap", 2);
      return ["m1", "m1", "unknown", ""];
    });
    expect(await handler(eventOf("a", "b"), lambda())).toEqual({ batchItemFailures: [{ itemIdentifier: "m1" }] });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: "warn",
      function: "sample",
      requestId: "r1",
      homeId: "h1",
      messages: 2,
      failed: 1,
      EventsIn: 7,
      LedgerGap: 9,
      MessagesIn: 2,
      MessagesFailed: 1,
    });
    const embedded = lines[0]?._aws as { CloudWatchMetrics: [{ Namespace: string; Metrics: { Name: string }[] }] };
    expect(embedded.CloudWatchMetrics[0].Namespace).toBe("Hearthline");
    for (const { Name } of embedded.CloudWatchMetrics[0].Metrics) expect(lines[0]?.[Name]).toBeTypeOf("number");
  });

  it("logs what the work throws, with its code, and throws it on", async () => {
    const { handler, lines } = handlerOf(async () => {
      throw new HearthlineError("service_unreachable", "The table is away.");
    });
    await expect(handler(eventOf("a"), lambda())).rejects.toThrow("The table is away.");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "error", code: "service_unreachable", failed: 1, MessagesFailed: 1 });
  });

  it("gives up and writes its line shortly before the function is stopped", async () => {
    const { handler, lines } = handlerOf(() => new Promise(() => {}));
    await expect(handler(eventOf("a"), lambda(260))).rejects.toMatchObject({ name: "TimeoutError" });
    expect(lines[0]).toMatchObject({ level: "error", failed: 1 });
  });
});

describe("eachMessage", () => {
  it("fails only the messages whose work throws, in order, each with one line", async () => {
    const seen: string[] = [];
    const { handler, lines } = handlerOf((messages, context) =>
      eachMessage(messages, context, async (message) => {
        seen.push(message.body);
        if (message.body === "away") throw new HearthlineError("service_timeout", "Too slow.");
        if (message.body === "bug") throw new TypeError("no such thing");
      }),
    );
    const answer = await handler(eventOf("ok", "away", "bug", "ok too"), lambda());
    expect(answer.batchItemFailures.map((one) => one.itemIdentifier)).toEqual(["m1", "m2"]);
    expect(seen).toEqual(["ok", "away", "bug", "ok too"]);
    expect(lines.map((line) => [line.level, line.code])).toEqual([
      ["warn", "service_timeout"],
      ["error", "unexpected"],
      ["warn", undefined],
    ]);
  });
});
