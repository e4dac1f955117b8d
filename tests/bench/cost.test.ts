import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envelopesOf } from "../../bench/cost/envelopes.ts";
import { START_MS, type TimedRecord } from "../../bench/cost/home.ts";
import { batchAt, deployed, gbSeconds, idlePolls, readingRequests } from "../../bench/cost/lambda.ts";
import { Meter, measured, watchFetch } from "../../bench/cost/meter.ts";
import { dollarsOfMonth, monthOf } from "../../bench/cost/month.ts";
import { openObjects } from "../../bench/cost/objects.ts";
import { dollarsAboveFree, dollarsOf, PRICES } from "../../bench/cost/prices.ts";
import { run } from "../../bench/cost/runs.ts";
import { sqsRequests, timestreamBytes } from "../../bench/cost/units.ts";
import { ITEMS, onTheLine, sumOf } from "../../bench/cost/usage.ts";
import { writeLines } from "../../bench/store/events.ts";
import { createSqsQueue } from "../../lib/adapters/sqs/queue.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { readEnvelope, unpackLines } from "../../lib/event/index.ts";
import { startDynaliteServer, tableAt } from "../support/dynalite.ts";
import { startFauxqsServer } from "../support/fauxqs.ts";
import { randomKey } from "../support/records.ts";

describe("the price table", () => {
  it("has one price for everything that is counted", () => {
    expect(PRICES.map(({ item }) => item).sort()).toEqual([...ITEMS].sort());
  });
  it.each(PRICES)("says of $item since when and by whom", ({ dollars, per, date, source }) => {
    expect(dollars).toBeGreaterThan(0);
    expect(per).toBeGreaterThan(0);
    expect(date).toMatch(/^20\d\d-(0[1-9]|1[0-2])(-[0-3]\d)?$/);
    expect(source).toMatch(/[a-z0-9-]+\.[a-z]+\//);
  });
  it("multiplies, and takes off what is free for ever", () => {
    const usage = { sqs_requests: 2_500_000, s3_put_requests: 1_000 };
    expect(dollarsOf(usage)).toBeCloseTo(1.0 + 0.005, 12);
    expect(dollarsAboveFree(usage)).toBeCloseTo(0.6 + 0.005, 12);
  });
});

describe("units", () => {
  it("of SQS are 64 KB", () => {
    expect([0, 1, 65_536, 65_537, 131_073].map(sqsRequests)).toEqual([1, 1, 1, 2, 3]);
  });
  it("of Timestream are those of AWS's example, and common attributes are billed once", () => {
    const Dimensions = [
      { Name: "region", Value: "us-east-1" },
      { Name: "az", Value: "1d" },
      { Name: "vpc", Value: "vpc-1a2b3c4d" },
      { Name: "hostname", Value: "host-24Gju" },
    ];
    const measure = { MeasureName: "cpu_utilization", MeasureValues: [{ Name: "", Value: "35.0", Type: "DOUBLE" }] };
    expect(timestreamBytes({ Records: [{ Dimensions, ...measure }] })).toEqual({ billedKib: 1, storedBytes: 83 });
    const many = Array.from({ length: 100 }, () => measure);
    expect(timestreamBytes({ CommonAttributes: { Dimensions }, Records: many })).toEqual({
      billedKib: Math.ceil((52 + 100 * 31) / 1024),
      storedBytes: 8_300,
    });
  });
  it("of Lambda are milliseconds at the function's share of a processor", () => {
    expect(gbSeconds(1_024, { cpuMs: 0, waitedMs: 20.2 })).toBeCloseTo(0.021, 12);
    expect(gbSeconds(512, { cpuMs: 10, waitedMs: 20 })).toBeCloseTo(0.055 / 2, 12);
    expect(gbSeconds(2_048, { cpuMs: 10, waitedMs: 20 })).toBeCloseTo(0.06, 12);
  });
});

describe("Lambda's event sources", () => {
  const source = { memoryMb: 512, batchSize: 10, windowSeconds: 0 };
  it("are those of serverless.yml", () => {
    expect(deployed("enrich").batchSize).toBe(10);
    expect(deployed("index-devices").windowSeconds).toBeGreaterThan(0);
    expect(deployed("dispatch").memoryMb).toBe(512);
  });
  it("give one home's messages alone, and a fleet's together as far as a batch goes", () => {
    expect(batchAt(1 / 60, source)).toBe(1);
    expect(batchAt(200, source)).toBe(4);
    expect(batchAt(200, { ...source, windowSeconds: 1 })).toBe(10);
  });
  it("read what a batch has, in units of 64 KB, and delete ten at a time", () => {
    expect(readingRequests(["x"], source)).toBe(2);
    expect(readingRequests(["x".repeat(50_000), "x".repeat(50_000)], source)).toBe(3);
    expect(readingRequests(Array(12).fill("x"), { ...source, windowSeconds: 1 })).toBe(14);
  });
  it("wait at an idle queue with five readers, at a busy one with none", () => {
    expect(idlePolls(1 / 60)).toBe(648_000);
    expect(idlePolls(167)).toBe(0);
  });
});

describe("a relay's messages", () => {
  it("go when the oldest record has waited for the flush time, whole and in order", () => {
    const records: TimedRecord[] = Array.from({ length: 100 }, (_, index) => ({
      atMs: START_MS + index * 7_000,
      text: `{"t":"state","index":${index}}`,
    }));
    const sent = [...envelopesOf(records, { homeId: "home", key: randomKey(), flushMs: 60_000 })];
    const told = sent.map(({ text }) => readEnvelope(text));
    expect(told[0]).toMatchObject({ first: 1, last: 9 });
    expect(told.flatMap(({ body }) => unpackLines(body)).map((line) => JSON.parse(line).n)).toEqual(
      records.map((_, index) => index + 1),
    );
    for (const [index, { first }] of told.entries())
      expect(sent[index]?.sentMs).toBe((records[first - 1]?.atMs ?? 0) + 60_000);
  });
});

describe("what is counted", () => {
  let unwatch: () => void;
  let queues: Awaited<ReturnType<typeof startFauxqsServer>>;
  let tables: Awaited<ReturnType<typeof startDynaliteServer>>;
  beforeAll(async () => {
    unwatch = watchFetch();
    [queues, tables] = await Promise.all([startFauxqsServer(), startDynaliteServer()]);
  });
  afterAll(async () => {
    unwatch();
    await Promise.all([queues.stop(), tables.stop()]);
  });
  const used = async (work: () => Promise<unknown>) => {
    const meter = new Meter();
    await measured(meter, work);
    return meter.used;
  };

  it("of SQS is every send by its size, and a second one as much again", async () => {
    await queues.client.call("CreateQueue", { QueueName: "some" });
    const queue = createSqsQueue({ client: queues.client, name: "some", clock: systemClock, random: systemRandom });
    const send = (bytes: number) => queue.send([{ body: "x".repeat(bytes) }]);
    expect(await used(() => send(10))).toEqual({ sqs_requests: 1 });
    expect(await used(() => send(100_000))).toEqual({ sqs_requests: 2 });
    const twice = async () => {
      await send(10);
      await send(100_000);
    };
    expect(await used(twice)).toEqual({ sqs_requests: 3 });
    expect(await used(() => queue.send([{ body: "a" }, { body: "b" }]))).toEqual({ sqs_requests: 1 });
  });

  it("of DynamoDB is what it says itself, reads that find nothing and writes that are refused too", async () => {
    const table = await tableAt(tables.url, "planted");
    const [key, other] = [
      { pk: "a", sk: "b" },
      { pk: "a", sk: "c" },
    ];
    const data = "x".repeat(2_500);
    const isNew = { expression: "attribute_not_exists(pk)" };
    expect(await used(() => table.put({ ...key, data }))).toEqual({ dynamodb_write_units: 3 });
    expect(await used(() => table.put({ ...key, data }, isNew).catch(() => {}))).toEqual({ dynamodb_write_units: 3 });
    expect(await used(() => table.get(key))).toEqual({ dynamodb_read_units: 1 });
    expect(await used(() => table.get(other))).toEqual({ dynamodb_read_units: 1 });
    expect(await used(() => table.query({ pk: "z" }).next())).toEqual({ dynamodb_read_units: 1 });
    expect(await used(() => table.writeMany({ puts: [other], deletes: [key] }))).toEqual({ dynamodb_write_units: 4 });
  });

  it("of S3 are requests by kind; a deletion is free", async () => {
    const objects = openObjects({ endpoint: queues.url, bucket: "planted", prefix: "p" });
    await objects.setUp();
    expect(await used(() => objects.put("a", Buffer.from("a")))).toEqual({ s3_put_requests: 1 });
    expect(await used(() => objects.get("a"))).toEqual({ s3_get_requests: 1 });
    expect(await used(() => objects.list(""))).toEqual({ s3_put_requests: 1 });
  });

  it("is nothing outside a measurement, and calls at once are waited for once", async () => {
    const table = await tableAt(tables.url, "planted");
    const meter = new Meter();
    await measured(meter, () => Promise.all([table.get({ pk: "a", sk: "b" }), table.get({ pk: "a", sk: "c" })]));
    const waited = meter.waitedMs;
    await table.get({ pk: "a", sk: "b" });
    expect(meter.used).toEqual({ dynamodb_read_units: 2 });
    await measured(meter, async () => {
      await table.get({ pk: "a", sk: "b" });
      await table.get({ pk: "a", sk: "c" });
    });
    expect(meter.waitedMs).toBe(3 * waited);
  });

  it("goes into a month with the share of what there is once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hearthline-cost-test-"));
    const path = join(folder, "events.jsonl");
    writeLines(path, 200);
    const shared = { path, eventsPerDay: 2_000, messagesMax: 4, isWithNight: false, flushSeconds: 300 };
    const fleet = await run({ ...shared, homes: 2, fleet: 10_000 });
    rmSync(folder, { recursive: true });
    expect([...fleet.parts.keys()].sort()).toEqual(
      ["enrich", "index-devices", "relay", "store parquet-objects", "store parquet-table", "store timestream"].sort(),
    );
    // One message each 300 s and the time until the next record.
    expect(fleet.messagesADay).toBeGreaterThan(250);
    expect(fleet.messagesADay).toBeLessThanOrEqual(288);
    expect(fleet.parts.get("relay")).toEqual({ sqs_requests: fleet.messagesADay });
    expect(fleet.parts.get("store parquet-objects")?.s3_put_requests).toBeCloseTo(fleet.messagesADay, 6);

    const analyze = { "parquet-objects": {}, "parquet-table": {}, timestream: {} };
    const night = { segments: 288, dispatch: {}, analyze, dayBytes: 2 ** 30 / 7.5, queries: 0 };
    const options = { run: fleet, nights: [night, night] as const, deployment: { metrics: 20, alarms: 10 } };
    const { own, fixed } = dollarsOfMonth(monthOf("parquet-objects", options));
    expect(fixed).toBeCloseTo((20 * 0.3 + 10 * 0.1 + 0.648 * 0.4 + 2_880 / 1e6) / 10_000, 9);
    // A month of PUTs and of a gigabyte, and what all of it costs together.
    expect(own).toBeGreaterThan((30 * fleet.messagesADay * 0.005) / 1_000 + 0.023);
    expect(own).toBeLessThan(0.5);
  }, 60_000);
});

describe("usage", () => {
  it("adds up, and lies on a line between two measurements", () => {
    expect(sumOf([{ sqs_requests: 1 }, { sqs_requests: 2, log_gb: 1 }])).toEqual({ sqs_requests: 3, log_gb: 1 });
    const line = (x: number) => onTheLine(x, [10, { sqs_requests: 20 }], [20, { sqs_requests: 40, log_gb: 1 }]);
    expect([line(10), line(15), line(20)]).toEqual([
      { sqs_requests: 20, log_gb: 0 },
      { sqs_requests: 30, log_gb: 0.5 },
      { sqs_requests: 40, log_gb: 1 },
    ]);
    expect(line(0)).toEqual({ sqs_requests: 0, log_gb: 0 });
  });
});
