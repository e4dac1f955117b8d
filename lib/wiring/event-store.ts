import { createMemoryEventStore } from "../adapters/memory/event-store.ts";
import { createSqliteEventStore } from "../adapters/sqlite/event-store.ts";
import type { EventStore } from "../store/ports.ts";
import type { Config } from "./config.ts";

const SHARED = Symbol.for("hearthline.memory-event-store");

/**
 * The time-series store that the settings name. `sqlite`: a connection of its own to the file, opened by the first use.
 * `memory`: one for all functions of the process, each of which is a bundle of its own; functions in other processes or threads do not see it.
 */
export function createEventStore(config: Pick<Config, "HEARTHLINE_STORE" | "HEARTHLINE_SQLITE_PATH">): EventStore {
  if (config.HEARTHLINE_STORE === "sqlite") return createSqliteEventStore({ path: config.HEARTHLINE_SQLITE_PATH });
  const shared = globalThis as { [SHARED]?: EventStore };
  shared[SHARED] ??= createMemoryEventStore();
  return shared[SHARED];
}
