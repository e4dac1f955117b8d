import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { startInfluxdb } from "./influxdb-server.ts";

/** One opened store to measure. */
export interface MeasuredStore {
  readonly store: EventStore;
  /** What it takes at rest; undefined: it is not on a disk. Of files: asked when they were closed and opened again. */
  bytes(): number | undefined;
  /** After the store was closed: ends what was started for it. */
  stop(): Promise<void>;
}

/** A store kind: how it is opened in an empty folder, and again. */
export interface StoreKind {
  readonly open: (folder: string) => Promise<MeasuredStore>;
  /** What it keeps lies in the folder and is found again by opening it anew. */
  readonly isFile?: true;
  /** So many events of the wish are enough: more would only take longer. */
  readonly eventsMax?: number;
  readonly goals: Readonly<Record<string, number>>;
}

export const STORES: Readonly<Record<string, StoreKind>> = {
  sqlite: {
    async open(folder) {
      const { createSqliteEventStore } = await import("../../lib/adapters/sqlite/event-store.ts");
      return onDisk(createSqliteEventStore({ path: join(folder, "store.db") }), folder);
    },
    isFile: true,
    goals: { insert_rows_per_second: 500_000, closed_bytes_per_row: 30, month_to_open_day_ratio: 2 },
  },
  parquet: {
    async open(folder) {
      const { createParquetEventStore } = await import("../../lib/adapters/parquet/event-store.ts");
      const { createFolderObjects } = await import("../../lib/adapters/parquet/folder-objects.ts");
      const objects = createFolderObjects({ folder, clock: systemClock });
      return onDisk(createParquetEventStore({ objects, clock: systemClock, random: systemRandom }), folder);
    },
    isFile: true,
    goals: { closed_bytes_per_row: 6, month_to_open_day_ratio: 2 },
  },
  influxdb: {
    async open(folder) {
      const { createInfluxdbEventStore } = await import("../../lib/adapters/influxdb/event-store.ts");
      const server = await startInfluxdb(folder);
      const options = { url: server.url, database: "bench", clock: systemClock, random: systemRandom };
      return {
        store: createInfluxdbEventStore(options),
        bytes: () => folderBytes(join(server.dir, "data")),
        stop: server.stop,
      };
    },
    eventsMax: 300_000,
    goals: {},
  },
  memory: {
    open: async () => ({ store: createMemoryEventStore(), bytes: () => undefined, stop: async () => {} }),
    eventsMax: 300_000,
    goals: {},
  },
};

const onDisk = (store: EventStore, folder: string): MeasuredStore => ({
  store,
  bytes: () => folderBytes(folder),
  stop: async () => {},
});

export function folderBytes(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}
