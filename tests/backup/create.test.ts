import { describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createBackup } from "../../lib/backup/index.ts";
import type { EventStore, Position } from "../../lib/store/ports.ts";
import { readAll } from "../conformance/event-store-support.ts";
import {
  backUp,
  ITEMS,
  jumpingClock,
  memoryHomeTable,
  memorySink,
  restore,
  SETTLING,
  storeOf,
  verify,
} from "../support/backups.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";

const PASSPHRASE = "correct horse battery";

describe("a backup while events flow", () => {
  it("holds what the ledger knows and the store had not yet: the ledger is read, then waited, then the events are read", async () => {
    const store = createMemoryEventStore();
    const steps: string[] = [];
    const home = memoryHomeTable({ home: ITEMS }).table;
    const table = {
      ...home,
      items: (homeId: string) => {
        steps.push("table");
        return home.items(homeId);
      },
    };
    const [first, late, later] = manyEvents(3);
    if (!first || !late || !later) throw new Error("three were wanted");
    await store.write([later]);
    let looks = 0;
    const deliveries = {
      // On its way when the ledger is read, stored after the third look; and older than what is there.
      waiting: async () => {
        looks++;
        steps.push("look");
        if (looks === 3) await store.write([first, late]);
        return looks < 3 ? 2 : 0;
      },
      setAside: async () => 1,
    };
    const { created, bytes } = await backUp(store, { table, deliveries });
    expect(steps).toEqual(["table", "look", "look", "look", "look"]);
    expect(created).toMatchObject({ settled: true, setAside: 1, events: { count: 3, firstUs: first.atUs } });
    expect(await verify(bytes)).toMatchObject({ settled: true, setAside: 1 });
  });

  it("is none when what is under way does not arrive in time", async () => {
    const { sink, state } = memorySink();
    const ports = { sink, store: createMemoryEventStore(), clock: jumpingClock(), table: memoryHomeTable().table };
    const options = { homeId: "home", settings: {}, hearthline: "0", storeKind: "memory", settling: SETTLING };
    const deliveries = { waiting: async () => 4, setAside: async () => 0 };
    await expect(createBackup({ ...ports, deliveries }, options)).rejects.toMatchObject({
      code: "backup_unsettled",
      message: expect.stringMatching(/after 60 s 4 messages/),
    });
    expect(state()).toBe("aborted");
  });

  it("says so when nothing was waited for", async () => {
    const deliveries = { waiting: async () => 4, setAside: async () => 0 };
    const settling = { ...SETTLING, maxMs: 0 };
    const { bytes, created } = await backUp([], { deliveries, options: { settling } });
    expect(created.settled).toBe(false);
    expect(await verify(bytes)).toMatchObject({ settled: false });
  });

  it("waits at least as long as the queues' counts may lag", async () => {
    let looks = 0;
    const deliveries = {
      waiting: async () => {
        looks++;
        return 0;
      },
      setAside: async () => 0,
    };
    const settling = { looks: 3, everyMs: 5_000, minMs: 60_000, maxMs: 300_000 };
    const { created } = await backUp([], { deliveries, options: { settling } });
    expect([created.settled, looks]).toEqual([true, 13]);
  });

  it("ends at what was the newest event then, whatever comes meanwhile", async () => {
    const events = manyEvents(2_500);
    const store = await storeOf(events);
    let pieces = 0;
    const flowing: EventStore = {
      ...store,
      scan: async function* (query) {
        let after: Position | undefined;
        do {
          // As many as are read: without a bound this would never end.
          pieces++;
          await store.write(manyEvents(1_000).map((event) => ({ ...event, atUs: event.atUs + pieces * 1e12 })));
          const page = await store.range({ ...query, order: "asc", limit: 1_000, ...(after && { after }) });
          if (page.events.length > 0) yield page.events;
          after = page.next;
        } while (after && pieces < 10);
      },
    };
    const { created } = await backUp({ ...flowing });
    expect(created.events.count).toBeGreaterThanOrEqual(2_500);
    expect(created.events.count).toBeLessThanOrEqual(3_500);
  });

  it("leaves nothing when it is stopped, or when the store fails", async () => {
    const stop = new AbortController();
    const { sink, state } = memorySink();
    const store = await storeOf(manyEvents(5_000));
    const ports = { sink, store, clock: jumpingClock(), table: memoryHomeTable().table };
    const options = { homeId: "home", settings: {}, hearthline: "0", storeKind: "memory", settling: SETTLING };
    const deliveries = { waiting: async () => 0, setAside: async () => 0 };
    const stopped = createBackup(
      { ...ports, deliveries },
      { ...options, signal: stop.signal, onProgress: ({ rows }) => rows >= 2_000 && stop.abort() },
    );
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect(state()).toBe("aborted");
  });
});

describe("secrets", () => {
  it("are in a file only when it is sealed, and then nothing of it can be read", async () => {
    const events = [buildEvent({ state: "a-state-of-the-house" })];
    const open = await backUp(events);
    expect(open.created).toMatchObject({ secretsLeftOut: 2, kinds: { HOME: 1, LEDGER: 1, ROWS: 1 } });
    const { table } = await restore(open.bytes);
    const restored: string[] = [];
    for await (const { key } of table.items("home")) restored.push(key);
    expect(restored).toEqual(["HOME", "LEDGER#r1", "ROWS#entities#1#1#0", "KEY#new"]);

    const sealed = await backUp(events, { passphrase: PASSPHRASE });
    expect(sealed.created).toMatchObject({ secretsLeftOut: 0, kinds: { KEY: 1, TOKEN: 1 } });
    for (const text of ["a-state-of-the-house", "hash-of-a-token", "LEDGER", "home_id"])
      expect(sealed.bytes.includes(text)).toBe(false);
    // Without the passphrase the file can be told to be whole, no more.
    expect(await verify(sealed.bytes)).toEqual({ id: sealed.created.id, bytes: sealed.bytes.length, isSealed: true });
    expect(await verify(sealed.bytes, PASSPHRASE)).toMatchObject({ isSealed: true, kinds: { KEY: 1 } });
    await expect(verify(sealed.bytes, `${PASSPHRASE}!`)).rejects.toMatchObject({
      code: "backup_unreadable",
      message: expect.not.stringContaining(PASSPHRASE),
    });
    await expect(restore(sealed.bytes)).rejects.toMatchObject({ code: "backup_unreadable" });
  });

  it("seal each file with a key of its own", async () => {
    const [one, other] = [await backUp([], { passphrase: PASSPHRASE }), await backUp([], { passphrase: PASSPHRASE })];
    expect(one.bytes.subarray(64)).not.toEqual(other.bytes.subarray(64));
  });
});

it("an event at its very bound is in the file", async () => {
  const event = buildEvent({ atUs: SOME_TIME_US });
  const { bytes } = await backUp([event]);
  const { store } = await restore(bytes);
  expect(await readAll(store, { homeId: "home", order: "asc", limit: 10 })).toEqual([event]);
});
