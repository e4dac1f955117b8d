import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { keyIdOf } from "../event/index.ts";
import { type CloudOptions, createCloud } from "./aws.ts";
import type { Config } from "./config.ts";

/**
 * The key with which a home's relay signs, in base64 as HEARTHLINE_HOME_KEY takes it: the one in the settings while it is good, else the home's current one;
 * undefined when there is no such home. So a relay may keep the key it has while another one is the current one already.
 */
export async function readHomeKey(config: Config, options: CloudOptions = {}): Promise<string | undefined> {
  const { table } = createCloud(config, options);
  const keys = createDynamodbHomeKeys(table);
  const { HEARTHLINE_HOME_ID: homeId, HEARTHLINE_HOME_KEY: given } = config;
  const isGood = given !== undefined && (await keys.find(homeId, keyIdOf(Buffer.from(given, "base64"))));
  const key = isGood || (await keys.current(homeId));
  return key?.secret.toString("base64");
}
