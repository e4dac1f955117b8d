// Makes what the event store of the settings needs, before `npm run deploy` deploys the functions that use it.
import { messageOf } from "../lib/base/errors.ts";
import { readConfig } from "../lib/wiring/config.ts";
import { setUpStore } from "../lib/wiring/store-setup.ts";

try {
  const config = readConfig(process.env);
  await setUpStore(config);
  console.log(`The store "${config.HEARTHLINE_STORE}" is set up for ${config.HEARTHLINE_RAW_DAYS} days of raw events.`);
} catch (thrown) {
  console.error(messageOf(thrown));
  process.exitCode = 1;
}
