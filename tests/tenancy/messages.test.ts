import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDynamodbJobStore } from "../../lib/adapters/dynamodb/jobs.ts";
import { homePartition } from "../../lib/adapters/dynamodb/keys.ts";
import { jobMessage } from "../../lib/analysis/message.ts";
import { type HomeKey, sealEnvelope } from "../../lib/event/index.ts";
import { packBatch } from "../../lib/ingest/index.ts";
import { QUEUES } from "../../lib/wiring/config.ts";
import { AT_US, manyRecords, told, wanted } from "../journey/records.ts";
import { buildEvent } from "../support/events.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import type { WorkQueue } from "../support/pipeline-pump.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";
import { nastyTexts } from "./nasty.ts";

type Tenant = Awaited<ReturnType<Pipeline["addHome"]>>;
let pipeline: Pipeline;
let home: Tenant;
let other: Tenant;
const records = manyRecords(10);

beforeEach(async () => {
  pipeline = await startPipeline();
  home = await pipeline.addHome("home");
  other = await pipeline.addHome("home2");
  await pipeline.send("events", sealed(records, { key: home.key }));
  await pipeline.drain();
});
afterEach(() => pipeline.stop());

const codesOf = async (name: WorkQueue) => (await pipeline.dead(name)).map(({ code }) => code);
const expectHomeUntouched = async () => {
  expect((await pipeline.events(home.token)).map(told)).toEqual(records.map(wanted));
};
async function partition(homeId: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const item of pipeline.cloud.table.query({ pk: homePartition(homeId) })) keys.push(JSON.stringify(item));
  return keys;
}

/** Each with one member changed after it was signed. */
const forged = (key: HomeKey, changes: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ ...JSON.parse(sealed([stateRecord()], { key, homeId: "home2" })), ...changes });

describe("the events queue", () => {
  it.each([
    [
      "another home's id, under our own key",
      () => sealed([stateRecord()], { key: other.key, homeId: "home" }),
      "envelope_home_unknown",
    ],
    [
      "another home's id and key id, under our own secret",
      () => sealed([stateRecord()], { key: { id: home.key.id, secret: other.key.secret }, homeId: "home" }),
      "envelope_signature_wrong",
    ],
    [
      "our own envelope, renamed to another home",
      () => forged(other.key, { home_id: "home" }),
      "envelope_home_unknown",
    ],
    [
      "our own envelope, renamed to another home and its key",
      () => forged(other.key, { home_id: "home", key_id: home.key.id }),
      "envelope_signature_wrong",
    ],
    [
      "another home's envelope, replayed under our name",
      () => JSON.stringify({ ...JSON.parse(sealed([stateRecord()], { key: home.key })), home_id: "home2" }),
      "envelope_home_unknown",
    ],
    [
      "another home's envelope, replayed under our name and key",
      () =>
        JSON.stringify({
          ...JSON.parse(sealed([stateRecord()], { key: home.key })),
          home_id: "home2",
          key_id: other.key.id,
        }),
      "envelope_signature_wrong",
    ],
    ["a key of nobody", () => sealed([stateRecord()], { key: randomKey(), homeId: "home" }), "envelope_home_unknown"],
    [
      "a signature of nothing",
      () => forged(other.key, { home_id: "home", key_id: home.key.id, mac: "0".repeat(64) }),
      "envelope_signature_wrong",
    ],
    [
      "a signature that is no hexadecimal",
      () => forged(other.key, { mac: "z".repeat(64) }),
      "envelope_signature_wrong",
    ],
    ["another relay's name on our own", () => forged(other.key, { relay_id: "import-x" }), "envelope_signature_wrong"],
    ["other numbers on our own", () => forged(other.key, { first: 100, last: 100 }), "envelope_signature_wrong"],
  ])("sets aside %s", async (_what, make, code) => {
    const [before, beforeOther] = [await partition("home"), await partition("home2")];
    await pipeline.send("events", make());
    await pipeline.drain();
    expect(await codesOf("events")).toEqual([code]);
    await expectHomeUntouched();
    expect(await pipeline.events(other.token)).toEqual([]);
    expect([await partition("home"), await partition("home2")]).toEqual([before, beforeOther]);
  });

  it("takes the home of the records from the envelope alone, whatever they say", async () => {
    const naming = { home_id: "home", homeId: "home", pk: "H#home" };
    const record = { ...stateRecord({ attributes: naming, atUs: AT_US }), ...naming };
    const registry = { t: "registry", registry: "areas", revision: AT_US / 1000, part: 1, parts: 1 };
    const rows = [{ area_id: "b", name: "b", labels: [], ...naming }];
    const before = await partition("home");
    await pipeline.send(
      "events",
      sealed([record, { ...registry, rows, ...naming }], { key: other.key, homeId: "home2" }),
    );
    await pipeline.drain();
    expect((await pipeline.events(other.token)).map(({ home_id }) => home_id)).toEqual(["home2"]);
    expect((await pipeline.ask(other.token, "/api/v1/areas")).json.areas).toHaveLength(1);
    await expectHomeUntouched();
    expect(await partition("home")).toEqual(before);
  });

  it("keeps two homes apart that a batch brings together, with the same relay, numbers and entities", async () => {
    const ours = manyRecords(20, AT_US + 1);
    await pipeline.send(
      "events",
      sealed(ours.slice(0, 10), { key: other.key, homeId: "home2" }),
      sealed(records, { key: home.key }),
      sealed(ours.slice(10), { key: other.key, homeId: "home2", first: 11 }),
    );
    await pipeline.drain();
    await expectHomeUntouched();
    expect((await pipeline.events(other.token)).map(told)).toEqual(ours.map(wanted));
    const ledger = async (token: string) => (await pipeline.ask(token, "/api/v1/ledger")).json.ledgers;
    expect(await ledger(other.token)).toMatchObject([{ relay_id: "relay", complete_up_to: 20 }]);
    expect(await ledger(home.token)).toMatchObject([{ relay_id: "relay", complete_up_to: 10 }]);
  });

  it("finds no home under a text that only looks like one", async () => {
    const texts = nastyTexts("home").filter((text) => text.length <= 64 && text !== "home2");
    const bodies = texts.map((homeId) =>
      sealEnvelope([stateRecord()], { homeId, relayId: "r", key: home.key, first: 1, last: 1, sentAt: "" }),
    );
    const before = await partition("home");
    await pipeline.send("events", ...bodies);
    await pipeline.drain();
    const letters = await pipeline.dead("events");
    expect(letters.map(({ code }) => code)).toEqual(bodies.map(() => "envelope_home_unknown"));
    expect(await partition("home")).toEqual(before);
    // What cannot be opened still goes back only as what it was.
    expect(letters.map(({ body }) => body).sort()).toEqual([...bodies].sort());
  });

  it("makes a dead letter that only its own home's key opens, sent back or not", async () => {
    await pipeline.send("events", sealed([stateRecord({ entity_id: "Bad" })], { key: other.key, homeId: "home2" }));
    await pipeline.drain();
    const [letter] = await pipeline.dead("events");
    expect(JSON.parse(letter?.body ?? "{}")).toMatchObject({ home_id: "home2", key_id: other.key.id });
    await pipeline.send(
      "events",
      JSON.stringify({ ...JSON.parse(letter?.body ?? "{}"), home_id: "home", key_id: home.key.id }),
    );
    await pipeline.drain();
    expect((await codesOf("events")).sort()).toEqual(["envelope_signature_wrong", "event_entity_id_invalid"]);
    await expectHomeUntouched();
  });
});

describe("the queues behind it, which only our own functions may write", () => {
  it("store: an event of another home in a message sets itself aside, its neighbours are stored", async () => {
    const event = (homeId: string, entityId: string) => buildEvent({ homeId, entityId, atUs: AT_US + 77 });
    const mixed = packBatch({ homeId: "home2" }, [
      event("home2", "light.ours"),
      event("home", "light.theirs"),
      event("home2 ", "light.x"),
    ]);
    await pipeline.send("store", ...mixed);
    await pipeline.drain();
    expect(await codesOf("store")).toEqual(["event_malformed", "event_malformed"]);
    expect((await pipeline.dead("store")).map(({ attributes }) => attributes.home_id)).toEqual(["home2", "home2"]);
    await expectHomeUntouched();
    expect((await pipeline.events(other.token)).map(({ entity_id }) => entity_id)).toEqual(["light.ours"]);
  });

  it("index: what an entry says of a home counts for nothing", async () => {
    const before = await partition("home");
    const naming = { home_id: "home", homeId: "home" };
    const seen = { t: "seen", entityId: "light.ours", atUs: AT_US, state: "on", ...naming };
    const weather = { t: "weather", condition: "sunny", atUs: AT_US, ...naming };
    await pipeline.send("index", ...packBatch({ homeId: "home2" }, [seen, weather]));
    await pipeline.drain();
    expect(await partition("home")).toEqual(before);
    const { entities } = (await pipeline.ask(other.token, "/api/v1/entities")).json;
    expect(entities).toMatchObject([{ entity_id: "light.ours" }]);
  });

  it.each(["store", "index"] as const)(
    "%s: a body whose home is replaced by a text like it reaches no home that is there",
    async (name) => {
      const before = [await partition("home"), await partition("home2")];
      const texts = nastyTexts("home").filter((text) => text.length <= 64 && text !== "home2" && text.isWellFormed());
      for (const homeId of texts) {
        const value =
          name === "store"
            ? buildEvent({ homeId, atUs: AT_US })
            : { t: "seen", entityId: "light.x", atUs: AT_US, state: "on" };
        await pipeline.send(name, ...packBatch({ homeId }, [value]));
      }
      await pipeline.drain();
      await expectHomeUntouched();
      expect(await pipeline.events(other.token)).toEqual([]);
      expect([await partition("home"), await partition("home2")]).toEqual(before);
    },
    30_000,
  );

  it("analysis: a job is run only under the home that has it", async () => {
    const job = { id: "job-a", homeId: "home", kind: "daily" as const, date: "2026-11-21", attempt: 0, phases: [] };
    const jobs = createDynamodbJobStore(pipeline.cloud.table);
    await jobs.create({ ...job, status: "queued", queuedAt: "2026-11-22T02:00:00Z" });
    const before = [await partition("home"), await partition("home2")];
    for (const homeId of ["home2", "home#JOBID", "home%", "nobody"])
      for (const id of [job.id, "daily-2026-11-21", "../home/job-a", "x' OR '1'='1"])
        await pipeline.send("analysis", jobMessage({ homeId, id }).body);
    await pipeline.drain();
    expect([await partition("home"), await partition("home2")]).toEqual(before);
    // Under its own home it is there to be run.
    await pipeline.send("analysis", jobMessage(job).body);
    await pipeline.drain();
    expect((await jobs.get("home", job.id))?.status).not.toBe("queued");
  });

  it("each is in this test", () => {
    expect(QUEUES).toEqual(["events", "store", "index", "analysis"]);
  });
});

describe("the outbox, through which the cloud speaks in a house", () => {
  it("gives a relay its own home's messages, and lets it settle only these", async () => {
    const add = async ({ token }: Tenant, payload: string) => {
      const body = JSON.stringify({ kind: "mqtt", topic: "hearthline/x", payload });
      return (await pipeline.ask(token, "/api/v1/outbox", { method: "POST", body })).json.id as string;
    };
    const [theirs, ours] = [await add(home, "theirs"), await add(other, "ours")];
    const list = async ({ token }: Tenant) =>
      (await pipeline.ask(token, "/api/v1/outbox")).json.items as { id: string; status: string }[];
    expect((await list(other)).map(({ id }) => id)).toEqual([ours]);
    const settle = (id: string) =>
      pipeline.ask(other.token, `/api/v1/outbox/${encodeURIComponent(id)}/acknowledge`, {
        method: "POST",
        body: JSON.stringify({ status: "delivered", attempts: 1 }),
      });
    for (const id of [theirs, ...nastyTexts(theirs, ours)]) expect([404, 400]).toContain((await settle(id)).status);
    expect(await list(home)).toMatchObject([{ id: theirs, status: "pending" }]);
    expect((await settle(ours)).status).toBe(200);
  });
});
