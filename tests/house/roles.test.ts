import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AT_US, manyRecords, registryRecords } from "../journey/records.ts";
import { type Pipeline, startPipeline } from "../support/pipeline.ts";
import { type FunctionName, functionAtWork, wallClock } from "../support/pipeline-functions.ts";
import { sealed, stateRecord } from "../support/records.ts";

interface Roles {
  readonly CONSUME: readonly string[];
  readonly GRANTS: Readonly<
    Record<
      FunctionName,
      { readonly queues: readonly (readonly [string[], string[]])[]; readonly table: readonly string[] }
    >
  >;
}
const roles = createRequire(import.meta.url)("../../serverless/roles.cjs") as Roles;

/** What an operation needs, by IAM: the batch forms of SQS have no action of their own. */
const actionOf = (operation: string): string => `sqs:${operation.replace(/^(Send|Delete)MessageBatch$/, "$1Message")}`;
/** `hearthline-dev-events-dead`, or its URL -> `EventsDead`. */
const queueOf = (name: string): string =>
  (name.split("/").at(-1) ?? "")
    .replace(/^hearthline-dev/, "")
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What one function did: `Events sqs:SendMessage`, `table dynamodb:GetItem`. */
const calls = new Map<FunctionName, Set<string>>();

function note(init: RequestInit | undefined): void {
  const name = functionAtWork();
  const target = new Headers(init?.headers).get("x-amz-target");
  if (name === undefined || target === null) return;
  const [service, operation = ""] = target.split(".");
  const body = JSON.parse(String(init?.body)) as { QueueUrl?: string; QueueName?: string };
  const called = calls.get(name) ?? new Set();
  calls.set(name, called);
  if (service === "AmazonSQS") called.add(`${queueOf(body.QueueUrl ?? body.QueueName ?? "")} ${actionOf(operation)}`);
  else called.add(`table dynamodb:${operation}`);
}

/** What a role grants beside what Lambda itself does with it. */
function granted(name: FunctionName): string[] {
  const { queues, table } = roles.GRANTS[name];
  return [
    ...queues
      .filter(([actions]) => actions !== roles.CONSUME)
      .flatMap(([actions, names]) => names.flatMap((queue) => actions.map((action) => `${queue} ${action}`))),
    ...table.map((operation) => `table dynamodb:${operation}`),
  ];
}

const DAY_MS = 86_400_000;
const START_MS = AT_US / 1000 + 3_600_000;

describe("the roles of serverless/roles.cjs", () => {
  const real = globalThis.fetch;
  const clock = wallClock(START_MS);
  let pipeline: Pipeline;
  /** Resolves when both dispatches are about to make the same job. */
  let meeting: { arrived: number; readonly both: PromiseWithResolvers<void> } | undefined;

  beforeAll(async () => {
    globalThis.fetch = async (input, init) => {
      note(init);
      const isJob = functionAtWork() === "dispatch" && String(init?.body).includes("attribute_not_exists");
      if (meeting && isJob) {
        if (++meeting.arrived === 2) meeting.both.resolve();
        await meeting.both.promise;
      }
      return real(input, init);
    };
    // With this chance index-devices also merges what it has gathered.
    pipeline = await startPipeline({ clock, random: () => 0 });
    await live();
  }, 60_000);
  afterAll(async () => {
    globalThis.fetch = real;
    await pipeline.stop();
  });

  /** A night and a day of a home in which everything happens once: registries and their replacement, events good and bad, what is broken in each queue, jobs, requests. */
  async function live(): Promise<void> {
    const home = await pipeline.addHome();
    const registries = registryRecords();
    const replaced = registries.map((record) => ({
      ...record,
      ...("revision" in record && { revision: START_MS }),
      ...(record.t === "registry" && { rows: [] }),
    }));
    const weather = stateRecord({
      entity_id: "weather.home",
      state: "sunny",
      attributes: { temperature: 20 },
      atUs: AT_US,
    });
    const bad = stateRecord({ entity_id: "bad" });
    const all = [...registries, weather, bad, ...manyRecords(40)];
    await pipeline.send("events", sealed(all, { key: home.key }), "broken");
    await pipeline.drain();
    pipeline.replace("enrich");
    await pipeline.send("events", sealed([...replaced, ...manyRecords(40)], { key: home.key, first: all.length + 1 }));
    for (const name of ["store", "index", "analysis"] as const) await pipeline.send(name, "broken");
    await pipeline.drain();

    const event = { event_type: "state_changed", entity_id: "light.a", state: "on", timestamp: "2026-11-22T06:00:00Z" };
    await pipeline.ask(home.token, "/api/v1/events", { method: "POST", body: JSON.stringify(event) });
    await pipeline.drain();
    clock.set(START_MS + DAY_MS);
    meeting = { arrived: 0, both: Promise.withResolvers<void>() };
    await Promise.all([pipeline.dispatch(), pipeline.fresh("dispatch")({}, {} as never)]);
    meeting = undefined;
    await pipeline.drain();
    for (const path of [
      "events",
      "events/stats",
      "entities",
      "devices",
      "devices/lamp",
      "areas",
      "jobs",
      "jobs/daily-2026-11-21",
    ])
      await pipeline.ask(home.token, `/api/v1/${path}`);
    for (const path of ["/health", "/ready", "/metrics", "/", "/openapi.json", "/docs"])
      await pipeline.ask(home.token, path);
  }

  it("name every function", () => {
    expect([...calls.keys()].sort()).toEqual(Object.keys(roles.GRANTS).sort());
  });

  it.each(Object.keys(roles.GRANTS) as FunctionName[])("let %s do what it does, and nothing else", (name) => {
    expect([...(calls.get(name) ?? [])].sort()).toEqual([...new Set(granted(name))].sort());
  });

  it.each([
    ["enrich", "Events"],
    ["store", "Store"],
    ["index-devices", "Index"],
    ["analyze", "Analysis"],
  ] as const)("let Lambda take the messages of %s from its own queue alone", (name, queue) => {
    expect(roles.GRANTS[name].queues.filter(([actions]) => actions === roles.CONSUME)).toEqual([
      [roles.CONSUME, [queue]],
    ]);
  });
});
