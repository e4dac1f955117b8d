import { createLogger } from "../../lib/base/log.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { type HomeKey, keyIdOf } from "../../lib/event/index.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import type { SourceQueue } from "../../local/stack/source-queue.ts";
import { toSqsRecord } from "../../local/stack/sqs-record.ts";
import {
  createFunctions,
  type FunctionName,
  type Functions,
  type Handler,
  lambdaContext,
} from "../../tests/support/pipeline-functions.ts";
import { progress } from "../support/report.ts";
import { deployed, gbSeconds, readingRequests } from "./lambda.ts";
import { Meter, measured } from "./meter.ts";
import { openObjects } from "./objects.ts";
import {
  BUCKET,
  type Emulators,
  environmentOf,
  provision,
  STORES,
  type StoreName,
  settingsOf,
  startEmulators,
  type WorkQueue,
} from "./setting.ts";
import { logBytes, PLATFORM_LOG_BYTES } from "./units.ts";

export interface Message {
  readonly body: string;
  readonly record: ReturnType<typeof toSqsRecord>;
}

/** Which instance of a function is called: that of a store has its own settings. */
export interface At {
  readonly store?: StoreName;
  /** After a cold start, as far as what it remembers goes. */
  readonly isNew?: boolean;
  /** Of many homes, which is deployed in another way. */
  readonly isFleet?: boolean;
}

export interface Called {
  readonly used: Meter;
  /** What it computed here. */
  readonly cpuMs: number;
  readonly waitedMs: number;
}

const GIB = 2 ** 30;

export async function startRig(): Promise<Rig> {
  const emulators = await startEmulators();
  return new Rig(emulators, await provision(emulators));
}

/** The cloud's part of the way, over emulators in a process of their own: every call of a function is measured. Nothing happens by itself; time is set. */
export class Rig {
  /** By function and name: each is a metric that costs. */
  readonly metrics = new Set<string>();
  readonly #emulators: Emulators;
  readonly #env: Record<string, string>;
  readonly #sources: ReadonlyMap<WorkQueue, SourceQueue>;
  readonly #functions: Functions;
  readonly #instances = new Map<string, Handler>();
  readonly #events: ReturnType<ReturnType<typeof createCloud>["queue"]>;
  #meter: Meter | undefined;

  constructor(emulators: Emulators, sources: ReadonlyMap<WorkQueue, SourceQueue>) {
    const { clock } = emulators;
    const env = environmentOf(emulators);
    const random = seededRandom(7);
    this.#emulators = emulators;
    this.#env = env;
    this.#sources = sources;
    this.#events = createCloud(readConfig(env), { clock, random, env }).queue("events");
    const log = createLogger({ clock, write: (line) => this.#logged(line) });
    this.#functions = createFunctions(env, { clock, random, log });
  }

  get clock(): Emulators["clock"] {
    return this.#emulators.clock;
  }

  stop(): void {
    this.#emulators.stop();
  }

  async addHome(homeId: string): Promise<HomeKey> {
    const secret = Buffer.alloc(32, homeId);
    for (const settings of [{}, ...STORES.map(settingsOf)]) {
      const env = { ...this.#env, ...settings };
      const { homes } = createOperator(readConfig(env), { clock: this.clock, env });
      await homes.add({ homeId, timeZone: "Europe/Amsterdam", secret });
    }
    return { id: keyIdOf(secret), secret };
  }

  /** Everything that waits, taken off the queue: SQS gives ten at a time. */
  async take(queue: WorkQueue): Promise<Message[]> {
    const source = this.#sources.get(queue);
    const place = { queueArn: `arn:aws:sqs:us-east-1:0:${queue}`, region: "us-east-1" };
    const taken: Message[] = [];
    for (let some = await source?.receive(10, 0); source && some?.length; some = await source.receive(10, 0)) {
      await source.remove(some);
      taken.push(...some.map((message) => ({ body: message.Body, record: toSqsRecord(message, place) })));
    }
    return taken;
  }

  /** What a relay does with a message. */
  send(text: string): Promise<Meter> {
    return this.#measure(() => this.#events.send([{ body: text }]));
  }

  /** One call of a function, with what Lambda takes for it. */
  async call(name: FunctionName, event: object, { store, isNew = false }: At = {}): Promise<Called> {
    const key = `${name} ${store ?? ""}`;
    const work = (!isNew && this.#instances.get(key)) || this.#functions.fresh(name, store && settingsOf(store));
    this.#instances.set(key, work);
    const before = process.cpuUsage();
    const used = await this.#measure(async () => {
      const answer = await work(event, { ...lambdaContext, getRemainingTimeInMillis: () => 900_000 });
      if (answer?.batchItemFailures?.length > 0) throw new Error(`A message of ${name} failed.`);
    });
    const { user, system } = process.cpuUsage(before);
    const took = { cpuMs: (user + system) / 1000, waitedMs: used.waitedMs };
    used.add("lambda_requests", 1);
    used.add("lambda_gb_seconds", gbSeconds(deployed(name).memoryMb, took));
    used.add("log_gb", PLATFORM_LOG_BYTES / GIB);
    return { used, ...took };
  }

  /** One batch of a function's event source: reading it, the call, and deleting it. */
  async batch(name: FunctionName, messages: readonly Message[], at: At = {}): Promise<Called> {
    const called = await this.call(name, { Records: messages.map(({ record }) => record) }, at);
    const bodies = messages.map(({ body }) => body);
    called.used.add("sqs_requests", readingRequests(bodies, deployed(name, at)));
    return called;
  }

  /** Bytes of the objects of a store below a folder. */
  async bytesBelow(prefix: StoreName, folder: string): Promise<number> {
    const endpoint = this.#emulators.urls.queues;
    const found = await openObjects({ endpoint, bucket: BUCKET, prefix }).list(folder);
    return found.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #measure(work: () => Promise<unknown>): Promise<Meter> {
    const used = new Meter();
    this.#meter = used;
    await measured(used, work);
    this.#meter = undefined;
    return used;
  }

  #logged(line: string): void {
    this.#meter?.add("log_gb", logBytes(`${line}\n`) / GIB);
    for (const name of metricsOf(line)) this.metrics.add(name);
    if (/"level":"(warn|error)"/.test(line)) progress(line);
  }
}

interface MetricLine {
  readonly function?: string;
  readonly _aws?: { readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string }[] }[] };
}

function metricsOf(line: string): string[] {
  const { function: name = "", _aws } = JSON.parse(line) as MetricLine;
  return _aws?.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => `${name} ${Name}`)) ?? [];
}
