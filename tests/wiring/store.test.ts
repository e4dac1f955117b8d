import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packBatch } from "../../lib/ingest/index.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import { createStore } from "../../lib/wiring/store.ts";
import { fullEvent, manyEvents } from "../support/events.ts";
import { lambdaContext, sqsEvent, startOutside } from "../support/outside.ts";

describe("the store function", () => {
  let outside: Awaited<ReturnType<typeof startOutside>>;
  beforeAll(async () => {
    outside = await startOutside();
    await createOperator(readConfig(outside.env), { env: outside.env }).homes.add({ homeId: "home" });
  });
  afterAll(() => outside.stop());

  it("stores good events and sets a bad one and a broken message aside", async () => {
    const events = manyEvents(20);
    const [good = ""] = packBatch({ homeId: "home" }, events);
    const [mixed = ""] = packBatch({ homeId: "home" }, [fullEvent, { ...fullEvent, kind: "guess" }]);
    const answer = await createStore(outside.env)(sqsEvent(good, mixed, "broken"), lambdaContext);
    expect(answer).toEqual({ batchItemFailures: [] });
    const { events: stored } = await outside.store.range({ homeId: "home", order: "asc", limit: 100 });
    expect(stored).toHaveLength(21);
    expect(stored).toContainEqual(fullEvent);
    const dead = await outside.received("store-dead");
    const reasons = dead.map(({ MessageAttributes }) => MessageAttributes?.reason_code?.StringValue);
    expect(reasons.sort()).toEqual(["envelope_malformed", "event_malformed"]);
    expect(await outside.received("store-dead")).toEqual([]);
  });

  it("has the messages come again when the store cannot be opened", async () => {
    const handler = createStore({ ...outside.env, HEARTHLINE_SQLITE_PATH: "/dev/null/store.db" });
    const [body = ""] = packBatch({ homeId: "home" }, [fullEvent]);
    const answer = await handler(sqsEvent(body, "broken"), lambdaContext);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "m0" }] });
    expect((await outside.received("store-dead")).map(({ Body }) => Body)).toEqual(["broken"]);
  });

  it("names a wrong setting at the first batch", async () => {
    const handler = createStore({ ...outside.env, HEARTHLINE_STORE: "paper" });
    await expect(handler(sqsEvent("x"), lambdaContext)).rejects.toThrow(/HEARTHLINE_STORE is "paper"/);
  });

  it("keeps events in memory, shared by the functions of one process, when told so", async () => {
    const env = { ...outside.env, HEARTHLINE_STORE: "memory" };
    const { createEventStore } = await import("../../lib/wiring/event-store.ts");
    const [body = ""] = packBatch({ homeId: "home" }, [fullEvent]);
    await createStore(env)(sqsEvent(body), lambdaContext);
    const store = createEventStore(readConfig({ HEARTHLINE_STORE: "memory" }));
    expect((await store.range({ homeId: "home", order: "asc", limit: 10 })).events).toEqual([fullEvent]);
  });
});
