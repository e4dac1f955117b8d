import { HearthlineError } from "../../base/errors.ts";
import { homeKey, homeOfPartition } from "./keys.ts";
import type { Table } from "./table.ts";

/**
 * The table for whoever works long on a home, or on what it was told a while ago: before anything is put into a home's part, it is looked whether the home is there.
 * What is late for a home that was removed must not come into being again. One small read a write: not for what writes every minute.
 * @throws HearthlineError `not_found`, from `put` and `writeMany`
 */
export function tableOfHomes(table: Table): Table {
  async function requireHome(pk: string): Promise<void> {
    const homeId = homeOfPartition(pk);
    if (homeId === undefined || (await table.get(homeKey(homeId)))) return;
    throw new HearthlineError(
      "not_found",
      `Something was to be written for the home "${homeId}", which is not there any more.`,
    );
  }
  return {
    ...table,
    async put(item, condition) {
      await requireHome(item.pk);
      await table.put(item, condition);
    },
    async writeMany(writes) {
      for (const pk of new Set(writes.puts?.map((item) => item.pk))) await requireHome(pk);
      await table.writeMany(writes);
    },
  };
}
