import { randomUUID } from "node:crypto";
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2, Context } from "aws-lambda";
import { handle } from "hono/aws-lambda";
import packageJson from "../../package.json" with { type: "json" };
import { createDynamodbAggregateStore, createDynamodbRetentionRecords } from "../adapters/dynamodb/aggregates.ts";
import { createDynamodbConflictStore } from "../adapters/dynamodb/conflicts.ts";
import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbHealthMemory } from "../adapters/dynamodb/health-memory.ts";
import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbJobStore } from "../adapters/dynamodb/jobs.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createDynamodbMigrationStore } from "../adapters/dynamodb/migrations.ts";
import { createDynamodbOutboxStore } from "../adapters/dynamodb/outbox.ts";
import { createDynamodbPatternStore } from "../adapters/dynamodb/patterns.ts";
import { createDynamodbRateStore } from "../adapters/dynamodb/rates.ts";
import { createDynamodbSuggestionStore } from "../adapters/dynamodb/suggestions.ts";
import { createDynamodbTokenStore } from "../adapters/dynamodb/tokens.ts";
import { createDynamodbAbilityStore, createDynamodbUtilisationStore } from "../adapters/dynamodb/utilisation.ts";
import {
  type ApiParts,
  createApi,
  createHealth,
  createIdentify,
  createRateLimits,
  type Identified,
  type Identify,
  identifiedOf,
  RELAY_QUIET_SECONDS,
} from "../api/index.ts";
import { createLogger } from "../base/log.ts";
import { parseConflictRules } from "../devices/index.ts";
import { createOutbox } from "../publish/index.ts";
import { pages } from "../web/index.ts";
import { createCloud, type FunctionOptions } from "./aws.ts";
import { type Config, readConfig } from "./config.ts";
import { createEventStore } from "./event-store.ts";
import { createCloudHouse } from "./house.ts";
import { createMigrationApi } from "./migration-api.ts";
import { pageClient } from "./page-client.ts";
import { createReadAuthority } from "./read-authority.ts";
import { retentionOf } from "./retention.ts";
import { sourceAddressOf } from "./source-address.ts";

export type ApiEvent = APIGatewayProxyEvent | APIGatewayProxyEventV2;
/** The answer is of the event's own payload format. */
export type ApiHandler = (event: ApiEvent, context?: Context) => Promise<unknown>;

type Env = Readonly<Record<string, string | undefined>>;

/** The API function, joined once per process at the first request. */
export function createApiFunction(env: Env = process.env, options: FunctionOptions = {}): ApiHandler {
  let answer: ApiHandler | undefined;
  return (event, context) => {
    answer ??= lambdaOf(joined(readConfig(env), { env, ...options }));
    return answer(event, context);
  };
}

/** All parts on the cloud that the settings name. */
function joined(config: Config, options: FunctionOptions): ApiParts {
  const cloud = createCloud(config, options);
  const { clock, table } = cloud;
  const house = createCloudHouse(cloud);
  const log = options.log ?? createLogger({ level: config.HEARTHLINE_LOG_LEVEL, fields: { function: "api" } });
  const migrations = createDynamodbMigrationStore(table);
  const { env = process.env } = options;
  const homes = createDynamodbHomeDirectory(table);
  const authority = { cloud, migrations, homes, log, env };
  const { events, around } = createReadAuthority(createEventStore(config, cloud), authority);
  const index = createDynamodbDeviceIndex(table);
  const ledger = createDynamodbLedger(table);
  const tokens = createDynamodbTokenStore(table);
  const keys = createDynamodbHomeKeys(table);
  const identify = createIdentify(tokens, clock);
  const { version } = packageJson;
  return {
    events,
    around,
    homes,
    index,
    ledger,
    identify,
    clock,
    version,
    pages,
    pageToken: config.HEARTHLINE_PAGE_TOKEN,
    pageClient: pageClient(options.env),
    conflicts: createDynamodbConflictStore(table),
    conflictRules: parseConflictRules(config.HEARTHLINE_DEVICE_CONFLICTS),
    jobs: createDynamodbJobStore(table),
    patterns: createDynamodbPatternStore(table),
    suggestions: createDynamodbSuggestionStore(table),
    tellHouse: house.tell,
    itemEnded: house.ended,
    abilities: createDynamodbAbilityStore(table),
    utilisation: createDynamodbUtilisationStore(table),
    analysisQueue: cloud.queue("analysis"),
    analysisTime: config.HEARTHLINE_ANALYSIS_TIME,
    aggregates: createDynamodbAggregateStore(table),
    retentionRecords: createDynamodbRetentionRecords(table),
    retention: retentionOf(config),
    outbox: createOutbox({ store: createDynamodbOutboxStore(table), clock, random: cloud.random }),
    migrations: createMigrationApi({
      store: migrations,
      ledger,
      index,
      tokens,
      keys,
      clock,
      random: cloud.random,
      newId: () => randomUUID(),
    }),
    keys,
    queue: cloud.queue("events"),
    futureSeconds: config.HEARTHLINE_FUTURE_SECONDS,
    log,
    health: createHealth({
      events,
      homes,
      index,
      clock,
      version,
      ledger,
      monitor: cloud.queues,
      memory: createDynamodbHealthMemory(table),
      relaySilentSeconds: relaySilentSeconds(config),
    }),
    callerOf: callerOf(config.HEARTHLINE_AUTHORIZER, identify),
    addressOf: (surroundings) => sourceAddressOf((surroundings as Surroundings).event?.requestContext),
    limits: createRateLimits({
      store: createDynamodbRateStore(table),
      clock,
      perMinute: config.HEARTHLINE_RATE_PER_MINUTE,
    }),
    requestIdOf,
  };
}

/** Of relays that do not say how long they collect: their words wait for the next flush as their events do. */
const relaySilentSeconds = (config: Config): number => RELAY_QUIET_SECONDS + 2 * config.HEARTHLINE_FLUSH_SECONDS;

/** What `hono/aws-lambda` hands to the app beside the request. */
interface Surroundings {
  readonly event?: ApiEvent;
  readonly lambdaContext?: Pick<Context, "awsRequestId">;
}

const requestIdOf = (surroundings: unknown): string =>
  (surroundings as Surroundings | undefined)?.lambdaContext?.awsRequestId ?? "";

const headerOf = (event: ApiEvent | undefined, wanted: string): string | undefined =>
  Object.entries(event?.headers ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];

/** serverless-offline lets this header replace what the authorizer said; nobody sends it in earnest. */
const OVERRIDE = "sls-offline-authorizer-override";

/** `gateway`: what the authorizer in front found. `inline`: there is none in front, so the token is looked up here. */
function callerOf(authorizer: Config["HEARTHLINE_AUTHORIZER"], identify: Identify): ApiParts["callerOf"] {
  if (authorizer === "inline") {
    return (surroundings) => {
      const { event } = surroundings as Surroundings;
      return identify(headerOf(event, "authorization"), sourceAddressOf(event?.requestContext));
    };
  }
  return (surroundings): Identified => {
    const { event } = surroundings as Surroundings;
    if (headerOf(event, OVERRIDE) !== undefined) return { error: "token_invalid" };
    const found = (event?.requestContext as { authorizer?: { lambda?: unknown } | null } | undefined)?.authorizer;
    // An HTTP API puts what a function found one level deeper than a REST API does.
    return identifiedOf(found?.lambda ?? found);
  };
}

/** The app behind API Gateway, HTTP API (payload 2.0) or REST API (1.0). */
export function lambdaOf(parts: ApiParts): ApiHandler {
  const answer = handle(createApi(parts), { isContentTypeBinary: () => false });
  // hono's own type of the event is narrower than API Gateway's.
  type Handled = Parameters<typeof answer>;
  return (event, context) => answer(servable(event) as unknown as Handled[0], context as unknown as Handled[1]);
}

/**
 * The event as a web Request can hold it: a GET has no body, TRACE and CONNECT do not exist there (the API refuses them under a name that does),
 * and a Host that is no name must not become part of an address; the header itself stays as it came.
 */
function servable(event: ApiEvent): ApiEvent {
  const method =
    "http" in event.requestContext ? event.requestContext.http.method : (event as APIGatewayProxyEvent).httpMethod;
  const isForbidden = /^(TRACE|TRACK|CONNECT)$/i.test(method);
  const withMethod = (name: string) =>
    "http" in event.requestContext
      ? {
          requestContext: {
            ...event.requestContext,
            http: { ...event.requestContext.http, method: name },
            domainName: "hearthline",
          },
        }
      : { httpMethod: name, requestContext: { ...event.requestContext, domainName: "hearthline" } };
  const hasNoBody = isForbidden || /^(GET|HEAD)$/i.test(method);
  return { ...event, ...withMethod(isForbidden ? "PUT" : method), ...(hasNoBody && { body: null }) } as ApiEvent;
}
