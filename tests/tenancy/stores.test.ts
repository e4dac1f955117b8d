import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { createParquetEventStore } from "../../lib/adapters/parquet/event-store.ts";
import { createFolderObjects } from "../../lib/adapters/parquet/folder-objects.ts";
import { createSqliteEventStore } from "../../lib/adapters/sqlite/event-store.ts";
import { createTimestreamEventStore } from "../../lib/adapters/timestream/event-store.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { type ForeignHomesTraits, foreignHomesConformance } from "../conformance/foreign-homes.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { startSmallTimestream } from "../support/small-timestream.ts";

type Opened = { readonly store: EventStore; dispose(): Promise<void> };

const clock = { ...systemClock, nowMs: () => SOME_TIME_US / 1000 + 3_600_000 };

async function inFolder(make: (folder: string) => EventStore): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "hearthline-tenancy-"));
  const store = make(folder);
  await store.setUp({ rawDays: 90 });
  return {
    store,
    dispose: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function inSmallTimestream(): Promise<Opened> {
  const fast = { ...clock, sleep: async () => {} };
  const small = await startSmallTimestream({ clock: fast });
  const store = createTimestreamEventStore({
    ...{ writes: small.client("timestream-write", fast), queries: small.client("timestream-query", fast) },
    ...{ database: "hearthline", clock: fast },
  });
  await store.setUp({ rawDays: 90 });
  return { store, dispose: () => small.close() };
}

const STORES: Readonly<Record<string, { readonly open: () => Promise<Opened>; readonly traits?: ForeignHomesTraits }>> =
  {
    memory: { open: () => inFolder(() => createMemoryEventStore()) },
    sqlite: { open: () => inFolder((folder) => createSqliteEventStore({ path: join(folder, "store.db") })) },
    parquet: {
      open: () =>
        inFolder((folder) =>
          createParquetEventStore({ objects: createFolderObjects({ folder, clock }), clock, random: seededRandom(1) }),
        ),
    },
    timestream: { open: inSmallTimestream, traits: { every: 5, isPruned: false } },
  };
/** These have no server of ours: tests/peers/tenancy.test.ts asks real ones. */
const ELSEWHERE = ["influxdb"];

for (const [name, { open, traits }] of Object.entries(STORES)) foreignHomesConformance(name, open, traits);

it("every event store that there is stands in this test", () => {
  const adapters = resolve(import.meta.dirname, "../../lib/adapters");
  const there = readdirSync(adapters).filter((name) => existsSync(join(adapters, name, "event-store.ts")));
  expect(there.sort()).toEqual([...Object.keys(STORES), ...ELSEWHERE].sort());
});
