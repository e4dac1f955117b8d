import { HearthlineError } from "../../base/errors.ts";
import { type AwsClient, AwsError } from "../aws/client.ts";

/** Asks for a queue's URL once and remembers it; a failure is not remembered. The URL only names the queue: requests go to the configured endpoint. */
export interface QueueUrl {
  (): Promise<string>;
  /** It has turned out to be wrong: the next call asks again. */
  forget(): void;
}

/** @throws HearthlineError `queue_unknown` when there is no such queue */
export function createQueueUrl(client: AwsClient, name: string): QueueUrl {
  let known: Promise<string> | undefined;
  const ask = async (): Promise<string> => {
    try {
      const { QueueUrl } = await client.call<{ QueueUrl?: unknown }>("GetQueueUrl", { QueueName: name });
      if (typeof QueueUrl === "string") return QueueUrl;
      throw new HearthlineError("service_failed", `GetQueueUrl of "${name}" was answered without an address.`);
    } catch (thrown) {
      known = undefined;
      throw isQueueMissing(thrown) ? unknownQueue(name, thrown) : thrown;
    }
  };
  const url = () => {
    known ??= ask();
    return known;
  };
  const forget = () => {
    known = undefined;
  };
  return Object.assign(url, { forget });
}

/** The service says that there is no such queue (two names: the JSON protocol's and the older one). */
export const isQueueMissing = (thrown: unknown): boolean =>
  thrown instanceof AwsError && /QueueDoesNotExist|NonExistentQueue/.test(thrown.type);

export const unknownQueue = (name: string, cause: unknown) =>
  new HearthlineError(
    "queue_unknown",
    `The queue "${name}" was looked up and does not exist; wanted is a queue of that name in this account and region (HEARTHLINE_QUEUE_PREFIX, AWS_REGION).`,
    { cause },
  );
