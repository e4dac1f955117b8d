import { describe, expect, it } from "vitest";
import { LEDGER_MAX_RANGES } from "../../lib/ingest/ports.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { sealed, stateRecord } from "../support/records.ts";
import { type Part, pipeline } from "./pipeline.ts";

const events = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) =>
    stateRecord({ entity_id: `light.l${from + at}`, atUs: SOME_TIME_US - 1e6 + from + at }),
  );

describe("what comes twice", () => {
  it("is dropped when it is recorded", async () => {
    const set = await pipeline();
    const body = sealed(events(3), { key: set.key });
    await set.run(body);
    const again = await set.run(body);
    expect(again).toMatchObject({ envelopes: 0, events: 0, duplicateEnvelopes: 1 });
    expect(set.stored()).toHaveLength(3);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[1, 3]], counts: { records: 3, duplicates: 3 } }]);
  });

  it("is done once when both are in one batch, and shares the fate of the first", async () => {
    const set = await pipeline();
    const body = sealed(events(3), { key: set.key });
    set.failWhen((part) => part === "store");
    expect([...(await set.run(body, body)).failures.keys()]).toEqual(["m0", "m1"]);
    set.failWhen(() => false);
    const result = await set.run(body, body);
    expect([...result.failures.keys()]).toEqual([]);
    expect(result).toMatchObject({ envelopes: 1, events: 3, duplicateEnvelopes: 1 });
  });

  it("at the same moment in two functions loses nothing", async () => {
    const set = await pipeline();
    const body = sealed(events(3), { key: set.key });
    await Promise.all([set.run(body), set.run(body), set.run(body)]);
    expect(set.storedKeys()).toHaveLength(3);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[1, 3]], counts: { records: 3 } }]);
  });

  it("in part is done whole", async () => {
    const set = await pipeline();
    await set.run(sealed(events(3), { key: set.key }));
    const result = await set.run(sealed(events(3, 2), { key: set.key, first: 3 }));
    expect(result).toMatchObject({ events: 3, duplicateEnvelopes: 0 });
    expect(set.storedKeys()).toHaveLength(5);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[1, 5]], counts: { records: 5 } }]);
  });

  it("from a relay with a new spool is something else", async () => {
    const set = await pipeline();
    await set.run(sealed(events(2), { key: set.key }));
    const result = await set.run(sealed(events(2, 5), { key: set.key, relayId: "new" }));
    expect(result).toMatchObject({ events: 2, duplicateEnvelopes: 0 });
  });

  it("without numbers is always done", async () => {
    const set = await pipeline();
    const body = sealed(events(1), { key: set.key, first: 0, last: 0, relayId: "api" });
    await set.run(body);
    expect(await set.run(body)).toMatchObject({ events: 1, duplicateEnvelopes: 0, sequences: [] });
    expect(await set.ledger.rows("home")).toEqual([]);
  });
});

describe("a fault", () => {
  it.each<[Part, number]>([
    ["keys", 0],
    ["arrived", 0],
    ["revisions", 0],
    ["store", 0],
    ["index", 3],
    ["record", 3],
  ])("of %s makes the message come again, records no sequence, and costs nothing", async (part, storedBefore) => {
    const set = await pipeline();
    const body = sealed(events(3), { key: set.key });
    set.failWhen((one) => one === part);
    const result = await set.run(body);
    expect([...result.failures.keys()]).toEqual(["m0"]);
    expect(set.stored()).toHaveLength(storedBefore);
    expect(await set.ledger.rows("home")).toEqual([]);
    expect(set.queues.dead.messages).toEqual([]);
    set.failWhen(() => false);
    expect((await set.run(body)).failures.size).toBe(0);
    expect(set.storedKeys()).toHaveLength(3);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[1, 3]] }]);
  });

  it("of the dead-letter queue makes only those come again that need it", async () => {
    const set = await pipeline();
    const bad = stateRecord({ entity_id: "none" });
    const bodies = [
      "no JSON",
      sealed([...events(1), bad], { key: set.key }),
      sealed(events(2, 5), { key: set.key, first: 3 }),
    ];
    set.failWhen((part) => part === "dead");
    const result = await set.run(...bodies);
    expect([...result.failures.keys()]).toEqual(["m0", "m1"]);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[3, 4]] }]);
    set.failWhen(() => false);
    expect((await set.run(...bodies)).failures.size).toBe(0);
    expect(set.queues.dead.messages).toHaveLength(2);
    expect(set.storedKeys()).toHaveLength(3);
    expect(await set.ledger.rows("home")).toMatchObject([{ ranges: [[1, 4]], counts: { rejected: 1 } }]);
  });

  it("of the store's queue sets nothing aside a second time, however often the message comes again", async () => {
    const set = await pipeline();
    const body = sealed([...events(1), stateRecord({ entity_id: "none" })], { key: set.key });
    set.failWhen((part) => part === "store");
    for (let time = 0; time < 4; time++) expect((await set.run(body)).failures.size).toBe(1);
    set.failWhen(() => false);
    await set.run(body);
    expect(set.queues.dead.messages).toHaveLength(1);
  });

  it("of one home's view does not hold up another home", async () => {
    const set = await pipeline();
    await set.run(sealed(events(1), { key: set.otherKey, homeId: "other" }));
    set.failWhen((part) => part === "revisions");
    const result = await set.run(
      sealed(events(1), { key: set.key }),
      sealed(events(1), { key: set.otherKey, homeId: "other", first: 2 }),
    );
    expect([...result.failures.keys()]).toEqual(["m0"]);
    expect(await set.ledger.rows("other")).toMatchObject([{ ranges: [[1, 2]] }]);
  });

  it("of a full ledger keeps the message until there is room", async () => {
    const set = await pipeline();
    const holes = Array.from({ length: LEDGER_MAX_RANGES }, (_, at) => ({ range: [at * 2 + 1, at * 2 + 1] as const }));
    await set.ledger.record("home", "relay", holes);
    const result = await set.run(sealed(events(1), { key: set.key, first: 9_000 }));
    expect(result.failures.get("m0")).toMatchObject({ code: "ledger_full", fate: "retry" });
    expect((await set.run(sealed(events(1), { key: set.key, first: 2 }))).failures.size).toBe(0);
    expect((await set.run(sealed(events(1), { key: set.key, first: 9_000 }))).failures.size).toBe(0);
  });
});

describe("the sequence", () => {
  it("shows its gap until it closes", async () => {
    const set = await pipeline();
    expect(await set.run(sealed(events(2), { key: set.key, first: 6 }))).toMatchObject({ ledgerGap: 5 });
    expect(await set.run(sealed(events(3), { key: set.key, first: 1 }))).toMatchObject({ ledgerGap: 2 });
    expect(await set.run(sealed(events(2), { key: set.key, first: 4 }))).toMatchObject({ ledgerGap: 0 });
  });

  it("counts what the relay reports as lost as accounted for, and keeps why", async () => {
    const set = await pipeline();
    const time = "2026-11-22T05:00:00Z";
    const loss = { t: "loss", first: 1, last: 7, count: 7, reason: "spool full", from: time, to: time };
    const body = sealed([loss, ...events(1)], { key: set.key, first: 8 });
    expect(await set.run(body)).toMatchObject({ ledgerGap: 0, events: 1 });
    await set.run(body);
    expect(await set.ledger.rows("home")).toMatchObject([
      { ranges: [[1, 9]], lost: [{ first: 1, last: 7, count: 7, reason: "spool full" }] },
    ]);
  });
});
