import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { isHearthlineError } from "../base/errors.ts";
import { SECRET_STATE } from "../event/index.ts";
import type { ImportSink } from "../history/index.ts";
import type { Cloud } from "./aws.ts";

/** A relay's own credentials may send and nothing else: then what needs more is left out. */
async function whereAllowed<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isHearthlineError(thrown) && thrown.code === "service_refused") return otherwise;
    throw thrown;
  }
}

export interface Known {
  readonly entityIds: ReadonlySet<string>;
  /** By what the relay has said of the entity last. */
  readonly isPassword: (entityId: string) => boolean | undefined;
}

const NOT_A_STATE: ReadonlySet<string> = new Set(["", "unknown", "unavailable"]);

/** What the cloud knows of the home. */
export async function knownOf({ table }: Cloud, homeId: string): Promise<Known> {
  const index = createDynamodbDeviceIndex(table);
  const read = async () => [await index.list(homeId, "entities"), await index.seen(homeId)] as const;
  const [registry, seen] = await whereAllowed(read, [[], new Map()]);
  return {
    entityIds: new Set([...registry.map(({ entityId }) => entityId), ...seen.keys()]),
    isPassword: (entityId) => {
      const state = seen.get(entityId)?.state;
      return state === undefined || NOT_A_STATE.has(state) ? undefined : state === SECRET_STATE;
    },
  };
}

/** The work is done when it is asked for first. */
export function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

/** The queues on an event's way to the store. */
const ON_THE_WAY: ReadonlySet<string> = new Set(["events", "store", "index"]);

/** The events queue, and what waits in it and behind it. */
export function importSink(cloud: Cloud): ImportSink {
  const queue = cloud.queue("events");
  return {
    send: (messages) => queue.send(messages.map((body) => ({ body }))),
    waiting: () =>
      whereAllowed(async () => {
        const depths = await cloud.queues.depths();
        return depths.reduce((sum, { name, visible }) => (ON_THE_WAY.has(name) ? sum + visible : sum), 0);
      }, 0),
  };
}
