import type { HealthMemory } from "../../api/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { healthKey } from "./keys.ts";
import type { Table } from "./table.ts";

/** Writes only when the state changes. */
export function createDynamodbHealthMemory(table: Table): HealthMemory {
  return {
    note: (homeOrFleet, part, state, at) =>
      compareAndSet(table, async () => {
        const key = healthKey(homeOrFleet, part);
        const item = await table.get(key);
        if (item?.state === state) return String(item.since);
        await table.put({ ...key, state, since: at, version: nextVersion(item) }, unchangedSince(item));
        return at;
      }),
  };
}
