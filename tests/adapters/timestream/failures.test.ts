import { expect, it } from "vitest";
import { createAwsClient } from "../../../lib/adapters/aws/client.ts";
import { createTimestreamEventStore } from "../../../lib/adapters/timestream/event-store.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { openReady, openSmall } from "./support.ts";

const OLDEST = { order: "asc", limit: 10 } as const;
const closed =
  "Only existing Timestream for LiveAnalytics customers can access the service. Reach out to AWS support, for more information.";

it("names another store to accounts that Timestream takes no more", async () => {
  const { store, small } = await openSmall();
  const failure = { type: "AccessDeniedException", status: 403, body: { message: closed } };
  const told = {
    code: "store_refused",
    fate: "stop",
    message: expect.stringMatching(/no new customers since 2025-06-20.*HEARTHLINE_STORE=parquet/),
  };
  const calls = {
    WriteRecords: () => store.write([buildEvent()]),
    Query: () => store.range({ homeId: "home", ...OLDEST }),
    DescribeTable: () => store.setUp({ rawDays: 1 }),
    DeleteTable: () => store.drop(),
  };
  for (const [operation, call] of Object.entries(calls)) {
    small.failNext(operation, failure);
    await expect(call(), operation).rejects.toMatchObject(told);
  }
});

it("says that the store is not set up where it is not, reading and writing", async () => {
  const { store } = await openSmall();
  const told = {
    code: "store_incompatible",
    message: expect.stringMatching(/"hearthline"."events" is not there.*set up/),
  };
  await expect(store.write([buildEvent()])).rejects.toMatchObject(told);
  await expect(store.range({ homeId: "home", ...OLDEST })).rejects.toMatchObject(told);
  await expect(store.check()).rejects.toMatchObject(told);
});

it.each([
  ["AccessDeniedException", 403, "store_refused", /no right to the table/],
  ["UnrecognizedClientException", 400, "service_refused", /UnrecognizedClientException/],
  ["ValidationException", 400, "store_incompatible", /did not understand/],
  ["ServiceQuotaExceededException", 402, "store_full", /quota/],
  ["QueryExecutionException", 400, "service_failed", /QueryExecutionException/],
])("tells %s for what it is", async (type, status, code, message) => {
  const { store, small } = await openReady();
  for (const operation of ["Query", "DescribeTable"]) {
    // Twice: other credentials may be asked for.
    small.failNext(operation, { type, status });
    small.failNext(operation, { type, status });
  }
  const told = { code, message: expect.stringMatching(message) };
  await expect(store.range({ homeId: "home", ...OLDEST })).rejects.toMatchObject(told);
  await expect(store.check()).rejects.toMatchObject(told);
});

it("tries again when it is throttled, and gives up after some time", async () => {
  const { store, small, slept } = await openReady();
  const throttled = { type: "ThrottlingException", status: 429 };
  for (let time = 0; time < 3; time++) small.failNext("WriteRecords", throttled);
  await store.write([buildEvent()]);
  small.failNext("Query", throttled);
  expect((await store.range({ homeId: "home", ...OLDEST })).events).toEqual([buildEvent()]);
  expect(slept.length).toBeGreaterThanOrEqual(4);
  for (let time = 0; time < 5; time++) small.failNext("WriteRecords", throttled);
  await expect(store.write([buildEvent()])).rejects.toMatchObject({ code: "service_throttled", fate: "retry" });
});

it("says where it could not reach, and that not every region has it", async () => {
  const { clock } = await openSmall();
  const at = (endpoint: string) => {
    const client = (service: "timestream-write" | "timestream-query") =>
      createAwsClient({
        ...{ service, region: "eu-north-1", endpoint, clock, random: () => 0.5, attempts: 1 },
        credentials: () => ({ accessKeyId: "id", secretAccessKey: "secret-text" }),
      });
    const clients = { writes: client("timestream-write"), queries: client("timestream-query") };
    return createTimestreamEventStore({ ...clients, database: "hearthline", clock });
  };
  const away = { code: "service_unreachable", fate: "retry" };
  await expect(at("http://127.0.0.1:9").check()).rejects.toMatchObject(away);
  await expect(at("http://timestream.invalid").check()).rejects.toMatchObject({
    ...away,
    message: expect.stringMatching(/the region has no Timestream/),
  });
});

it("waits for a query that has no rows yet, and gives one up that never has", async () => {
  const { store, small, slept } = await openReady();
  await store.write(manyEvents(30));
  // Every third query of the emulation begins with an empty page.
  for (let time = 0; time < 3; time++) await store.range({ homeId: "home", ...OLDEST });
  expect(slept).toContain(100);
  const call = small.tables.call.bind(small.tables);
  small.tables.call = (operation, input) =>
    operation === "Query"
      ? { Rows: [], ColumnInfo: [], NextToken: "more", QueryStatus: { ProgressPercentage: 3 } }
      : call(operation, input);
  const passed = slept.length;
  const { clients, clock } = {
    clients: {
      writes: small.client("timestream-write", clockThatRuns()),
      queries: small.client("timestream-query", clockThatRuns()),
    },
    clock: clockThatRuns(),
  };
  const patient = createTimestreamEventStore({ ...clients, database: "hearthline", clock });
  await expect(patient.range({ homeId: "home", ...OLDEST })).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/at 3 % after 120 s/),
  });
  expect(slept).toHaveLength(passed);
});

/** Each sleep takes ten seconds. */
function clockThatRuns() {
  let ms = 0;
  return {
    nowMs: () => SOME_TIME_US / 1000,
    monotonicMs: () => ms,
    sleep: async () => {
      ms += 10_000;
    },
  };
}

it("refuses an answer that is not of its own table, and a statement that is too long", async () => {
  const { store, small } = await openReady();
  const call = small.tables.call.bind(small.tables);
  const answers: Record<string, object> = {
    "is of type BIGINT": {
      ColumnInfo: [{ Name: "state", Type: { ScalarType: "BIGINT" } }],
      Rows: [{ Data: [{ ScalarValue: "1" }] }],
    },
    "is no scalar": {
      ColumnInfo: [{ Name: "state", Type: { ArrayColumnInfo: {} } }],
      Rows: [{ Data: [{ ArrayValue: [] }] }],
    },
  };
  for (const [state, answer] of Object.entries(answers)) {
    small.tables.call = (operation, input) => (operation === "Query" ? answer : call(operation, input));
    await expect(store.range({ homeId: "home", ...OLDEST })).rejects.toMatchObject({
      code: "store_incompatible",
      message: expect.stringContaining(state),
    });
  }
  const areaId = "x".repeat(300_000);
  small.tables.call = call;
  expect(await store.range({ homeId: "home", areaId, ...OLDEST })).toEqual({ events: [] });
  const homeId = "x".repeat(262_144);
  await expect(store.range({ homeId, ...OLDEST })).rejects.toMatchObject({
    code: "request_invalid",
  });
});

it("looks here for more ids than a statement should have", async () => {
  const { store } = await openReady();
  await store.write(manyEvents(100));
  const entityIds = Array.from({ length: 5_000 }, (_, index) => `light.part_${index}`);
  const { events } = await store.range({ homeId: "home", entityIds, order: "asc", limit: 1_000 });
  expect(events).toEqual(manyEvents(100).filter(({ domain }) => domain === "light"));
});
