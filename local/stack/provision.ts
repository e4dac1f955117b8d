import type { Clock } from "../../lib/base/clock.ts";
import { HearthlineError, isHearthlineError } from "../../lib/base/errors.ts";
import type { Cloud } from "../../lib/wiring/aws.ts";
import type { QueueSpec, StackSpec, TableSpec } from "./template.ts";

/** Where a queue is, by its name. The URL's host is whatever the server calls itself: it is sent as it is and never connected to. */
export type QueueUrls = ReadonlyMap<string, string>;

export interface ProvisionOptions {
  readonly clients: Pick<Cloud, "sqs" | "dynamodb">;
  readonly clock: Clock;
  /** How long the servers may take to answer at all. Default 60,000 ms: LocalStack starts a service at its first request. */
  readonly reachableMs?: number;
}

/**
 * Makes the queues and tables of the template where they are missing, and gives the present ones their attributes. Doing it again changes nothing.
 * @throws HearthlineError `setting_invalid` when a table is there with other keys: its data is never dropped to make it fit
 */
export async function provision(spec: StackSpec, options: ProvisionOptions): Promise<QueueUrls> {
  await Promise.all([
    spec.queues.length > 0 && reachable(() => options.clients.sqs.call("ListQueues", {}, { attempts: 1 }), options),
    spec.tables.length > 0 &&
      reachable(() => options.clients.dynamodb.call("ListTables", {}, { attempts: 1 }), options),
  ]);
  const [urls] = await Promise.all([provisionQueues(spec.queues, options), provisionTables(spec.tables, options)]);
  return urls;
}

async function reachable(
  ask: () => Promise<unknown>,
  { clock, reachableMs = 60_000 }: ProvisionOptions,
): Promise<void> {
  const until = clock.monotonicMs() + reachableMs;
  for (;;) {
    try {
      await ask();
      return;
    } catch (thrown) {
      const isStarting = isHearthlineError(thrown) && thrown.fate === "retry";
      if (!isStarting || clock.monotonicMs() >= until) throw thrown;
      await clock.sleep(25);
    }
  }
}

async function provisionQueues(
  queues: readonly QueueSpec[],
  { clients: { sqs } }: ProvisionOptions,
): Promise<QueueUrls> {
  const urls = new Map<string, string>();
  // CreateQueue with attributes is refused for a queue that has other ones; so it is made bare and given its attributes after.
  await Promise.all(
    queues.map(async (queue) => {
      const { QueueUrl } = await sqs.call<{ QueueUrl: string }>("CreateQueue", { QueueName: queue.name });
      urls.set(queue.name, QueueUrl);
    }),
  );
  const urlOf = (queue: QueueSpec | undefined) => (queue && urls.get(queue.name)) ?? "";
  await Promise.all(
    queues.map(async (queue) => {
      const attributes: Record<string, string> = { ...queue.attributes };
      if (queue.redrive) {
        const { deadLetterId, maxReceiveCount } = queue.redrive;
        // The account in an ARN is the server's own choice: ask it.
        const { Attributes } = await sqs.call<{ Attributes: { QueueArn: string } }>("GetQueueAttributes", {
          QueueUrl: urlOf(queues.find((one) => one.logicalId === deadLetterId)),
          AttributeNames: ["QueueArn"],
        });
        attributes.RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount });
      }
      if (Object.keys(attributes).length > 0)
        await sqs.call("SetQueueAttributes", { QueueUrl: urlOf(queue), Attributes: attributes });
    }),
  );
  return urls;
}

interface TableDescription {
  readonly Table: { readonly TableStatus: string; readonly KeySchema: unknown };
}

const typeOf = (thrown: unknown): string => String((thrown as { type?: unknown }).type ?? "");

async function provisionTables(tables: readonly TableSpec[], options: ProvisionOptions): Promise<void> {
  const { clients, clock } = options;
  const describe = (table: TableSpec) =>
    clients.dynamodb.call<TableDescription>("DescribeTable", { TableName: table.name }).catch((thrown: unknown) => {
      if (typeOf(thrown) === "ResourceNotFoundException") return undefined;
      throw thrown;
    });
  const one = async (table: TableSpec) => {
    let found = await describe(table);
    if (!found) {
      await clients.dynamodb.call("CreateTable", table.input).catch((thrown: unknown) => {
        if (typeOf(thrown) !== "ResourceInUseException") throw thrown;
      });
      if (table.timeToLiveAttribute) await setTimeToLive(table, options);
    }
    while (found?.Table.TableStatus !== "ACTIVE") {
      await clock.sleep(10);
      found = await describe(table);
    }
    if (canonicalKeys(found.Table.KeySchema) !== canonicalKeys(table.input.KeySchema))
      throw new HearthlineError(
        "setting_invalid",
        `The table "${table.name}" is there with the keys ${canonicalKeys(found.Table.KeySchema)}; serverless.yml wants ${canonicalKeys(table.input.KeySchema)}. Wanted is another data folder, or a table of another name.`,
      );
  };
  await Promise.all(tables.map(one));
}

const canonicalKeys = (schema: unknown): string =>
  (Array.isArray(schema) ? schema : [])
    .map((key: { AttributeName?: string; KeyType?: string }) => `${key.AttributeName} ${key.KeyType}`)
    .join(", ");

/** dynalite knows no time to live: what expires there is only hidden by those who read it, as on AWS until DynamoDB gets round to deleting it. */
async function setTimeToLive(table: TableSpec, { clients }: ProvisionOptions): Promise<void> {
  const specification = { AttributeName: table.timeToLiveAttribute, Enabled: true };
  await clients.dynamodb
    .call("UpdateTimeToLive", { TableName: table.name, TimeToLiveSpecification: specification }, { attempts: 1 })
    .catch((thrown: unknown) => {
      if (!/UnknownOperation|ResourceInUse/.test(typeOf(thrown))) throw thrown;
    });
}
