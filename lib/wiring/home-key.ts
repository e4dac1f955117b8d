import { createDynamodbHomeKeys } from "../adapters/dynamodb/homes.ts";
import { type CloudOptions, createCloud } from "./aws.ts";
import type { Config } from "./config.ts";

/** The key with which a home's relay signs now, in base64 as HEARTHLINE_HOME_KEY takes it; undefined when there is no such home. */
export async function readHomeKey(config: Config, options: CloudOptions = {}): Promise<string | undefined> {
  const { table } = createCloud(config, options);
  const key = await createDynamodbHomeKeys(table).current(config.HEARTHLINE_HOME_ID);
  return key?.secret.toString("base64");
}
