import { type AwsClient, type CredentialSource, createAwsClient } from "../adapters/aws/client.ts";
import { environmentCredentials } from "../adapters/aws/credentials.ts";
import type { ServiceName } from "../adapters/aws/services.ts";
import { createTable, type Table } from "../adapters/dynamodb/table.ts";
import { createSqsOperator, type SqsOperator } from "../adapters/sqs/operator.ts";
import { createSqsQueue } from "../adapters/sqs/queue.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { Queue } from "../ingest/ports.ts";
import { type Config, QUEUES, type QueueName } from "./config.ts";

/** The queues and the table that a configuration names. Nothing is connected until it is used. */
export interface Cloud {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly sqs: AwsClient;
  readonly dynamodb: AwsClient;
  /** Of another service that speaks AWS JSON. */
  client(service: "timestream-write" | "timestream-query"): AwsClient;
  /** Where S3 is, and who asks. */
  readonly s3: { readonly endpoint: string | undefined; readonly credentials: CredentialSource };
  readonly table: Table;
  /** `PREFIX-NAME`, or `PREFIX-NAME-dead`. The same object for the same name. */
  queue(name: QueueName | `${QueueName}-dead`): Queue;
  /** Depths for health and metrics; peek, redrive and purge for the operator. */
  readonly queues: SqsOperator;
}

export interface CloudOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Where credentials are looked for. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What a function takes beside its environment: given by tests, and by whoever runs functions in a process of their own. */
export interface FunctionOptions extends CloudOptions {
  /** Default: one line each to standard output. */
  readonly log?: Logger;
}

/** Joins clients, queues and the table; the adapters of a room are made from `table` by that room's wiring. */
export function createCloud(config: Config, options: CloudOptions = {}): Cloud {
  const { clock = systemClock, random = systemRandom, env = process.env } = options;
  const client = (service: ServiceName, own: string | undefined): AwsClient => {
    const endpoint = own ?? config.AWS_ENDPOINT_URL;
    const credentials = credentialsFor(endpoint, env);
    return createAwsClient({ service, region: config.AWS_REGION, endpoint, credentials, clock, random });
  };
  const s3Endpoint = config.AWS_ENDPOINT_URL_S3 ?? config.AWS_ENDPOINT_URL;
  const sqs = client("sqs", config.AWS_ENDPOINT_URL_SQS);
  const dynamodb = client("dynamodb", config.AWS_ENDPOINT_URL_DYNAMODB);
  const queues = new Map<string, Queue>();
  const prefix = config.HEARTHLINE_QUEUE_PREFIX;
  return {
    config,
    clock,
    random,
    sqs,
    dynamodb,
    s3: { endpoint: s3Endpoint, credentials: credentialsFor(s3Endpoint, env) },
    client: (service) => client(service, config.AWS_ENDPOINT_URL_TIMESTREAM),
    table: createTable({ client: dynamodb, name: config.HEARTHLINE_TABLE, clock, random }),
    queue(name) {
      const queue = queues.get(name) ?? createSqsQueue({ client: sqs, name: `${prefix}-${name}`, clock, random });
      queues.set(name, queue);
      return queue;
    },
    queues: createSqsOperator({ client: sqs, clock, random, names: QUEUES, prefix }),
  };
}

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether an address is one of this machine's own. */
export const isLoopback = (address: string): boolean => LOOPBACK.test(new URL(address).hostname);

/** Emulators on this machine want a signature but do not check whose: without credentials in the environment any will do there, and only there. */
export function credentialsFor(
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  elsewhere: CredentialSource = environmentCredentials(env),
): CredentialSource {
  const isLocal = endpoint !== undefined && isLoopback(endpoint);
  if (isLocal && !env.AWS_ACCESS_KEY_ID) return () => ({ accessKeyId: "local", secretAccessKey: "local" });
  return elsewhere;
}
