import { systemClock } from "../../lib/base/clock.ts";
import { type HomeKey, keyIdOf } from "../../lib/event/index.ts";
import { type Cloud, createCloud } from "../../lib/wiring/aws.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { createOperator } from "../../lib/wiring/operator.ts";
import { provisionQueues, provisionTable } from "../support/provision.ts";

export const HOME_ID = "home";

/** Longer than any batch takes here. Who is killed with messages in hand gives them back at once. */
const VISIBILITY_SECONDS = 30;
/** A function that is killed again and again has received a message often. */
const MAX_RECEIVE_COUNT = 50;

export interface ProvisionedCloud {
  readonly cloud: Cloud;
  readonly key: HomeKey;
  /** The home's key as the relay takes it. */
  readonly secret: string;
}

/** Queues, table and the home, on servers that are up. */
export async function provisionCloud(env: NodeJS.ProcessEnv): Promise<ProvisionedCloud> {
  const config = readConfig(env);
  const cloud = createCloud(config, { env });
  const queues = ["events", "store", "index", "analysis"].map((name) => ({
    name: `${config.HEARTHLINE_QUEUE_PREFIX}-${name}`,
    visibilitySeconds: VISIBILITY_SECONDS,
    maxReceiveCount: MAX_RECEIVE_COUNT,
  }));
  await provisionQueues(cloud.sqs, queues);
  await provisionTable(cloud.dynamodb, config.HEARTHLINE_TABLE, systemClock);
  const { homes } = createOperator(config, { env });
  const { key: secret } = await homes.add({ homeId: HOME_ID, timeZone: "Europe/Amsterdam" });
  const bytes = Buffer.from(secret, "base64");
  return { cloud, key: { id: keyIdOf(bytes), secret: bytes }, secret };
}
