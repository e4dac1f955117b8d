import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createEventStore } from "../../lib/wiring/event-store.ts";
import { createSourceQueue, type SourceQueue } from "../../local/stack/source-queue.ts";
import { provisionQueues, provisionTable } from "../../tests/support/provision.ts";
import { START_MS } from "./home.ts";

/** The stores whose every operation has a price. */
export const STORES = ["parquet-objects", "parquet-table", "timestream"] as const;
export type StoreName = (typeof STORES)[number];

export type WorkQueue = "events" | "store" | "index" | "analysis";
const QUEUES: readonly WorkQueue[] = ["events", "store", "index", "analysis"];

export const BUCKET = "hearthline-cost";
const DAY_MS = 86_400_000;
/** Hidden for longer than a night's job takes here. */
const VISIBILITY_SECONDS = 3_600;

export interface Emulators {
  readonly urls: { readonly queues: string; readonly tables: string; readonly timestream: string };
  readonly clock: Clock & { set(nowMs: number): void };
  stop(): void;
}

export async function startEmulators(): Promise<Emulators> {
  const emulators = fork(join(import.meta.dirname, "emulators.ts"));
  const [urls] = (await once(emulators, "message")) as [Emulators["urls"]];
  const clock = handClock(emulators);
  clock.set(START_MS - DAY_MS);
  return { urls, clock, stop: () => void emulators.disconnect() };
}

/** Stands still until it is set; who sleeps wakes at once. Timestream's emulator is told. */
function handClock(emulators: ChildProcess): Emulators["clock"] {
  let wallMs = 0;
  return {
    nowMs: () => wallMs,
    monotonicMs: () => wallMs,
    sleep: async () => {},
    set: (nowMs) => {
      wallMs = nowMs;
      emulators.send({ nowMs });
    },
  };
}

export const environmentOf = ({ urls }: Emulators): Record<string, string> => ({
  AWS_ENDPOINT_URL: urls.queues,
  AWS_ENDPOINT_URL_DYNAMODB: urls.tables,
  AWS_ENDPOINT_URL_TIMESTREAM: urls.timestream,
  // Of any kind, but tests/support/small-timestream.ts knows only these.
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret-text",
});

/** A table of its own: what one store's nightly job does is not done for the others. */
export const settingsOf = (store: StoreName): Record<string, string> => ({
  HEARTHLINE_TABLE: `hearthline-${store}`,
  HEARTHLINE_STORE: store === "timestream" ? "timestream" : "parquet",
  HEARTHLINE_PARQUET_HOT: store === "parquet-table" ? "table" : "objects",
  HEARTHLINE_PARQUET_URL: `s3://${BUCKET}/${store}`,
});

/** Queues, tables and stores, as a deployment makes them. */
export async function provision(emulators: Emulators): Promise<ReadonlyMap<WorkQueue, SourceQueue>> {
  const { clock } = emulators;
  const env = environmentOf(emulators);
  const random = seededRandom(7);
  const config = readConfig(env);
  const prefix = config.HEARTHLINE_QUEUE_PREFIX;
  const { sqs, dynamodb } = createCloud(config, { clock, env, random });
  await provisionQueues(
    sqs,
    QUEUES.map((name) => ({ name: `${prefix}-${name}`, visibilitySeconds: VISIBILITY_SECONDS })),
  );
  await provisionTable(dynamodb, config.HEARTHLINE_TABLE, systemClock);
  for (const store of STORES) {
    const own = readConfig({ ...env, ...settingsOf(store) });
    await provisionTable(dynamodb, own.HEARTHLINE_TABLE, systemClock);
    await createEventStore(own, createCloud(own, { clock, random, env })).setUp({ rawDays: own.HEARTHLINE_RAW_DAYS });
  }
  const sources = new Map<WorkQueue, SourceQueue>();
  for (const name of QUEUES) {
    const { QueueUrl } = await sqs.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: `${prefix}-${name}` });
    sources.set(name, createSourceQueue(sqs, QueueUrl));
  }
  return sources;
}
