import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../lib/base/random.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { type Delivery, WORK_QUEUES, type WorkQueue } from "../support/pipeline-pump.ts";
import { sealed } from "../support/records.ts";
import { type Journey, manyRecords, registryRecords, told, wanted } from "./records.ts";

const EVENTS = 240;
const PER_ENVELOPE = 20;

describe("what comes more than once, or in another order", () => {
  let pipeline: Pipeline;
  let home: Journey;
  const records = manyRecords(EVENTS);
  const registries = registryRecords();
  beforeEach(async () => {
    pipeline = await startPipeline();
    home = await pipeline.addHome();
  });
  afterEach(() => pipeline.stop());

  /** The registries, then the events, in envelopes of one relay without holes. */
  const envelopes = (): string[] => [
    sealed(registries, { key: home.key }),
    ...Array.from({ length: EVENTS / PER_ENVELOPE }, (_, part) =>
      sealed(records.slice(part * PER_ENVELOPE, (part + 1) * PER_ENVELOPE), {
        key: home.key,
        first: registries.length + 1 + part * PER_ENVELOPE,
      }),
    ),
  ];

  /** Everything arrived, once, as it was; the ledger says so; nothing was set aside. */
  async function expectAll(duplicates?: number): Promise<void> {
    const events = await pipeline.events(home.token);
    expect(events.map(told)).toEqual(records.map(wanted));
    for (const name of WORK_QUEUES) expect(await pipeline.dead(name)).toEqual([]);
    // Another instance: one that has just answered gives the same answer for a while.
    pipeline.replace("api");
    const { json } = await pipeline.ask(home.token, "/health");
    const { ledger } = json.parts.find(({ kind }: { kind: string }) => kind === "ledger");
    const last = registries.length + EVENTS;
    expect(ledger).toMatchObject({ complete_up_to: last, last_sequence: last, missing: 0, records: last, rejected: 0 });
    if (duplicates !== undefined) expect(ledger.duplicates).toBe(duplicates);
    const entities = (await pipeline.ask(home.token, "/api/v1/entities?limit=1000")).json.entities;
    const latest = new Map(records.flatMap((one) => (one.t === "state" ? [[one.entity_id, one.last_updated]] : [])));
    const seen = entities.filter(({ last_seen }: { last_seen?: string }) => last_seen !== undefined);
    expect(seen.map((one: { entity_id: string; last_seen: string }) => [one.entity_id, one.last_seen])).toEqual(
      [...latest].toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)),
    );
  }

  it.each<Delivery>(["again", "at-once"])(
    "changes nothing when every message of every queue is delivered %s",
    async (how) => {
      await pipeline.send("events", ...envelopes());
      await pipeline.drain(how);
      await expectAll();
    },
  );

  it("changes nothing when every envelope is sent twice, in any order, and delivered twice", async () => {
    const random = seededRandom(7);
    const twice = [...envelopes(), ...envelopes()].map((body) => ({ body, at: random() })).sort((a, b) => a.at - b.at);
    await pipeline.send("events", ...twice.map(({ body }) => body));
    await pipeline.drain("again");
    await expectAll();
  });

  it("counts envelopes that are sent again later as duplicates, and sends nothing on", async () => {
    await pipeline.send("events", ...envelopes());
    await pipeline.drain();
    await expectAll(0);
    await pipeline.send("events", ...envelopes());
    while ((await pipeline.deliver("events")).messages > 0);
    expect(await pipeline.deliver("store")).toEqual({ messages: 0, failed: 0 });
    expect(await pipeline.deliver("index")).toEqual({ messages: 0, failed: 0 });
    await expectAll(registries.length + EVENTS);
  });

  it.each<WorkQueue>(["events", "store", "index"])(
    "costs nothing when the answer about the %s queue is lost after the work",
    async (name) => {
      await pipeline.send("events", ...envelopes());
      for (const queue of WORK_QUEUES) {
        if (queue === name) expect((await pipeline.deliver(queue, { loseAnswer: true })).failed).toBeGreaterThan(0);
        // As after a crash: a new instance meets what comes again.
        if (queue === name) for (const one of ["enrich", "store", "index-devices"] as const) pipeline.replace(one);
        while ((await pipeline.deliver(queue)).messages > 0);
      }
      await pipeline.drain();
      await expectAll();
    },
  );

  it("loses nothing when enrich ends between sending and recording", async () => {
    await pipeline.send("events", ...envelopes());
    // The table refuses every write of the ledger: all is sent on, nothing is recorded, all comes again.
    const restore = refuse(({ target, body }) => target === "DynamoDB_20120810.PutItem" && body.includes("LEDGER#"));
    const first = await pipeline.deliver("events");
    restore();
    expect(first).toEqual({ messages: 10, failed: 10 });
    expect((await pipeline.deliver("store")).messages).toBeGreaterThan(0);
    await pipeline.drain();
    await expectAll();
  });

  it("makes only the failed message come again", async () => {
    const other = await pipeline.addHome("other", "Asia/Kathmandu");
    const [body = ""] = envelopes();
    await pipeline.send("events", body, sealed(records.slice(0, 5), { key: other.key, homeId: "other" }));
    const restore = refuse(({ body: sent }) => sent.includes("H#other") && sent.includes("LEDGER#"));
    const before = await pipeline.receive("events");
    const failed = await pipeline.invoke("events", before);
    restore();
    expect([...failed]).toEqual(before.filter(({ Body }) => Body !== body).map(({ MessageId }) => MessageId));
    expect(await pipeline.settle("events", before, failed)).toEqual({ messages: 2, failed: 1 });
    const again = await pipeline.receive("events");
    expect(again.map(({ Attributes }) => Attributes?.ApproximateReceiveCount)).toEqual(["2"]);
    await pipeline.settle("events", again, await pipeline.invoke("events", again));
    await pipeline.drain();
    expect(await pipeline.events(other.token)).toHaveLength(5);
  });
});

/** Answers some calls to AWS with a refusal, without passing them on; call the result to end it. */
function refuse(isRefused: (call: { target: string; body: string }) => boolean): () => void {
  const real = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const target = new Headers(init?.headers).get("x-amz-target") ?? "";
    if (!isRefused({ target, body: String(init?.body) })) return real(input, init);
    return new Response(JSON.stringify({ __type: "AccessDeniedException", message: "not now" }), { status: 400 });
  };
  return () => {
    globalThis.fetch = real;
  };
}
