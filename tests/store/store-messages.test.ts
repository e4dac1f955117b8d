import { beforeEach, describe, expect, it, vi } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createMemoryQueue, type MemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { EventsRefused, packTextLines } from "../../lib/event/index.ts";
import { packBatch, unpackBatch } from "../../lib/ingest/index.ts";
import { type EventStore, storeMessages } from "../../lib/store/index.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";

const bodyOf = (lines: readonly string[], homeId = "home") =>
  JSON.stringify({ v: 1, home_id: homeId, count: lines.length, body: packTextLines(lines) });
const messageOf = (messageId: string, values: readonly unknown[], homeId = "home") => ({
  messageId,
  body: bodyOf(
    values.map((value) => JSON.stringify(value)),
    homeId,
  ),
});
const homes = { isThere: async () => true };
const away = () => new HearthlineError("service_failed", "away");

describe("storeMessages", () => {
  let store: EventStore;
  let dead: MemoryQueue;
  const stored = async (homeId = "home") => (await store.range({ homeId, order: "asc", limit: 1000 })).events;
  beforeEach(() => {
    store = createMemoryEventStore();
    dead = createMemoryQueue();
  });

  it("stores the events of all messages in one write", async () => {
    const write = vi.spyOn(store, "write");
    const events = manyEvents(30);
    const messages = [0, 10, 20].map((at) => messageOf(`m${at}`, events.slice(at, at + 10)));
    expect(await storeMessages(messages, { store, dead, homes })).toEqual({
      failed: [],
      stored: 30,
      setAside: 0,
      dropped: 0,
    });
    expect(write).toHaveBeenCalledTimes(1);
    expect(await stored()).toEqual(events);
    await storeMessages(messages, { store, dead, homes });
    expect(await stored()).toEqual(events);
    expect(dead.messages).toEqual([]);
  });

  it("sets a malformed event aside alone, with its reason, as a message of the queue's own form", async () => {
    const good = manyEvents(3);
    const bad = { ...fullEvent, state: null };
    const message = { messageId: "m", body: bodyOf([...good, bad].map((event) => JSON.stringify(event))) };
    expect(await storeMessages([message], { store, dead, homes })).toEqual({
      failed: [],
      stored: 3,
      setAside: 1,
      dropped: 0,
    });
    expect(await stored()).toEqual(good);
    const [letter] = dead.messages;
    expect(letter?.attributes).toMatchObject({ reason_code: "event_malformed", home_id: "home" });
    expect(letter?.attributes?.reason_detail).toMatch(/state/);
    const { homeId, lines } = unpackBatch(letter?.body ?? "");
    expect([homeId, ...lines.map((line) => JSON.parse(line))]).toEqual(["home", bad]);
    const again = await storeMessages([{ messageId: "again", body: letter?.body ?? "" }], { store, dead, homes });
    expect(again).toEqual({ failed: [], stored: 0, setAside: 1, dropped: 0 });
    expect(dead.messages[1]).toEqual(letter);
  });

  it("sets aside a line that is no JSON, and another home's event", async () => {
    const lines = ["{oops", JSON.stringify(buildEvent({ homeId: "other" })), JSON.stringify(fullEvent)];
    expect(await storeMessages([{ messageId: "m", body: bodyOf(lines) }], { store, dead, homes })).toMatchObject({
      stored: 1,
      setAside: 2,
    });
    expect(await stored("other")).toEqual([]);
    const kept = dead.messages.map(({ body }) => JSON.parse(unpackBatch(body).lines[0] ?? ""));
    expect(kept).toEqual(["{oops", buildEvent({ homeId: "other" })]);
  });

  it("sets aside a message that cannot be unpacked, as it came; the others are stored", async () => {
    const broken = [
      "x",
      "[]",
      '{"v":2}',
      bodyOf(["{}"]).replace('"count":1', '"count":2'),
      packBatch({ homeId: "home" }, [1])[0]?.slice(0, -20),
    ];
    const messages = broken.map((body, index) => ({ messageId: `b${index}`, body: body ?? "" }));
    const outcome = await storeMessages([...messages, messageOf("good", [fullEvent])], { store, dead, homes });
    expect(outcome).toEqual({ failed: [], stored: 1, setAside: 5, dropped: 0 });
    expect(dead.messages.map(({ body }) => body)).toEqual(broken);
    for (const { attributes } of dead.messages) expect(attributes?.reason_code).toMatch(/^envelope_/);
  });

  it("has a message come again when what is to be set aside cannot be", async () => {
    dead.send = () => Promise.reject(away());
    const told: string[] = [];
    const outcome = await storeMessages([messageOf("bad", [fullEvent, {}]), messageOf("good", [buildEvent()])], {
      store,
      dead,
      homes,
      onFailure: ({ messageId }) => told.push(messageId),
    });
    expect(outcome).toEqual({ failed: ["bad"], stored: 2, setAside: 0, dropped: 0 });
    expect(told).toEqual(["bad"]);
    expect(await stored()).toEqual([buildEvent(), fullEvent]);
  });

  it("drops what is late for a home that was removed, and has it come again while nobody can say so", async () => {
    const of = (homeId: string, keyId: string) => {
      const [body = ""] = packBatch({ homeId, keyId }, [buildEvent({ homeId }), { not: "an event" }]);
      return { messageId: `${homeId} ${keyId}`, body };
    };
    const messages = [of("home", "k1"), of("home", "old"), of("gone", "k1"), of("home", "k1")];
    const asked: string[] = [];
    const isThere = async (homeId: string, keyId?: string) => {
      asked.push(`${homeId} ${keyId}`);
      return homeId === "home" && keyId === "k1";
    };
    const outcome = await storeMessages(messages, { store, dead, homes: { isThere } });
    expect(outcome).toEqual({ failed: [], stored: 2, setAside: 2, dropped: 2 });
    expect(asked).toEqual(["home k1", "home old", "gone k1"]);
    // What is put back from the dead letters is asked for again.
    expect(dead.messages.map(({ body }) => unpackBatch(body).keyId)).toEqual(["k1", "k1"]);
    expect(await stored("gone")).toEqual([]);
    const table = { isThere: () => Promise.reject(away()) };
    expect(await storeMessages(messages, { store, dead, homes: table })).toEqual({
      ...{ failed: [...new Set(messages.map(({ messageId }) => messageId))], stored: 0, setAside: 0, dropped: 0 },
    });
  });

  it("has all messages come again when the store is away, and asks it once only", async () => {
    const write = vi.spyOn(store, "write").mockRejectedValue(away());
    const messages = [messageOf("a", [fullEvent]), messageOf("b", [buildEvent(), {}]), messageOf("c", [{}])];
    expect(await storeMessages(messages, { store, dead, homes })).toEqual({
      failed: ["a", "b"],
      stored: 0,
      setAside: 1,
      dropped: 0,
    });
    expect(write).toHaveBeenCalledTimes(1);
    // What "b" has to set aside waits until the rest of it is stored.
    expect(dead.messages).toHaveLength(1);
  });

  it("finds the one message that the store cannot take", async () => {
    const write = store.write;
    store.write = async (events) => {
      if (events.some((event) => event.state === "poison")) throw new TypeError("cannot");
      await write(events);
    };
    const at = (step: number, state: string) => buildEvent({ state, atUs: SOME_TIME_US + step });
    const messages = [
      ["a", "fine"],
      ["b", "poison"],
      ["c", "fine"],
    ].map(([id = "", state = ""], step) => messageOf(id, [at(step, state)]));
    expect(await storeMessages(messages, { store, dead, homes })).toEqual({
      failed: ["b"],
      stored: 2,
      setAside: 0,
      dropped: 0,
    });
  });

  it("sets an event aside that the store can never keep, alone, with the store's reason; sent back, it is tried again", async () => {
    const write = store.write;
    let isOpen = false;
    store.write = async (events) => {
      const late = events.filter((event) => !isOpen && event.state === "late");
      await write(events.filter((event) => !late.includes(event)));
      if (late.length === 0) return;
      throw new EventsRefused(
        late.map((event) => ({ event, code: "event_time_out_of_range", reason: "it is older than the store keeps" })),
      );
    };
    const at = (step: number, state: string) => buildEvent({ state, atUs: SOME_TIME_US + step });
    const messages = [messageOf("a", [at(0, "fine"), at(1, "late")]), messageOf("b", [at(2, "fine"), {}])];
    expect(await storeMessages(messages, { store, dead, homes })).toEqual({
      failed: [],
      stored: 2,
      setAside: 2,
      dropped: 0,
    });
    expect((await stored()).map(({ state }) => state)).toEqual(["fine", "fine"]);
    const [letter] = dead.messages;
    expect(letter?.attributes).toMatchObject({ reason_code: "event_time_out_of_range", home_id: "home" });
    expect(letter?.attributes?.reason_detail).toMatch(/older than the store keeps/);
    isOpen = true;
    await storeMessages([{ messageId: "again", body: letter?.body ?? "" }], { store, dead, homes });
    expect((await stored()).map(({ state }) => state)).toEqual(["fine", "late", "fine"]);
  });

  it("has only the message come again whose refused event cannot be set aside", async () => {
    store.write = async (events) => {
      const refused = events.filter((event) => event.state === "late");
      throw new EventsRefused(refused.map((event) => ({ event, code: "event_refused", reason: "no" })));
    };
    dead.send = () => Promise.reject(away());
    const messages = [messageOf("a", [buildEvent({ state: "late" })]), messageOf("b", [fullEvent])];
    expect(await storeMessages(messages, { store, dead, homes })).toEqual({
      failed: ["a"],
      stored: 1,
      setAside: 0,
      dropped: 0,
    });
  });

  it("does nothing with nothing", async () => {
    expect(await storeMessages([], { store, dead, homes })).toEqual({ failed: [], stored: 0, setAside: 0, dropped: 0 });
    expect(await storeMessages([messageOf("m", [])], { store, dead, homes })).toEqual({
      failed: [],
      stored: 0,
      setAside: 0,
      dropped: 0,
    });
  });
});
