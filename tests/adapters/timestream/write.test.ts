import { expect, it } from "vitest";
import { createTimestreamEventStore } from "../../../lib/adapters/timestream/event-store.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../../support/events.ts";
import { ServiceError } from "../../support/timestream-records.ts";
import { DAY_US, openReady, openSmall, refusedBy } from "./support.ts";

const OLDEST = { order: "asc", limit: 1_000 } as const;
interface Written {
  readonly CommonAttributes: { readonly Version: number; readonly MeasureName: string };
  readonly Records: readonly object[];
}

async function openWriting() {
  const opened = await openReady();
  const { small, store } = opened;
  const all = async () => (await store.range({ homeId: "home", ...OLDEST })).events;
  const written = () =>
    small.requests
      .filter(({ operation }) => operation === "WriteRecords")
      .map(({ input }) => input as unknown as Written);
  return { ...opened, all, written };
}

it("packs records to the limit, with what they share said once", async () => {
  const { store, written } = await openWriting();
  await store.write(manyEvents(250));
  expect(
    written()
      .map(({ Records }) => Records.length)
      .sort(),
  ).toEqual([100, 100, 50]);
  expect(new Set(written().map(({ CommonAttributes }) => JSON.stringify(CommonAttributes))).size).toBe(1);
  expect(written()[0]?.CommonAttributes).toMatchObject({
    Dimensions: [{ Name: "home", Value: "home" }],
    ...{ MeasureName: "event", MeasureValueType: "MULTI", TimeUnit: "MICROSECONDS" },
  });
  expect(Number.isSafeInteger(written()[0]?.CommonAttributes.Version)).toBe(true);
});

it("refuses alone what is outside the time that the table takes; the neighbours are stored", async () => {
  const { store, all } = await openWriting();
  const times = [-31 * DAY_US, -3 * DAY_US, 0, DAY_US];
  const events = times.map((step) => buildEvent({ atUs: SOME_TIME_US + step }));
  const early = buildEvent({ atUs: -5 });
  const refused = await refusedBy(store, [...events, early]);
  expect(refused.map(({ event }) => event).sort((a, b) => a.atUs - b.atUs)).toEqual([early, events[0], events[3]]);
  for (const { code, reason } of refused) {
    expect(code).toBe("event_time_out_of_range");
    expect(reason).toMatch(/time range|before 1970/);
  }
  // Three days late is for the magnetic store.
  expect(await all()).toEqual([events[1], events[2]]);
});

it("refuses alone, by halves, what makes Timestream refuse the request as a whole, or what it names no reason for", async () => {
  const { store, small, all } = await openWriting();
  const events = manyEvents(20);
  const call = small.tables.call.bind(small.tables);
  for (const failure of ["ValidationException", "RejectedRecordsException"] as const) {
    const poison = events.filter(({ entityId }) => entityId.endsWith("part_14"));
    expect(poison).toHaveLength(1);
    small.tables.call = (operation, input) => {
      if (operation === "WriteRecords" && JSON.stringify(input).includes("part_14")) return fail(failure);
      return call(operation, input);
    };
    const refused = await refusedBy(store, events);
    expect(refused.map(({ event, code }) => [event, code])).toEqual([[poison[0], "event_refused"]]);
    expect(await all()).toEqual(events.filter((event) => event !== poison[0]));
  }
});

function fail(type: string): never {
  throw new ServiceError(type, "as the test wants it", { status: type === "ValidationException" ? 400 : 419 });
}

it("says that the table is not ours when it takes no event at all", async () => {
  const { store, small } = await openWriting();
  small.tables.databases.get("hearthline")?.get("events")?.columns.set("state", "BIGINT");
  await expect(store.write(manyEvents(3))).rejects.toMatchObject({
    code: "store_incompatible",
    message: expect.stringMatching(/takes none of 3 events: the measure state is of another type/),
  });
});

it("lets the later of two writers win whatever their clocks say, and the one that knows more whenever it came", async () => {
  const { store, small, clients, clock, all } = await openWriting();
  const behind = createTimestreamEventStore({
    ...{ ...clients, database: "hearthline" },
    clock: { ...clock, nowMs: () => clock.nowMs() - 600_000 },
  });
  const at = (state: string, more: Partial<HomeEvent> = {}) =>
    [0, 1].map((step) => buildEvent({ state, atUs: SOME_TIME_US + step, ...more }));
  await store.write(at("first"));
  await behind.write(at("second"));
  expect((await all()).map(({ state }) => state)).toEqual(["second", "second"]);
  small.requests.length = 0;
  await behind.write(at("history", { source: "import" }));
  await behind.write(at("snapshot", { kind: "snapshot" }));
  expect((await all()).map(({ state }) => state)).toEqual(["second", "second"]);
  expect(small.requests.filter(({ operation }) => operation === "WriteRecords")).toHaveLength(2);
});

it("gives a write back when others always come between", async () => {
  const { store, small } = await openWriting();
  const reject = {
    RejectedRecords: [{ RecordIndex: 0, Reason: "A record already exists with the same record version." }],
  };
  for (let time = 0; time < 6; time++)
    small.failNext("WriteRecords", { type: "RejectedRecordsException", status: 419, body: reject });
  await expect(store.write([buildEvent()])).rejects.toMatchObject({ code: "store_unavailable", fate: "retry" });
});

it("writes a large event in parts before the row that names them, and never tears it", async () => {
  const { store, small, all, written, slept } = await openWriting();
  const big = (filling: string) => buildEvent({ attributes: { text: filling.repeat(6_000) } });
  await store.write([big("a")]);
  expect(written().map(({ CommonAttributes }) => CommonAttributes.MeasureName)).toEqual(["part", "event"]);
  // The parts of "b" are not taken, or not all: its row is not written, and "a" is whole.
  for (const [after, isDone] of [
    [0, false],
    [0, true],
    [1, false],
  ] as const) {
    const mend = small.breakWrites(after, isDone);
    await expect(store.write([big("b")])).rejects.toMatchObject({ fate: "retry" });
    mend();
  }
  expect(await all()).toEqual([big("a")]);
  await store.write([big("b")]);
  expect(await all()).toEqual([big("b")]);
  await store.write([buildEvent()]);
  expect(await all()).toEqual([buildEvent()]);
  await store.write([big("c")]);
  small.tables.unseen.add("part");
  slept.length = 0;
  await expect(all()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(/only a part/),
  });
  expect(slept.filter((ms) => ms !== 100)).toEqual([200, 1_000, 3_000]);
  small.tables.unseen.clear();
  expect(await all()).toEqual([big("c")]);
});

it("takes an answer that names records by wrong numbers for one that names none", async () => {
  const { store, small, all } = await openWriting();
  const events = manyEvents(20);
  const call = small.tables.call.bind(small.tables);
  for (const RecordIndex of [undefined, -1, 400]) {
    small.tables.call = (operation, input) => {
      const poisoned = operation === "WriteRecords" && JSON.stringify(input).includes("part_14");
      if (!poisoned) return call(operation, input);
      const body = { RejectedRecords: [{ RecordIndex, Reason: "the timestamp is outside the time range" }] };
      throw new ServiceError("RejectedRecordsException", "as the test wants it", { status: 419, body });
    };
    const refused = await refusedBy(store, events);
    expect(refused.map(({ event, code }) => [event.entityId.slice(-7), code])).toEqual([
      ["part_14", "event_time_out_of_range"],
    ]);
    expect(await all()).toHaveLength(19);
  }
});

it("keeps events that need parts and others apart, whichever are refused and whichever is written again", async () => {
  const { store, all, written } = await openWriting();
  const long = { attributes: { text: "é'\"".repeat(3_000) } };
  const events = Array.from({ length: 250 }, (_, step) =>
    buildEvent({
      atUs: SOME_TIME_US + step - (step % 10 === 0 ? 40 * DAY_US : 0),
      entityId: `sensor.e${step % 7}`,
      ...(step % 3 === 0 && long),
    }),
  );
  const [bad, good] = [0, 1].map((wanted) => events.filter((_, step) => Number(step % 10 !== 0) === wanted));
  const refused = await refusedBy(store, events);
  expect(refused.map(({ event }) => event.atUs).sort()).toEqual(bad?.map(({ atUs }) => atUs).sort());
  expect(await all()).toEqual(good);
  expect(written().every(({ Records }) => Records.length <= 100)).toBe(true);
  // Again, the long ones short and the short ones long; and back.
  const other = (good ?? []).map((event) =>
    buildEvent({ ...event, ...("text" in event.attributes ? { attributes: {} } : long) }),
  );
  for (const version of [other, good ?? [], other]) {
    expect(await refusedBy(store, version)).toEqual([]);
    expect(await all()).toEqual(version);
  }
}, 30_000);

it("keeps the later write of equals though the clocks of two writers are hours apart, and the higher rank whoever is later", async () => {
  const { clients, clock, small } = await openSmall();
  const open = (hours: number) =>
    createTimestreamEventStore({
      ...clients,
      database: "hearthline",
      clock: { ...clock, nowMs: () => clock.nowMs() + hours * 3_600_000 },
    });
  const [ahead, behind] = [open(5), open(-7)];
  await open(0).setUp({ rawDays: 30 });
  small.requests.length = 0;
  const events = manyEvents(150, { entities: 3 });
  const as = (state: string, source: HomeEvent["source"] = "live") =>
    events.map((event) => ({ ...event, state, source }));
  const seen = async () => [
    ...new Set((await behind.range({ homeId: "home", ...OLDEST })).events.map(({ state }) => state)),
  ];
  for (const [store, version, winner] of [
    [ahead, as("one"), "one"],
    [behind, as("two"), "two"],
    [behind, as("three"), "three"],
    [ahead, as("old", "import"), "three"],
    [ahead, as("four"), "four"],
    [behind, as("older", "backfill"), "four"],
    [behind, as("five"), "five"],
  ] as const) {
    await store.write(version);
    expect(await seen()).toEqual([winner]);
  }
});

it("pages over 5,000 entities of one microsecond, and over ids that make no statement", async () => {
  const { store } = await openReady();
  const ids = Array.from(
    { length: 5_000 },
    (_, at) => `sensor.${"x".repeat(120)}'${at % 2 ? "ﬀ" : "𝟘"}${at}`,
  ).toSorted();
  const events = [
    buildEvent({ atUs: SOME_TIME_US - 1 }),
    ...ids.toSorted((a, b) => (a < b ? -1 : 1)).map((entityId) => buildEvent({ entityId, value: -0, state: "-0" })),
    buildEvent({ atUs: SOME_TIME_US + 1 }),
  ];
  await store.write(events);
  const read = async (query: Partial<Parameters<EventStore["range"]>[0]>) => {
    const found: HomeEvent[] = [];
    for (let after: Parameters<EventStore["range"]>[0]["after"]; ; ) {
      const page = await store.range({ homeId: "home", ...OLDEST, ...query, ...(after && { after }) });
      found.push(...page.events);
      if (!page.next) return found;
      after = page.next;
    }
  };
  expect(await read({})).toEqual(events);
  expect(await read({ order: "desc" })).toEqual(events.toReversed());
  const some = ids.filter((_, at) => at % 6 === 0);
  expect(await read({ entityIds: some.map((id) => `${id}`), limit: 300 })).toHaveLength(some.length);
  const long = Array.from({ length: 1_000 }, (_, at) => `sensor.${"'".repeat(200)}${at}`);
  expect(await read({ entityIds: [...long, ...some.slice(0, 1)] })).toHaveLength(1);
  expect(await read({ entityIds: [...long.slice(1), some[0] ?? ""] })).toHaveLength(1);
}, 60_000);
