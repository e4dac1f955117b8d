import type { Clock } from "../base/clock.ts";
import { HearthlineError, isHearthlineError } from "../base/errors.ts";
import type { Migration, MigrationStore } from "../migration/ports.ts";
import { changed } from "../migration/row.ts";

/** Steps write the row too: whoever was first is read again. */
const ATTEMPTS = 10;

export interface RepairEntry {
  readonly actor: string;
  /** A sentence: how many rows, from where, to where, what became of them. */
  readonly reason: string;
}

/**
 * Puts what a repair does into the migration's audit: a change that moves nothing.
 * @throws HearthlineError `migration_stale` (others were first each time), fate-`retry` service errors
 */
export async function auditRepair(
  store: Pick<MigrationStore, "get" | "commit">,
  { homeId, id }: Pick<Migration, "homeId" | "id">,
  { clock, ...entry }: RepairEntry & { readonly clock: Pick<Clock, "nowMs"> },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const there = await store.get(homeId, id);
    if (!there)
      throw new HearthlineError("not_found", `The migration "${id}" was to be repaired, and is there no more.`);
    try {
      return await store.commit(changed(there, { ...entry, nowUs: clock.nowMs() * 1000 }), {
        expected: there.revision,
      });
    } catch (thrown) {
      if (!isHearthlineError(thrown) || thrown.code !== "migration_stale" || attempt >= ATTEMPTS) throw thrown;
    }
  }
}
