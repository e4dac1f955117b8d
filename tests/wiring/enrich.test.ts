import { createRequire } from "node:module";
import type { Context, SQSEvent } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { createDynamodbHomeDirectory } from "../../lib/adapters/dynamodb/homes.ts";
import { createDynamodbLedger } from "../../lib/adapters/dynamodb/ledger.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { createLogger } from "../../lib/base/log.ts";
import { unpackBatch } from "../../lib/ingest/index.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createEnrich, enrichWork } from "../../lib/wiring/enrich.ts";
import { sqsHandler } from "../../lib/wiring/handler.ts";
import { OPTIONS, pipeline } from "../enrich/pipeline.ts";
import { dynamodbClientAt, startDynaliteServer } from "../support/dynalite.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { provisionQueues, provisionTable } from "../support/provision.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";

interface Alarms {
  readonly Resources: Readonly<Record<string, { readonly Properties: Readonly<Record<string, unknown>> }>>;
}
const alarms: (variables: object) => Promise<Alarms> = createRequire(import.meta.url)("../../serverless/alarms.cjs");
const lambda = { awsRequestId: "r1" } as Context;
const eventOf = (...bodies: string[]) =>
  ({
    Records: bodies.map((body, at) => ({ messageId: `m${at}`, body, attributes: {}, messageAttributes: {} })),
  }) as unknown as SQSEvent;

describe("the enrich function", () => {
  it("answers with the messages that come again, and says in one line what it did", async () => {
    const set = await pipeline();
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
    const handler = sqsHandler("enrich", enrichWork(set.ports, OPTIONS), { log });
    const good = sealed([stateRecord(), stateRecord({ state: "x".repeat(256) })], { key: set.key, first: 4 });
    expect(await handler(eventOf(good, "no JSON", good), lambda)).toEqual({ batchItemFailures: [] });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: "info",
      function: "enrich",
      messages: 3,
      failed: 0,
      reasons: { envelope_malformed: 1, event_state_invalid: 1 },
      sequences: [{ homeId: "home", relayId: "relay", ranges: ["4-5"] }],
      EventsEnriched: 1,
      EventsRejected: 1,
      DeadLettered: 2,
      DuplicateEnvelopes: 1,
      Interruptions: 0,
      EventsLost: 0,
      ledgerGap: 3,
      LedgerGap: 0,
    });
    set.failWhen((part) => part === "arrived");
    expect(await handler(eventOf(good), lambda)).toEqual({ batchItemFailures: [{ itemIdentifier: "m0" }] });
    expect(lines.slice(1).map(({ level, code }) => [level, code])).toEqual([
      ["warn", "service_unreachable"],
      ["warn", undefined],
    ]);
  });

  it("publishes the gap to the metric that the alarm watches, once it is old; also none, also when only duplicates come", async () => {
    const set = await pipeline();
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
    const handler = sqsHandler("enrich", enrichWork(set.ports, OPTIONS), { log });
    const envelope = (first: number, given = {}) => sealed([stateRecord()], { key: set.key, first, ...given });
    const gapAfter = async (minutes: number, ...bodies: string[]) => {
      await set.clock.advance(minutes * 60_000);
      await handler(eventOf(...bodies), lambda);
      return lines.at(-1)?.LedgerGap;
    };
    expect(await gapAfter(0, envelope(1))).toBe(0);
    // Late is not lost: another instance of the function may have the one in between.
    expect(await gapAfter(0, envelope(3))).toBe(0);
    expect(await gapAfter(14, envelope(3))).toBe(0);
    expect(await gapAfter(2, envelope(3))).toBe(1);
    // Another relay that is whole hides nothing in the batch, nor an envelope without numbers.
    expect(await gapAfter(1, envelope(1, { relayId: "whole" }), envelope(3), envelope(0, { last: 0 }))).toBe(1);
    expect(await gapAfter(1, envelope(2))).toBe(0);

    const [alarm] = Object.values((await alarms({ resolveVariable: async () => "no" })).Resources).filter(
      ({ Properties }) => Properties.MetricName === "LedgerGap",
    );
    const { _aws, ...line } = lines.at(-1) as { _aws: { CloudWatchMetrics: [Record<string, unknown>] } };
    const [published] = _aws.CloudWatchMetrics;
    // The highest of a period: the lowest would be that of any relay that is whole.
    expect(alarm?.Properties).toMatchObject({ Namespace: published.Namespace, Statistic: "Maximum", Threshold: 0 });
    expect(alarm?.Properties.Dimensions).toEqual([{ Name: "function", Value: "enrich" }]);
    expect(published.Dimensions).toEqual([["function"]]);
    expect(published.Metrics).toContainEqual({ Name: "LedgerGap", Unit: "Count" });
    expect(line).toMatchObject({ function: "enrich", LedgerGap: 0 });
  });

  it("publishes what relays had to give up, and what they got back, to the metrics that alarms watch", async () => {
    const set = await pipeline();
    const lines: Record<string, unknown>[] = [];
    const log = createLogger({ write: (line) => lines.push(JSON.parse(line)) });
    const handler = sqsHandler("enrich", enrichWork(set.ports, OPTIONS), { log });
    const times = { from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:10:00Z" };
    const loss = { t: "loss", first: 1, last: 6, count: 6, reason: "full", ...times };
    const counts = { entities: 1, recovered: 12, statistics: 0, complete: true, missing: [] };
    const gap = { t: "gap", cause: "disconnected", ...counts, ...times };
    const body = sealed([loss, { ...loss, sink: "old" }, gap], { key: set.key, first: 7 });
    for (const wanted of [
      { EventsLost: 6, Interruptions: 1, EventsRecovered: 12 },
      { EventsLost: 0, Interruptions: 0, EventsRecovered: 0 },
    ]) {
      await handler(eventOf(body), lambda);
      expect(lines.at(-1)).toMatchObject(wanted);
    }
    const { Resources } = await alarms({ resolveVariable: async () => "no" });
    expect(Resources.EventsLostAlarm?.Properties).toMatchObject({
      ...{ Namespace: "Hearthline", MetricName: "EventsLost", Statistic: "Sum", Threshold: 0 },
      Dimensions: [{ Name: "function", Value: "enrich" }],
    });
  });

  it("joins the real queues and table: what it is given is in the store and the index queue, its sequence in the table", async () => {
    const [tables, sqs] = await Promise.all([startDynaliteServer(), startFauxqsServer()]);
    const env = {
      AWS_ENDPOINT_URL_SQS: sqs.url,
      AWS_ENDPOINT_URL_DYNAMODB: tables.url,
      HEARTHLINE_QUEUE_PREFIX: "enriching",
      HEARTHLINE_TABLE: "enriching",
    };
    try {
      await provisionTable(dynamodbClientAt(tables.url), "enriching", systemClock);
      const queues = ["events", "store", "index"].map((name) => ({ name: `enriching-${name}`, visibilitySeconds: 30 }));
      await provisionQueues(sqs.client, queues);
      const cloud = createCloud(readConfig(env), { env });
      const key = randomKey();
      const home = { homeId: "home", name: "Home", timeZone: "Asia/Tokyo", createdAt: "", revision: 1 };
      await createDynamodbHomeDirectory(cloud.table).add(home, key);
      const body = sealed([stateRecord(), stateRecord({ entity_id: "BAD" })], { key });
      const handler = createEnrich(env);
      for (let time = 0; time < 2; time++)
        expect(await handler(eventOf(body), lambda)).toEqual({ batchItemFailures: [] });
      const peeked = (name: "store" | "index" | "events-dead") => cloud.queues.peek(name, 5);
      const stored = (await peeked("store")).flatMap((one) =>
        unpackBatch(one.body).lines.map((line) => JSON.parse(line)),
      );
      expect(stored).toMatchObject([{ entityId: "light.bed_light", localTime: "2026-11-22T14:47:09.185382+09:00" }]);
      expect(await peeked("index")).toHaveLength(1);
      expect((await peeked("events-dead")).map(({ attributes }) => attributes)).toMatchObject([
        { reason_code: "event_entity_id_invalid", sequence: "2", home_id: "home" },
      ]);
      expect(await createDynamodbLedger(cloud.table).rows("home")).toMatchObject([
        { ranges: [[1, 2]], counts: { records: 2, rejected: 1, duplicates: 2 } },
      ]);
    } finally {
      await Promise.all([tables.stop(), sqs.stop()]);
    }
  });

  it("names its wrong settings at the first batch, not when it is loaded", async () => {
    const handler = createEnrich({ HEARTHLINE_WEATHER: "sunny" });
    await expect(handler(eventOf("x"), lambda)).rejects.toThrow('HEARTHLINE_WEATHER is "sunny"');
  });
});
