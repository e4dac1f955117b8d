import { createCloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { createEventStore } from "./event-store.ts";

/**
 * Makes what the store of the settings needs (a database, a bucket's rules) with the retention of the settings; what is there is kept. For whoever starts or
 * deploys Hearthline: the functions themselves have no right to.
 * @throws the store's errors
 */
export async function setUpStore(
  config: Config,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  const store = createEventStore(config, createCloud(config, { env }));
  try {
    await store.setUp({ rawDays: config.HEARTHLINE_RAW_DAYS });
  } finally {
    await store.close();
  }
}
