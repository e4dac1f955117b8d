import { createHmac } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packBatch } from "../../lib/ingest/index.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { WORK_QUEUES, type WorkQueue } from "../support/pipeline-pump.ts";
import { randomKey, sealed, stateRecord } from "../support/records.ts";
import { type Journey, manyRecords, told, wanted } from "./records.ts";

let pipeline: Pipeline;
let home: Journey;
beforeEach(async () => {
  pipeline = await startPipeline();
  home = await pipeline.addHome();
});
afterEach(() => pipeline.stop());

const records = manyRecords(40);
const expectRecords = async () => expect((await pipeline.events(home.token)).map(told)).toEqual(records.map(wanted));
const deadCodes = async () => {
  const codes: Partial<Record<WorkQueue, (string | undefined)[]>> = {};
  for (const name of WORK_QUEUES) codes[name] = (await pipeline.dead(name)).map(({ code }) => code).sort();
  return codes;
};
const NONE = { events: [], store: [], index: [], analysis: [] };

/** An envelope with another body, under a signature that holds. */
function resealed(key: Journey["key"], change: (body: string) => string): string {
  const envelope = JSON.parse(sealed([stateRecord()], { key }));
  envelope.body = change(envelope.body);
  const { v, home_id, relay_id, key_id, first, last, count, sent_at, body } = envelope;
  const signed = JSON.stringify([v, home_id, relay_id, key_id, first, last, count, sent_at, body]);
  return JSON.stringify({ ...envelope, mac: createHmac("sha256", key.secret).update(signed).digest("hex") });
}

describe("a malformed event among good ones", () => {
  it("is set aside alone, with its reason; sent back, it is set aside again", async () => {
    const bad = stateRecord({ entity_id: "Kitchen Light", state: "on" });
    const all = [...records.slice(0, 20), bad, ...records.slice(20)];
    await pipeline.send("events", sealed(all, { key: home.key }));
    await pipeline.drain();
    await expectRecords();
    const [letter, ...more] = await pipeline.dead("events");
    expect(more).toEqual([]);
    expect(letter?.attributes).toEqual({
      reason_code: "event_entity_id_invalid",
      reason_detail: expect.stringContaining('"Kitchen Light"'),
      sequence: "21",
      home_id: "home",
    });

    expect(await pipeline.operator.queues.redrive("events")).toEqual({ moved: 1, remaining: 0 });
    await pipeline.drain();
    expect(await deadCodes()).toEqual({ ...NONE, events: ["event_entity_id_invalid"] });
    await expectRecords();
    const { ledger } = await ledgerOf();
    expect(ledger).toMatchObject({ complete_up_to: 41, missing: 0, records: 41, rejected: 1, duplicates: 0 });
  });
});

const ledgerOf = async () =>
  (await pipeline.ask(home.token, "/health")).json.parts.find(({ kind }: { kind: string }) => kind === "ledger");

/** Envelopes that cannot be opened, each with the code under which it is set aside. */
const WRONG_ENVELOPES: Record<string, (key: Journey["key"]) => string> = {
  envelope_malformed: () => "not JSON",
  envelope_signature_wrong: (key) =>
    JSON.stringify({ ...JSON.parse(sealed([stateRecord()], { key })), sent_at: "later" }),
  envelope_version_unknown: (key) => JSON.stringify({ ...JSON.parse(sealed([stateRecord()], { key })), v: 9 }),
  envelope_home_unknown: (key) => sealed([stateRecord()], { key, homeId: "nobody" }),
  envelope_body_broken: (key) => resealed(key, (body) => body.slice(0, body.length / 2)),
  envelope_too_large: (key) =>
    resealed(key, () => zstdCompressSync(Buffer.alloc(64 * 1024 * 1024, 0x20)).toString("base64")),
  envelope_too_many_records: (key) =>
    sealed(
      Array.from({ length: 10_000 }, () => ({ t: "x" })),
      { key },
    ),
  envelope_empty: (key) => sealed([], { key, first: 0, last: 0 }),
  envelope_count_wrong: (key) => sealed([stateRecord()], { key, first: 5, last: 9 }),
};

describe("envelopes that cannot be opened", () => {
  it("are set aside each with its code, beside good ones that are stored", async () => {
    const good = Array.from({ length: 4 }, (_, part) =>
      sealed(records.slice(part * 10, part * 10 + 10), { key: home.key, first: part * 10 + 1 }),
    );
    const wrong = Object.entries(WRONG_ENVELOPES).map(([code, make]) => ({ code, body: make(home.key) }));
    const other = { code: "envelope_home_unknown", body: sealed([stateRecord()], { key: randomKey() }) };
    const all = [...wrong, other];
    await pipeline.send(
      "events",
      ...all.slice(0, 6).map(({ body }) => body),
      ...good,
      ...all.slice(6).map(({ body }) => body),
    );
    // One batch of ten holds six wrong ones and the four good ones.
    expect(await pipeline.deliver("events")).toEqual({ messages: 10, failed: 0 });
    await pipeline.drain();
    await expectRecords();
    const letters = await pipeline.dead("events");
    // As they came.
    const of = ({ code, body }: { code: string | undefined; body: string }) => `${code} ${body}`;
    expect(letters.map(of).sort()).toEqual(all.map(of).sort());
    expect((await ledgerOf()).ledger).toMatchObject({ complete_up_to: 40, missing: 0, records: 40 });
  });
});

describe("messages of the queues behind enrich that are broken", () => {
  it("are set aside with their reason; good ones beside them go on", async () => {
    const event = { homeId: "home", entityId: "light.a" };
    await pipeline.send("events", sealed(records, { key: home.key }));
    while ((await pipeline.deliver("events")).messages > 0);
    await pipeline.addHome("other");
    await pipeline.send(
      "store",
      "broken",
      ...packBatch({ homeId: "home" }, [event]),
      ...packBatch({ homeId: "other" }, [event]),
    );
    await pipeline.send("index", "broken", ...packBatch({ homeId: "home" }, [{ t: "seen", entityId: 7 }]));
    await pipeline.send("analysis", "broken", JSON.stringify({ home_id: "home" }));
    await pipeline.drain();
    await expectRecords();
    expect(await deadCodes()).toEqual({
      events: [],
      store: ["envelope_malformed", "event_malformed", "event_malformed"],
      index: ["envelope_malformed", "record_malformed"],
      analysis: ["request_invalid", "request_invalid"],
    });
    expect((await pipeline.ask(home.token, "/api/v1/entities?limit=1000")).json.entities).toHaveLength(37);
  });
});

describe("a part that is away", () => {
  it("gets its messages again and again until the queue sets them aside; a redrive brings all of them back", async () => {
    await pipeline.send("events", sealed(records, { key: home.key }));
    pipeline.replace("store", { HEARTHLINE_SQLITE_PATH: "/dev/null/store.db" });
    await pipeline.drain();
    expect(await pipeline.events(home.token)).toEqual([]);
    // Five receives, then the queue's own redrive policy: no reason is on it.
    expect(await deadCodes()).toEqual({ ...NONE, store: [undefined] });
    // Its neighbours in the index queue were not held up.
    expect((await pipeline.ask(home.token, "/api/v1/entities?limit=1000")).json.entities).toHaveLength(37);
    const attempts = pipeline.logged.filter(({ function: name, messages }) => name === "store" && messages === 1);
    expect(attempts).toHaveLength(5);

    pipeline.replace("store");
    expect(await pipeline.operator.queues.redrive("store")).toEqual({ moved: 1, remaining: 0 });
    await pipeline.drain();
    await expectRecords();
    expect(await deadCodes()).toEqual(NONE);
  });

  it("that comes back in time costs nothing", async () => {
    await pipeline.send("events", sealed(records, { key: home.key }));
    pipeline.replace("store", { HEARTHLINE_SQLITE_PATH: "/dev/null/store.db" });
    await pipeline.deliver("events");
    for (let time = 1; time <= 4; time++) expect(await pipeline.deliver("store")).toEqual({ messages: 1, failed: 1 });
    pipeline.replace("store");
    await pipeline.drain();
    await expectRecords();
    expect(await deadCodes()).toEqual(NONE);
  });

  it("makes the functions before it keep what they have: a queue that is gone loses nothing", async () => {
    const { cloud, sqs } = pipeline;
    const { QueueUrl } = await sqs.call<{ QueueUrl: string }>("GetQueueUrl", {
      QueueName: `${pipeline.config.HEARTHLINE_QUEUE_PREFIX}-index`,
    });
    const before = await sqs.call<{ Attributes: Record<string, string> }>("GetQueueAttributes", {
      QueueUrl,
      AttributeNames: ["All"],
    });
    await sqs.call("DeleteQueue", { QueueUrl });
    await cloud.queue("events").send([{ body: sealed(records, { key: home.key }) }]);
    expect(await pipeline.deliver("events")).toEqual({ messages: 1, failed: 1 });
    const { VisibilityTimeout = "", RedrivePolicy = "" } = before.Attributes;
    await sqs.call("CreateQueue", {
      QueueName: `${pipeline.config.HEARTHLINE_QUEUE_PREFIX}-index`,
      Attributes: { VisibilityTimeout, RedrivePolicy },
    });
    await pipeline.drain();
    await expectRecords();
    expect((await ledgerOf()).ledger).toMatchObject({ complete_up_to: 40, missing: 0 });
  });
});
