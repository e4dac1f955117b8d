import { type AwsClient, AwsError } from "../../lib/adapters/aws/client.ts";
import type { Clock } from "../../lib/base/clock.ts";

// What serverless.yml makes on AWS and local/stack makes here, for tests that need a queue or a table of any name.

/** SQS keeps a message at most this long: 14 days. Source: SQS developer guide, "quotas-messages"; read 2026-09. */
const RETENTION_SECONDS = 1_209_600;

export interface QueueToProvision {
  /** The whole name; its dead-letter queue is called `NAME-dead`. */
  readonly name: string;
  /** How long a received message is hidden: six times the function's time-out, as AWS advises. */
  readonly visibilitySeconds: number;
  /** Receives before a message goes to the dead-letter queue. Default 5. */
  readonly maxReceiveCount?: number;
}

/** Makes the queues and their dead-letter queues, or sets the attributes of those that are there. Safe to repeat. */
export async function provisionQueues(client: AwsClient, queues: readonly QueueToProvision[]): Promise<void> {
  for (const { name, visibilitySeconds, maxReceiveCount = 5 } of queues) {
    const retention = { MessageRetentionPeriod: String(RETENTION_SECONDS) };
    const deadUrl = await createOrSet(client, `${name}-dead`, retention);
    const { Attributes } = await client.call<{ Attributes: { QueueArn: string } }>("GetQueueAttributes", {
      QueueUrl: deadUrl,
      AttributeNames: ["QueueArn"],
    });
    await createOrSet(client, name, {
      ...retention,
      VisibilityTimeout: String(visibilitySeconds),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount }),
    });
  }
}

async function createOrSet(client: AwsClient, name: string, attributes: Record<string, string>): Promise<string> {
  try {
    const made = await client.call<{ QueueUrl: string }>("CreateQueue", { QueueName: name, Attributes: attributes });
    return made.QueueUrl;
  } catch (thrown) {
    // The queue is there with other attributes: these are the wanted ones.
    if (!(thrown instanceof AwsError) || !/QueueNameExists|QueueAlreadyExists/.test(thrown.type)) throw thrown;
    const { QueueUrl } = await client.call<{ QueueUrl: string }>("GetQueueUrl", { QueueName: name });
    await client.call("SetQueueAttributes", { QueueUrl, Attributes: attributes });
    return QueueUrl;
  }
}

const POLL_MS = 100;
const POLLS = 600;

/** Makes the table (pk, sk; paid per request; TTL on `expires_at` where the service knows it) unless it is there, and waits until it is usable. Safe to repeat. */
export async function provisionTable(client: AwsClient, name: string, clock: Clock): Promise<void> {
  try {
    await client.call("CreateTable", {
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    });
  } catch (thrown) {
    if (!(thrown instanceof AwsError) || thrown.type !== "ResourceInUseException") throw thrown;
  }
  await untilActive(client, name, clock);
  try {
    await client.call("UpdateTimeToLive", {
      TableName: name,
      TimeToLiveSpecification: { AttributeName: "expires_at", Enabled: true },
    });
  } catch (thrown) {
    // dynalite does not know the operation, and a second time it is refused: the adapters filter expired items themselves.
    const isExpected = thrown instanceof AwsError && /UnknownOperation|ValidationException/.test(thrown.type);
    if (!isExpected) throw thrown;
  }
}

async function untilActive(client: AwsClient, name: string, clock: Clock): Promise<void> {
  for (let poll = 1; poll <= POLLS; poll++) {
    const { Table } = await client.call<{ Table: { TableStatus: string } }>("DescribeTable", { TableName: name });
    if (Table.TableStatus === "ACTIVE") return;
    await clock.sleep(POLL_MS);
  }
  throw new Error(`The table "${name}" was made and is not active after ${(POLLS * POLL_MS) / 1000} s.`);
}
