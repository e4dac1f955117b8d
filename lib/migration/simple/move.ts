import { HearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import { pointerOf } from "../pointer.ts";
import { ENDED, type Migration, type MigrationStore } from "../ports.ts";
import { changed } from "../row.ts";

const ACTOR = "the simple way";

export interface SimplePlace extends Pick<Migration, "state" | "stagePercent"> {
  readonly reason: string;
}

export interface SimpleMover {
  readonly migrations: Pick<MigrationStore, "get" | "commit" | "setPointer" | "settle">;
  readonly homeId: string;
  readonly id: string;
  readonly nowUs: () => Microseconds;
}

/**
 * The row, then the pointer. A row that stands there already was written by a run that died before the pointer.
 * @throws HearthlineError `not_found`; `migration_state_wrong` when somebody has ended it meanwhile; `migration_stale`, fate-`retry` service errors
 */
export async function moveSimple({ migrations, homeId, id, nowUs }: SimpleMover, place: SimplePlace): Promise<void> {
  const there = await migrations.get(homeId, id);
  if (!there) throw new HearthlineError("not_found", `The migration "${id}" of the home "${homeId}" is gone.`);
  // Who has aborted it before the switch has said what it is going back to: readers are there, and the rest of the way back has no row to write.
  const isBack = there.state === "rolled_back" && place.state === "rolling_back";
  if (ENDED.has(there.state) && there.state !== place.state && !isBack)
    throw new HearthlineError(
      "migration_state_wrong",
      `The migration "${id}" was to become ${place.state}, but it has ended meanwhile: ${there.state}; wanted is one that has not ended.`,
    );
  const isThere = isBack || there.state === place.state;
  const next = isThere ? there : changed(there, { ...place, stage: 0, actor: ACTOR, nowUs: nowUs() });
  if (next !== there) await migrations.commit(next, { expected: there.revision });
  await migrations.setPointer(homeId, pointerOf(next));
  if (ENDED.has(next.state)) await migrations.settle(homeId, id);
}
