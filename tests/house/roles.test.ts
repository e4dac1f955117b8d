import { hash } from "node:crypto";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createDynamodbAggregateStore,
  createDynamodbRetentionRecords,
} from "../../lib/adapters/dynamodb/aggregates.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { setUpStore } from "../../lib/wiring/store-setup.ts";
import { AT_US, manyRecords, registryRecords } from "../journey/records.ts";
import { startMigrating } from "../support/migrating.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { type FunctionName, functionAtWork, wallClock } from "../support/pipeline-functions.ts";
import { sealed, stateRecord } from "../support/records.ts";

interface Roles {
  readonly CONSUME: readonly string[];
  readonly GRANTS: Readonly<
    Record<
      FunctionName,
      { readonly queues: readonly (readonly [string[], string[]])[]; readonly table: readonly string[] }
    >
  >;
  readonly STORE_GRANTS: Readonly<
    Record<
      string,
      Readonly<Partial<Record<FunctionName, Readonly<Partial<Record<"table" | "bucket" | "objects", string[]>>>>>>
    >
  >;
}
const roles = createRequire(import.meta.url)("../../serverless/roles.cjs") as Roles;

/** What an operation needs, by IAM: the batch forms of SQS have no action of their own. */
const actionOf = (operation: string): string =>
  `sqs:${operation.replace(/^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/, "$1")}`;
/** `hearthline-dev-events-dead`, or its URL -> `EventsDead`. */
const queueOf = (name: string): string =>
  (name.split("/").at(-1) ?? "")
    .replace(/^hearthline-dev/, "")
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What a request to S3 needs, by IAM. */
function s3ActionOf(url: URL, method: string): string {
  if (url.searchParams.has("lifecycle")) return `bucket s3:${method === "GET" ? "Get" : "Put"}LifecycleConfiguration`;
  if (url.searchParams.has("delete")) return "objects s3:DeleteObject";
  // `/bucket` or `/bucket/`: the bucket itself.
  if (url.pathname.split("/").filter(Boolean).length <= 1)
    return `bucket s3:${method === "PUT" ? "Create" : "List"}Bucket`;
  return `objects s3:${method === "PUT" ? "Put" : method === "DELETE" ? "Delete" : "Get"}Object`;
}

/** What one function did: `Events sqs:SendMessage`, `table dynamodb:GetItem`, `objects s3:GetObject`. */
const calls = new Map<FunctionName, Set<string>>();

function note(input: string | URL | Request, init: RequestInit | undefined): void {
  const name = functionAtWork();
  const request = new Request(input instanceof Request ? input.url : input);
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}));
  const target = headers.get("x-amz-target");
  const isS3 = headers.get("authorization")?.includes("/s3/aws4_request") ?? false;
  if (name === undefined || (target === null && !isS3)) return;
  const called = calls.get(name) ?? new Set();
  calls.set(name, called);
  if (target === null) {
    called.add(s3ActionOf(new URL(request.url), init?.method ?? (input instanceof Request ? input.method : "GET")));
    return;
  }
  const [service, operation = ""] = target.split(".");
  const body = JSON.parse(String(init?.body)) as { QueueUrl?: string; QueueName?: string };
  if (service === "AmazonSQS") called.add(`${queueOf(body.QueueUrl ?? body.QueueName ?? "")} ${actionOf(operation)}`);
  else called.add(`table dynamodb:${operation}`);
}

/** What a role grants beside what Lambda itself does with it. */
function granted(name: FunctionName, store: string): string[] {
  const { queues, table } = roles.GRANTS[name];
  const more = roles.STORE_GRANTS[store]?.[name] ?? {};
  return [
    ...(more.table ?? []).map((operation) => `table dynamodb:${operation}`),
    ...(more.bucket ?? []).map((operation) => `bucket s3:${operation}`),
    ...(more.objects ?? []).map((operation) => `objects s3:${operation}`),
    ...queues
      .filter(([actions]) => actions !== roles.CONSUME)
      .flatMap(([actions, names]) => names.flatMap((queue) => actions.map((action) => `${queue} ${action}`))),
    ...table.map((operation) => `table dynamodb:${operation}`),
  ];
}

const DAY_MS = 86_400_000;
const START_MS = AT_US / 1000 + 3_600_000;

describe.each(["sqlite", "parquet", "parquet-table"])(
  "the roles of serverless/roles.cjs, with the store %s",
  (store) => {
    const real = globalThis.fetch;
    /** While `isHurried`, learning from the first day takes so long that the next one must wait. */
    let leapMs = 0;
    let isHurried = false;
    const clock = { ...wallClock(START_MS), monotonicMs: () => systemClock.monotonicMs() + leapMs };
    let pipeline: Pipeline;
    let migrating: Awaited<ReturnType<typeof startMigrating>>;
    /** Resolves when both dispatches are about to make the same job. */
    let meeting: { arrived: number; readonly both: PromiseWithResolvers<void> } | undefined;

    beforeAll(async () => {
      globalThis.fetch = async (input, init) => {
        note(input, init);
        if (isHurried && functionAtWork() === "analyze" && String(init?.body).includes("#time-of-day#")) {
          isHurried = false;
          leapMs += 5 * 60_000;
        }
        const isJob = functionAtWork() === "dispatch" && String(init?.body).includes("attribute_not_exists");
        if (meeting && isJob) {
          if (++meeting.arrived === 2) meeting.both.resolve();
          await meeting.both.promise;
        }
        return real(input, init);
      };
      // With this chance index-devices also merges what it has gathered.
      calls.clear();
      clock.set(START_MS);
      pipeline = await startPipeline({
        clock,
        random: () => 0,
        env: {
          HEARTHLINE_STORE: store.replace("-table", ""),
          HEARTHLINE_PARQUET_URL: "s3://hearthline-events/raw",
          HEARTHLINE_PARQUET_HOT: store === "parquet-table" ? "table" : "objects",
        },
      });
      await setUpStore(pipeline.config, pipeline.env);
      migrating = await startMigrating(pipeline.cloud.table, clock);
      await live();
    }, 120_000);
    afterAll(async () => {
      globalThis.fetch = real;
      await migrating.stop();
      await pipeline.stop();
    });

    /** A night and a day of a home in which everything happens once: registries and their replacement, events good and bad, what is broken in each queue, jobs, requests. */
    async function live(): Promise<void> {
      const home = await pipeline.addHome();
      const registries = registryRecords();
      const replaced = registries.map((record) => ({
        ...record,
        ...("revision" in record && { revision: START_MS }),
        ...(record.t === "registry" && { rows: [] }),
      }));
      const weather = stateRecord({
        entity_id: "weather.home",
        state: "sunny",
        attributes: { temperature: 20 },
        atUs: AT_US,
      });
      const bad = stateRecord({ entity_id: "bad" });
      const all = [...registries, weather, bad, ...manyRecords(40)];
      await pipeline.send("events", sealed(all, { key: home.key }), "broken");
      await pipeline.drain();
      pipeline.replace("enrich");
      await pipeline.send(
        "events",
        sealed([...replaced, ...manyRecords(40)], { key: home.key, first: all.length + 1 }),
      );
      for (const name of ["store", "index", "analysis"] as const) await pipeline.send(name, "broken");
      await pipeline.drain();

      const event = {
        event_type: "state_changed",
        entity_id: "light.a",
        state: "on",
        timestamp: "2026-11-22T06:00:00Z",
      };
      await pipeline.ask(home.token, "/api/v1/events", { method: "POST", body: JSON.stringify(event) });
      await pipeline.drain();
      // More than its item of the table would carry cheaply.
      await pipeline.send("events", sealed(manyRecords(600), { key: home.key, relayId: "large" }));
      await pipeline.drain();
      await plantAggregates();
      clock.set(START_MS + DAY_MS);
      meeting = { arrived: 0, both: Promise.withResolvers<void>() };
      await Promise.all([pipeline.dispatch(), pipeline.fresh("dispatch")({}, {} as never)]);
      meeting = undefined;
      await pipeline.drain();
      // An event of the day that is closed now, and a second night.
      const late = stateRecord({ atUs: AT_US + 1 });
      await pipeline.send("events", sealed([late], { key: home.key, relayId: "second" }));
      await pipeline.drain();
      clock.set(START_MS + 2 * DAY_MS);
      await pipeline.dispatch();
      await pipeline.drain();
      // Two days are late, of which a job by hand does one at a time.
      const lates = [-1, 0].map((days) => stateRecord({ atUs: AT_US + 2 + days * DAY_MS * 1000 }));
      await pipeline.send("events", sealed(lates, { key: home.key, relayId: "third" }));
      await pipeline.drain();
      isHurried = true;
      const job = JSON.stringify({ kind: "daily", date: "2026-11-23" });
      await pipeline.ask(home.token, "/api/v1/jobs", { method: "POST", body: job });
      await pipeline.drain();
      for (const path of [
        "events",
        "events/stats",
        "entities",
        "devices",
        "devices/lamp",
        "areas",
        "events/aggregate?entity_id=light.a&from=2026-11-21T00:00:00Z&to=2026-11-22T00:00:00Z&window=1h",
        "aggregates/daily",
        "retention",
        "jobs",
        "jobs/daily-2026-11-21",
      ])
        await pipeline.ask(home.token, `/api/v1/${path}`);
      for (const path of ["/health", "/ready", "/metrics", "/", "/openapi.json", "/docs"])
        await pipeline.ask(home.token, path);
      await migrate();
    }

    /** A home that moves the whole way, over whatever the checks say. */
    async function migrate(): Promise<void> {
      const id = await migrating.begin("home", { fedBy: "relay" });
      await migrating.force("home", id, async () => {
        clock.set(clock.nowMs() + 1_000);
        await pipeline.validateMigration();
      });
    }

    /** An aggregate too large for one item on the day before the first job's, one that the night prunes, and a retention that was another one before. */
    async function plantAggregates(): Promise<void> {
      const aggregates = createDynamodbAggregateStore(pipeline.cloud.table);
      const rows = Array.from({ length: 20_000 }, (_, index) => ({
        entity_id: `sensor.${hash("sha256", String(index))}`,
      }));
      const at = { homeId: "home", layer: "daily", kind: "entities", fromUs: 0, toUs: 1 } as const;
      await aggregates.put({ ...at, date: "2026-11-21", rows });
      await aggregates.put({ ...at, date: "2020-01-01", rows: [] });
      const enforcedAt = new Date(START_MS).toISOString();
      await createDynamodbRetentionRecords(pipeline.cloud.table).put("home", {
        ...{ enforcedAt, rawDays: 1, dailyDays: 1, weeklyWeeks: 5 },
      });
    }

    it("name every function", () => {
      expect([...calls.keys()].sort()).toEqual(Object.keys(roles.GRANTS).sort());
    });

    it.each(Object.keys(roles.GRANTS) as FunctionName[])("let %s do what it does, and nothing else", (name) => {
      expect([...(calls.get(name) ?? [])].sort()).toEqual([...new Set(granted(name, store))].sort());
    });

    it.each([
      ["enrich", "Events"],
      ["store", "Store"],
      ["index-devices", "Index"],
      ["analyze", "Analysis"],
    ] as const)("let Lambda take the messages of %s from its own queue alone", (name, queue) => {
      expect(roles.GRANTS[name].queues.filter(([actions]) => actions === roles.CONSUME)).toEqual([
        [roles.CONSUME, [queue]],
      ]);
    });
  },
);
