import type { MigrationStore, Pointer } from "../../migration/ports.ts";
import { compareAndSet, isConflict } from "./compare-and-set.ts";
import { pointerKey } from "./keys.ts";
import type { Table } from "./table.ts";

/** Above every epoch: what is written here, no step of the migration that set it sets again. */
const EPOCHS = 1_000_000_000;

/** The one small record that readers ask for. Its fence rises with a home's migrations, and within one with its epochs. `ordinalOf`: which migration of its home one is, from 1; 0: unknown. */
export function createPointers(
  table: Table,
  ordinalOf: (homeId: string, id: string) => Promise<number>,
): Pick<MigrationStore, "pointer" | "setPointer"> {
  return {
    async pointer(homeId) {
      const item = await table.get(pointerKey(homeId));
      return item?.data === undefined ? undefined : (JSON.parse(String(item.data)) as Pointer);
    },

    async setPointer(homeId, pointer) {
      const key = pointerKey(homeId);
      if (!pointer)
        return compareAndSet(table, async () => {
          const item = await table.get(key);
          if (!item) return;
          const fence = Math.floor(Number(item.fence) / EPOCHS) * EPOCHS + EPOCHS - 1;
          await table.put({ ...key, fence }, { expression: "fence = :read", values: { ":read": item.fence } });
        });
      const there = await table.get(key);
      const data = JSON.stringify(pointer);
      // Each step sets it: mostly it is there.
      if (there?.data === data) return;
      const fence = (await ordinalOf(homeId, pointer.migrationId)) * EPOCHS + pointer.epoch;
      const isNotLater = "attribute_not_exists(pk) OR fence <= :fence";
      try {
        await table.put({ ...key, fence, data }, { expression: isNotLater, values: { ":fence": fence } });
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
      }
    },
  };
}
