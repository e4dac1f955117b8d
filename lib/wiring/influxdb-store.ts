import { createInfluxdbEventStore } from "../adapters/influxdb/event-store.ts";
import { HearthlineError } from "../base/errors.ts";
import type { EventStore } from "../store/ports.ts";
import type { Cloud } from "./aws.ts";
import type { Config } from "./config.ts";

/** The store in an InfluxDB. @throws HearthlineError `setting_invalid` without an address */
export function openInfluxdbStore(config: Config, { clock, random }: Cloud): EventStore {
  const { HEARTHLINE_INFLUXDB_URL: url, HEARTHLINE_INFLUXDB_TOKEN: token } = config;
  const { HEARTHLINE_INFLUXDB_USER: user, HEARTHLINE_INFLUXDB_PASSWORD: password } = config;
  if (url === undefined)
    throw new HearthlineError(
      "setting_invalid",
      'HEARTHLINE_STORE is "influxdb" and HEARTHLINE_INFLUXDB_URL is not set; wanted is its address.',
    );
  return createInfluxdbEventStore({
    url,
    database: config.HEARTHLINE_INFLUXDB_DATABASE,
    ...(token !== undefined && { token }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    clock,
    random,
  });
}
