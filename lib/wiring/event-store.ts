import { HearthlineError } from "../base/errors.ts";
import { createLogger } from "../base/log.ts";
import type { EventStore } from "../store/ports.ts";
import { type Cloud, createCloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { lazyEventStore } from "./lazy-event-store.ts";

const SHARED = Symbol.for("hearthline.memory-event-store");

/**
 * The time-series store that the settings name, loaded and opened by its first use. `memory`: one for all functions of the process, each of which is a bundle
 * of its own; functions in other processes or threads do not see it. `cloud`: whose clients, clock and table it uses; default: one of these settings.
 */
export function createEventStore(config: Config, cloud: Cloud = createCloud(config)): EventStore {
  return lazyEventStore(() => open(config, cloud));
}

/**
 * esbuild puts the name of the deployment's one store in the place of `process.env.HEARTHLINE_STACK_BUNDLED_STORE` (serverless/bundle.cjs), finds the other branches dead,
 * and leaves their stores out of a function's bundle. So each condition is written out: behind a function or a constant it does not see it.
 */
async function open(config: Config, cloud: Cloud): Promise<EventStore> {
  const { HEARTHLINE_STORE: store } = config;
  const { clock } = cloud;
  if ((process.env.HEARTHLINE_STACK_BUNDLED_STORE ?? "sqlite") === "sqlite" && store === "sqlite") {
    const { createSqliteEventStore } = await import("../adapters/sqlite/event-store.ts");
    const log = createLogger({ level: config.HEARTHLINE_LOG_LEVEL, fields: { store } });
    return createSqliteEventStore({ path: config.HEARTHLINE_SQLITE_PATH, onNotice: (notice) => log.info(notice) });
  }
  if ((process.env.HEARTHLINE_STACK_BUNDLED_STORE ?? "parquet") === "parquet" && store === "parquet") {
    const { openParquetStore } = await import("./parquet-store.ts");
    return openParquetStore(config, cloud);
  }
  if ((process.env.HEARTHLINE_STACK_BUNDLED_STORE ?? "influxdb") === "influxdb" && store === "influxdb") {
    const { openInfluxdbStore } = await import("./influxdb-store.ts");
    return openInfluxdbStore(config, cloud);
  }
  if ((process.env.HEARTHLINE_STACK_BUNDLED_STORE ?? "timestream") === "timestream" && store === "timestream") {
    const { createTimestreamEventStore } = await import("../adapters/timestream/event-store.ts");
    const [writes, queries] = [cloud.client("timestream-write"), cloud.client("timestream-query")];
    return createTimestreamEventStore({ writes, queries, database: config.HEARTHLINE_TIMESTREAM_DATABASE, clock });
  }
  if ((process.env.HEARTHLINE_STACK_BUNDLED_STORE ?? "memory") === "memory" && store === "memory") {
    const { createMemoryEventStore } = await import("../adapters/memory/event-store.ts");
    const shared = globalThis as { [SHARED]?: EventStore };
    shared[SHARED] ??= createMemoryEventStore();
    // Whoever closes it closes his view of it.
    return { ...shared[SHARED], close: async () => {} };
  }
  throw new HearthlineError(
    "setting_invalid",
    `HEARTHLINE_STORE is "${store}", and this function was deployed for the store "${process.env.HEARTHLINE_STACK_BUNDLED_STORE}"; wanted is a deployment with that setting.`,
  );
}
