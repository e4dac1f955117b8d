import { join } from "node:path";
import type { Clock } from "../../lib/base/clock.ts";
import type { Logger } from "../../lib/base/log.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { createCloud } from "../../lib/wiring/aws.ts";
import { type Config, readConfig } from "../../lib/wiring/config.ts";
import { type EmbeddedServer, startQueues, startTables } from "./embedded.ts";
import { prepareHome } from "./first-start.ts";
import { loadInvoke } from "./invoke.ts";
import { makePageClient } from "./page-client.ts";
import { provision } from "./provision.ts";
import { readStackSpec } from "./template.ts";
import { type StackFunction, type Stoppable, startTriggers } from "./triggers.ts";

export interface StackOptions {
  /** `resources` of serverless.yml. */
  readonly resources: unknown;
  /** `provider.environment` of serverless.yml, all plain text; changed to what holds. */
  readonly environment: Record<string, unknown>;
  readonly region: string;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningStack {
  /** Loads the handlers, then begins to poll and to fire. */
  run(functions: readonly StackFunction[]): Promise<void>;
  /** Polls and fires no more, lets what runs end, then stops the servers of this process. */
  stop(): Promise<void>;
}

/** Queues, tables, home and tokens are there when this resolves, and the process's environment is that of the functions. */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const { clock, log } = options;
  const servers = await startMissingServers(options);
  try {
    setEnvironment(options);
    const config = readConfig(process.env);
    const cloud = createCloud(config);
    const spec = readStackSpec(options.resources);
    const [urls, pageFile] = await Promise.all([
      provision(spec, { clients: cloud, clock }),
      makePageClient(options.dataFolder, log),
    ]);
    if (pageFile !== undefined) process.env.HEARTHLINE_STACK_PAGE_FILE = pageFile;
    // A service without the table has no homes.
    if (spec.tables.some(({ name }) => name === config.HEARTHLINE_TABLE))
      process.env.HEARTHLINE_PAGE_TOKEN = await prepareHome({
        config,
        dataFolder: options.dataFolder,
        runStartedAt: process.env.HEARTHLINE_STACK_STARTED_AT ?? new Date(clock.nowMs()).toISOString(),
      });

    let triggers: readonly Stoppable[] = [];
    return {
      async run(functions) {
        const loaded = await Promise.all(
          functions.map(async (one) => ({ ...hurried(one, config), invoke: await loadInvoke({ ...one, clock }) })),
        );
        triggers = loaded.flatMap((one) =>
          startTriggers(one, { spec, urls, sqs: cloud.sqs, region: options.region, clock, random: systemRandom, log }),
        );
      },
      async stop() {
        await Promise.all(triggers.map((trigger) => trigger.stop()));
        await Promise.all(servers.map((server) => server.stop()));
      },
    };
  } catch (thrown) {
    await Promise.all(servers.map((server) => server.stop()));
    throw thrown;
  }
}

/** EventBridge knows no seconds; who tries a migration at home does not want to wait for minutes. */
function hurried(one: StackFunction, { HEARTHLINE_MIGRATION_SECONDS: seconds }: Config): StackFunction {
  if (one.key !== "validate-migration") return one;
  return { ...one, schedules: one.schedules.map((trigger) => ({ ...trigger, rate: [`rate(${seconds} seconds)`] })) };
}

async function startMissingServers({ dataFolder, region, clock, log }: StackOptions): Promise<EmbeddedServer[]> {
  const { env } = process;
  if (env.AWS_ENDPOINT_URL) return [];
  const servers: EmbeddedServer[] = [];
  if (!env.AWS_ENDPOINT_URL_SQS) {
    const queues = await startQueues({ folder: join(dataFolder, "queues"), port: 0, region, clock });
    servers.push(queues);
    env.AWS_ENDPOINT_URL_SQS = queues.url;
  }
  if (!env.AWS_ENDPOINT_URL_DYNAMODB) {
    const tables = await startTables({ folder: join(dataFolder, "tables"), port: 0, clock });
    servers.push(tables);
    env.AWS_ENDPOINT_URL_DYNAMODB = tables.url;
  }
  log.info("embedded servers", { queues: env.AWS_ENDPOINT_URL_SQS, tables: env.AWS_ENDPOINT_URL_DYNAMODB });
  return servers;
}

/**
 * All functions run in this process and share its environment, so what serverless.yml gives to all of them is set once. What the environment says already
 * holds; and as serverless-offline sets its own reading of the service again before each request, that is made to say the same.
 */
function setEnvironment({ environment, region, dataFolder }: StackOptions): void {
  const { env } = process;
  env.AWS_REGION = region;
  env.AWS_ACCESS_KEY_ID ||= "local";
  env.AWS_SECRET_ACCESS_KEY ||= "local";
  env.HEARTHLINE_DATA = dataFolder;
  env.HEARTHLINE_SQLITE_PATH ||= join(dataFolder, "store.db");
  for (const name of Object.keys(environment)) {
    env[name] ||= String(environment[name]);
    environment[name] = env[name];
  }
}
