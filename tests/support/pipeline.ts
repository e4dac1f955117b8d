import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { createLogger, type LogFields } from "../../lib/base/log.ts";
import { type Random, systemRandom } from "../../lib/base/random.ts";
import { type HomeKey, keyIdOf } from "../../lib/event/index.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import type { Validated } from "../../lib/wiring/validate-migration.ts";
import { startDynaliteServer } from "./dynalite.ts";
import { startFauxqsServer } from "./fauxqs.ts";
import { createFunctions, lambdaContext } from "./pipeline-functions.ts";
import { createPump, WORK_QUEUES, type WorkQueue } from "./pipeline-pump.ts";
import { provisionQueues, provisionTable } from "./provision.ts";

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the answer is JSON of the route that was asked
  readonly json: any;
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly type?: string;
  readonly ifMatch?: string;
}

export interface PipelineOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Settings of the functions beside where everything is. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The cloud's part of the way in this process: SQS, DynamoDB and the store as real servers on loopback, the functions as they are deployed, and a pump that
 * does what Lambda's event sources do, message by message as the test says. Nothing happens by itself.
 */
export async function startPipeline(given: PipelineOptions = {}) {
  const { clock = systemClock, random = systemRandom } = given;
  const [sqs, dynamodb] = await Promise.all([startFauxqsServer(), startDynaliteServer()]);
  const folder = mkdtempSync(join(tmpdir(), "hearthline-journey-"));
  const env: Record<string, string> = {
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
    AWS_ENDPOINT_URL_S3: sqs.url,
    HEARTHLINE_SQLITE_PATH: join(folder, "store.db"),
    HEARTHLINE_LOG_LEVEL: "info",
    ...given.env,
  };
  const config = readConfig(env);
  const logged: LogFields[] = [];
  const log = createLogger({
    level: config.HEARTHLINE_LOG_LEVEL,
    write: (line) => logged.push(JSON.parse(line) as LogFields),
  });
  const cloud = createCloud(config, { clock, env });
  const operator = createOperator(config, { clock, env });
  // Hidden for long: what failed is shown again by the pump, at once.
  await provisionQueues(
    sqs.client,
    WORK_QUEUES.map((name) => ({ name: `${config.HEARTHLINE_QUEUE_PREFIX}-${name}`, visibilitySeconds: 600 })),
  );
  await provisionTable(cloud.dynamodb, config.HEARTHLINE_TABLE, systemClock);

  const functions = createFunctions(env, { clock, random, log });
  const { instanceOf } = functions;
  const pump = await createPump(sqs.client, config.HEARTHLINE_QUEUE_PREFIX, functions);

  /** Messages onto a queue, in this order. */
  const send = (name: WorkQueue, ...bodies: string[]): Promise<void> =>
    cloud.queue(name).send(bodies.map((body) => ({ body })));

  async function addHome(homeId = "home", timeZone = "Europe/Amsterdam") {
    const { key: secret } = await operator.homes.add({ homeId, timeZone });
    const bytes = Buffer.from(secret, "base64");
    const key: HomeKey = { id: keyIdOf(bytes), secret: bytes };
    const { text: token } = await operator.tokens.create({ homeId, name: "journey", scopes: ["read", "write"] });
    return { homeId, key, token };
  }

  /** A request as API Gateway hands it on: the authorizer first, then the API with what it found. */
  async function ask(
    token: string | undefined,
    path: string,
    { method = "GET", body, type = "application/json", ifMatch }: Asked = {},
  ): Promise<Answer> {
    const { pathname, searchParams } = new URL(path, "http://journey");
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      "content-type": type,
      ...(ifMatch !== undefined && { "if-match": ifMatch }),
      host: "journey",
    };
    const found = await instanceOf("authorize")({ version: "2.0", headers }, lambdaContext);
    const event = {
      version: "2.0",
      rawPath: pathname,
      rawQueryString: searchParams.toString(),
      headers,
      body,
      isBase64Encoded: false,
      requestContext: {
        domainName: "journey",
        http: { method, path: pathname },
        authorizer: { lambda: found.context },
      },
    };
    const answer = await instanceOf("api")(event, lambdaContext);
    const isJson = /json/.test(String(answer.headers?.["content-type"]));
    return { status: answer.statusCode, json: isJson ? JSON.parse(answer.body) : answer.body };
  }

  /** Every event of the home as GET /events gives it, oldest first, through all pages. */
  async function events(token: string, query = ""): Promise<WireEvent[]> {
    const all: WireEvent[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const { status, json } = await ask(
        token,
        `/api/v1/events?order=asc&limit=500${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      if (status !== 200) throw new Error(JSON.stringify(json));
      all.push(...(json.events as WireEvent[]));
      cursor = json.next as string | null;
    }
    return all;
  }

  /** A step of every migration; what it sends goes its way meanwhile, for it waits for events of its own. */
  async function validateMigration(): Promise<Validated> {
    let isDone = false;
    const step = instanceOf("validate-migration")({}, lambdaContext).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await pump.drain();
      await systemClock.sleep(20);
    }
    await pump.drain();
    return step as Promise<Validated>;
  }

  return {
    ...{ env, config, clock, logged, operator, sqs: sqs.client, cloud },
    ...functions,
    ...pump,
    ...{ send, addHome, ask, events },
    dispatch: () => instanceOf("dispatch")({}, lambdaContext),
    validateMigration,
    stop: async () => {
      await Promise.all([sqs.stop(), dynamodb.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/** An event as the API shows it. */
export interface WireEvent {
  readonly entity_id: string;
  readonly state: string;
  readonly kind: string;
  readonly last_updated: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}
