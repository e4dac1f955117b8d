import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HomeKey, keyIdOf } from "../../lib/event/index.ts";
import { createEnvelopePacker } from "../../lib/relay/index.ts";
import { AT_US, type Journey, manyRecords, told, wanted } from "../journey/records.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { type WallClock, wallClock } from "../support/pipeline-functions.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";

const HOUR_MS = 3_600_000;
const START_MS = AT_US / 1000 + HOUR_MS;

let clock: WallClock;
let pipeline: Pipeline;
let home: Journey;
beforeEach(async () => {
  clock = wallClock(START_MS);
  pipeline = await startPipeline({ clock });
  home = await pipeline.addHome();
});
afterEach(() => pipeline.stop());

async function rotate(): Promise<HomeKey> {
  const { key } = await pipeline.operator.keys.rotate("home");
  const secret = Buffer.from(key, "base64");
  return { id: keyIdOf(secret), secret };
}
const retire = (key: HomeKey, force = false) => pipeline.operator.keys.retire("home", key.id, { force });
/** Functions that are started anew know no key from before. */
const forget = () => pipeline.replace("enrich");
const codes = async () => (await pipeline.dead("events")).map(({ code }) => code).sort();
const ledgerOf = async () =>
  (await pipeline.ask(home.token, "/health")).json.parts.find(({ kind }: { kind: string }) => kind === "ledger").ledger;
const stored = async () => (await pipeline.events(home.token)).map(told);

describe("a home's key that is changed while events flow", () => {
  it("loses none: what waits in the spool is signed by the new key, what is under way was signed by the old one", async () => {
    const records = manyRecords(300);
    const spooled = records.map((record, at) => {
      const line = JSON.stringify({ ...record, n: at + 1 });
      return { n: at + 1, line, appendedAtMs: START_MS };
    });
    const packer = (key: HomeKey) => createEnvelopePacker({ homeId: "home", relayId: "relay", key, clock });
    /** As the relay does: the front of the spool, by the key that it has now. */
    const send = async (key: HomeKey, from: number, to: number) => {
      const packed = packer(key).pack(spooled.slice(from, to));
      if (!packed.fits) throw new Error("too large");
      expect(packed.count).toBe(to - from);
      await pipeline.send("events", packed.message.pieces[0]?.text ?? "");
    };
    await send(home.key, 0, 60);
    await pipeline.drain();
    await send(home.key, 60, 120);
    const next = await rotate();
    await send(home.key, 120, 180);
    // The relay is restarted with the new key, before what it sent is read.
    await send(next, 180, 240);
    await pipeline.drain("again");
    await send(next, 240, 300);
    await pipeline.drain();
    expect(await stored()).toEqual(records.map(wanted));
    expect(await ledgerOf()).toMatchObject({ complete_up_to: 300, missing: 0, records: 300, rejected: 0 });
    expect(await pipeline.operator.keys.list("home")).toMatchObject([
      { id: home.key.id, isCurrent: false, relays: [{ relayId: "relay" }] },
      { id: next.id, isCurrent: true, relays: [{ relayId: "relay" }] },
    ]);
  });

  it("signs with the new key what comes through the API, and takes what was set aside under the old one", async () => {
    const bad = stateRecord({ entity_id: "Bad", atUs: AT_US });
    await pipeline.send("events", sealed([bad, ...manyRecords(5)], { key: home.key }));
    await pipeline.drain();
    const next = await rotate();
    const event = { event_type: "state_changed", entity_id: "light.a", state: "on", timestamp: "2026-11-22T06:00:00Z" };
    const posted = await pipeline.ask(home.token, "/api/v1/events", { method: "POST", body: JSON.stringify(event) });
    expect(posted.status).toBe(202);
    const [held] = await pipeline.receive("events");
    expect(JSON.parse(held?.Body ?? "{}")).toMatchObject({ key_id: next.id });
    await pipeline.settle("events", held ? [held] : [], new Set(held ? [held.MessageId] : []));
    await pipeline.operator.queues.redrive("events");
    await pipeline.drain();
    expect(await codes()).toEqual(["event_entity_id_invalid"]);
    expect(await stored()).toHaveLength(6);
  });
});

describe("retiring a key", () => {
  it("is refused while the relay has not moved, for a day after, and while dead letters wait that it signed", async () => {
    await expect(retire(home.key)).rejects.toMatchObject({ code: "request_invalid" });
    const bad = stateRecord({ entity_id: "Bad", atUs: AT_US });
    await pipeline.send("events", sealed([bad, ...manyRecords(4)], { key: home.key }));
    await pipeline.drain();
    const next = await rotate();
    await expect(retire(home.key)).rejects.toThrow(/less than a day ago; the relay "relay".*1 dead letters/s);
    clock.set(START_MS + 25 * HOUR_MS);
    await expect(retire(home.key)).rejects.toThrow(/not retired: the relay "relay"/);
    await pipeline.send("events", sealed(manyRecords(4, AT_US + 10 * 1_000_000), { key: next, first: 6 }));
    await pipeline.drain();
    await expect(retire(home.key)).rejects.toThrow(/not retired: 1 dead letters/);
    await pipeline.operator.queues.purge("events-dead");
    await retire(home.key);
    await retire(home.key);
    expect(await pipeline.operator.keys.list("home")).toMatchObject([
      { id: home.key.id, retiredAt: new Date(START_MS + 25 * HOUR_MS).toISOString(), isCurrent: false },
      { id: next.id, isCurrent: true },
    ]);
    await expect(retire(next)).rejects.toMatchObject({ code: "request_invalid" });
  });

  it("with force keeps out what it signs, which waits as a dead letter until the key is taken back", async () => {
    const next = await rotate();
    const records = manyRecords(10);
    await pipeline.send("events", sealed(records.slice(0, 5), { key: home.key }));
    await pipeline.drain();
    await retire(home.key, true);
    forget();
    await pipeline.send("events", sealed(records.slice(5), { key: home.key, first: 6 }));
    await pipeline.drain();
    expect(await codes()).toEqual(["envelope_home_unknown"]);
    expect(await stored()).toHaveLength(5);
    expect(await pipeline.operator.keys.list("home")).toMatchObject([
      { id: home.key.id },
      { id: next.id, isCurrent: true },
    ]);

    await pipeline.operator.keys.restore("home", home.key.id);
    forget();
    expect(await pipeline.operator.queues.redrive("events")).toEqual({ moved: 1, remaining: 0 });
    await pipeline.drain();
    expect(await stored()).toEqual(records.map(wanted));
    expect(await ledgerOf()).toMatchObject({ complete_up_to: 10, missing: 0 });
    expect(await codes()).toEqual([]);
  });

  it("of a key that nobody has, or that is another home's, is an error; so is one of a home that is not there", async () => {
    const other = await pipeline.addHome("other");
    for (const key of [randomKey(), other.key]) {
      await expect(retire(key, true)).rejects.toMatchObject({ code: "not_found" });
      await expect(pipeline.operator.keys.restore("home", key.id)).rejects.toMatchObject({ code: "not_found" });
    }
    await expect(pipeline.operator.keys.rotate("nobody")).rejects.toMatchObject({ code: "not_found" });
    expect(await pipeline.operator.keys.list("nobody")).toEqual([]);
    await pipeline.send("events", sealed(manyRecords(1), { key: other.key, homeId: "other" }));
    await pipeline.drain();
    expect(await pipeline.events(other.token)).toHaveLength(1);
  });

  it("is not needed for relays that have been gone for a month, and imports hold none back", async () => {
    await pipeline.send("events", sealed(manyRecords(2), { key: home.key, relayId: "gone" }));
    await pipeline.drain();
    await rotate();
    clock.set(START_MS + 29 * 24 * HOUR_MS);
    await expect(retire(home.key)).rejects.toThrow(/"gone"/);
    clock.set(START_MS + 31 * 24 * HOUR_MS);
    await pipeline.send("events", sealed(manyRecords(2), { key: home.key, relayId: "import-1" }));
    await pipeline.drain();
    await expect(retire(home.key)).rejects.toThrow(/less than a day ago\. /);
    clock.set(START_MS + 33 * 24 * HOUR_MS);
    await retire(home.key);
  });
});

describe("changing a key", () => {
  it("makes the newest the current one, also where the clock was ahead before, and keeps a bounded number good", async () => {
    clock.set(START_MS + HOUR_MS);
    const second = await rotate();
    clock.set(START_MS);
    const third = await rotate();
    const fourth = await rotate();
    const keys = await pipeline.operator.keys.list("home");
    expect(keys.map(({ id }) => id)).toEqual([home.key.id, second.id, third.id, fourth.id]);
    expect(keys.map(({ isCurrent }) => isCurrent)).toEqual([false, false, false, true]);
    await expect(rotate()).rejects.toMatchObject({ code: "conflict" });
    await retire(fourth);
    expect((await pipeline.operator.keys.list("home")).findLast(({ isCurrent }) => isCurrent)?.id).toBe(third.id);
    await rotate();
  });

  it("takes no key twice and none of another length", async () => {
    const { operator } = pipeline;
    await expect(operator.keys.rotate("home", home.key.secret)).rejects.toMatchObject({ code: "request_invalid" });
    await expect(operator.keys.rotate("home", Buffer.alloc(16))).rejects.toMatchObject({ code: "request_invalid" });
    expect(JSON.stringify(await operator.keys.list("home"))).not.toContain(home.key.secret.toString("base64"));
  });
});
