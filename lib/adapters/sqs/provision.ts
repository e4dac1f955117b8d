import { type AwsClient, AwsError } from "../aws/client.ts";

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
