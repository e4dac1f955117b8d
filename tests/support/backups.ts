import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import type { CreateOptions } from "../../lib/backup/create.ts";
import { createBackup, restoreBackup, verifyBackup } from "../../lib/backup/index.ts";
import type { BackupSink, BackupSource, Deliveries, HomeTable, TableItem } from "../../lib/backup/ports.ts";
import type { RestoreOptions } from "../../lib/backup/restore.ts";
import type { Clock } from "../../lib/base/clock.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { manualClock } from "./manual-clock.ts";

/** A file in memory. */
export function memorySink() {
  const parts: Buffer[] = [];
  let state: "open" | "committed" | "aborted" = "open";
  const sink: BackupSink = {
    write: async (bytes) => void parts.push(Buffer.from(bytes)),
    commit: async () => {
      state = "committed";
    },
    abort: async () => {
      state = "aborted";
    },
  };
  return { sink, bytes: () => Buffer.concat(parts), state: () => state };
}

export const memorySource = (bytes: Uint8Array): BackupSource => ({
  name: "test.backup",
  bytes: bytes.length,
  read: async (position, length) => bytes.subarray(Math.max(0, position), Math.max(0, position + length)),
  close: async () => {},
});

/** A table that keeps homes' items in memory, as the port says. */
export function memoryHomeTable(given: Readonly<Record<string, readonly TableItem[]>> = {}) {
  const homes = new Map(
    Object.entries(given).map(([home, items]) => [home, new Map(items.map((one) => [one.key, one]))]),
  );
  const markers = new Map<string, string>();
  const of = (homeId: string) => {
    const items = homes.get(homeId) ?? new Map<string, TableItem>();
    homes.set(homeId, items);
    return items;
  };
  const table: HomeTable = {
    layout: 1,
    async *items(homeId) {
      yield* of(homeId).values();
    },
    occupied: async (homeId) =>
      [...new Set([...of(homeId).values()].map(({ kind }) => kind))].filter((kind) => kind !== "HOME"),
    check: () => {},
    restoring: async (homeId) => markers.get(homeId),
    beginRestore: async (homeId, id) => void markers.set(homeId, id),
    async restore(homeId, items) {
      const counts = { written: 0, same: 0, kept: 0 };
      for await (const item of items) {
        const there = of(homeId).get(item.key);
        if (there) counts[JSON.stringify(there) === JSON.stringify(item) ? "same" : "kept"]++;
        else {
          of(homeId).set(item.key, item);
          counts.written++;
        }
      }
      return counts;
    },
    async ensureKey(homeId, { id }) {
      if ([...of(homeId).values()].some(({ kind }) => kind === "KEY")) return false;
      of(homeId).set(`KEY#${id}`, { key: `KEY#${id}`, kind: "KEY", isSecret: true, values: {} });
      return true;
    },
    endRestore: async (homeId) => void markers.delete(homeId),
  };
  return {
    table,
    items: (homeId: string) => [...of(homeId).values()],
    marker: (homeId: string) => markers.get(homeId),
  };
}

/** Who sleeps has slept at once. */
export function jumpingClock(): Clock {
  const clock = manualClock();
  return { ...clock, sleep: (ms) => clock.advance(ms) };
}

const quiet: Deliveries = { waiting: async () => 0, setAside: async () => 0 };

export const SETTLING = { looks: 2, everyMs: 100, minMs: 0, maxMs: 60_000 };

export const ITEMS: readonly TableItem[] = [
  { key: "HOME", kind: "HOME", isSecret: false, values: { data: '{"homeId":"home"}', revision: 3 } },
  { key: "LEDGER#r1", kind: "LEDGER", isSecret: false, values: { data: "{}", version: 7 } },
  { key: "ROWS#entities#1#1#0", kind: "ROWS", isSecret: false, values: {}, bytes: { packed: "AAECAw==" } },
  { key: "KEY#k1", kind: "KEY", isSecret: true, values: {}, bytes: { secret: "c2VjcmV0LXNpZ25pbmcta2V5" } },
  { key: "TOKEN#t1", kind: "TOKEN", isSecret: true, values: { hash: "hash-of-a-token" } },
];

export interface BackedUp {
  readonly passphrase?: string;
  readonly table?: HomeTable;
  readonly deliveries?: Deliveries;

  readonly options?: Partial<CreateOptions>;
}

export const storeOf = async (events: readonly HomeEvent[]): Promise<EventStore> => {
  const store = createMemoryEventStore();
  await store.write(events);
  return store;
};

/** A backup of a home of these events, or of what a store has. */
export async function backUp(events: readonly HomeEvent[] | EventStore, given: BackedUp = {}) {
  const store = "range" in events ? events : await storeOf(events);
  const { table = memoryHomeTable({ home: ITEMS }).table, deliveries = quiet } = given;
  const file = memorySink();
  const created = await createBackup(
    { table, store, deliveries, clock: jumpingClock(), sink: file.sink },
    {
      ...{ homeId: "home", settings: { HEARTHLINE_RAW_DAYS: "7" }, hearthline: "0.0.0", storeKind: "memory" },
      ...{ settling: SETTLING, passphrase: given.passphrase },
      ...given.options,
    },
  );
  return { created, bytes: file.bytes() };
}

export const verify = (bytes: Uint8Array, passphrase?: string) => verifyBackup(memorySource(bytes), { passphrase });

export const NEW_KEY = { id: "new", secret: Buffer.alloc(32, 7) };

/** Into an empty system of its own, unless one is given. */
export async function restore(
  bytes: Uint8Array,
  given: { readonly store?: EventStore; readonly table?: HomeTable; readonly options?: Partial<RestoreOptions> } = {},
) {
  const { store = createMemoryEventStore(), table = memoryHomeTable().table } = given;
  const ports = { table, store, source: memorySource(bytes), clock: jumpingClock(), random: () => 0.5 };
  const restored = await restoreBackup(ports, { rawDays: 7, newKey: () => NEW_KEY, ...given.options });
  return { restored, store, table };
}
