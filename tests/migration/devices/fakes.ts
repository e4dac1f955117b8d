import { createMemoryConflictStore } from "../../../lib/adapters/memory/conflicts.ts";
import { createMemoryDeviceIndex } from "../../../lib/adapters/memory/device-index.ts";
import type { Area, Device, RegistryRows } from "../../../lib/devices/ports.ts";
import type { SyncPorts } from "../../../lib/migration/devices/run.ts";
import type { OldDevice, OldDevices } from "../../../lib/migration/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";

export const HOME = "home";

export const device = (given: Partial<Device> & Pick<Device, "deviceId">): Device => ({
  name: given.deviceId,
  labels: [],
  identifiers: [],
  connections: [],
  ...given,
});

/** A list of devices with the habits of others' lists. */
export interface FakeOld extends OldDevices {
  rows: OldDevice[];
  /** Rows of every call. */
  readonly puts: OldDevice[][];
  /** Why it takes a row not. */
  refuses: (row: OldDevice) => string | undefined;
  /** What it makes of a row that it takes. */
  keeps: (row: OldDevice) => OldDevice;
  /** Dies before the call with this number (from 1). */
  diesAt: number | undefined;
}

export function fakeOld(rows: readonly OldDevice[] = []): FakeOld {
  const old: FakeOld = {
    name: "fake",
    rows: [...rows],
    puts: [],
    refuses: () => undefined,
    keeps: (row) => row,
    diesAt: undefined,
    list: async () => old.rows.map((row) => ({ ...row })),
    put: async (devices) => {
      if (old.diesAt === old.puts.length + 1) throw new Error("killed");
      old.puts.push([...devices]);
      const refused: { id: string; reason: string }[] = [];
      for (const row of devices) {
        const reason = old.refuses(row);
        if (reason !== undefined) {
          refused.push({ id: row.id, reason });
          continue;
        }
        const kept = old.keeps(row);
        const at = old.rows.findIndex(({ id }) => id === row.id);
        if (at === -1) old.rows.push(kept);
        else old.rows[at] = kept;
      }
      return { refused };
    },
  };
  return old;
}

/** A home with an index, an old list and a conflict store, all in memory. */
export async function fakeHome({
  devices = [],
  areas = [],
  old = [],
}: {
  devices?: readonly Device[];
  areas?: readonly Area[];
  old?: readonly OldDevice[];
}) {
  const clock = manualClock();
  const index = createMemoryDeviceIndex(clock);
  const conflicts = createMemoryConflictStore();
  const list = fakeOld(old);
  let revision = clock.nowMs();
  const put = async <N extends "devices" | "areas" | "labels">(registry: N, rows: readonly RegistryRows[N][]) => {
    revision += 1_000;
    await index.applyRegistry(HOME, { registry, revision, part: 1, parts: 1, rows });
  };
  await put("areas", areas);
  await put("devices", devices);
  const ports: SyncPorts = { index, abilities: { get: async () => undefined }, conflicts, clock, old: list };
  const allConflicts = async () => (await conflicts.list(HOME, { limit: 1_000, nowMs: clock.nowMs() })).conflicts;
  return { clock, index, conflicts, old: list, ports, put, allConflicts };
}
