import { HearthlineError } from "../../base/errors.ts";
import { aggregateByReading, type Reading } from "../../series/index.ts";
import type { EventStore, Position } from "../../store/ports.ts";
import type { OldSystem } from "../ports.ts";
import { queryForOld } from "./positions.ts";

/** What a read can be asked of. */
export type ReadSide = Pick<EventStore, "range" | "aggregate">;

const PAGE_ROWS = 1_000;
/** Windows of more rows than these are not made: whoever asks would not wait for so many pages. */
export const ROWS_MAX = 200_000;

/**
 * OLD as a reader sees it. Windows are made from its rows here: what OLD computes by itself knows nothing of how long a state holds. `signal`: nobody waits any more, no further page is asked for.
 */
export function oldSide(old: Pick<OldSystem, "range" | "limits">, signal?: AbortSignal): ReadSide {
  const { precisionUs } = old.limits;

  async function* read({ fromUs, toUs, ...of }: Reading) {
    let after: Position | undefined;
    let rows = 0;
    do {
      signal?.throwIfAborted();
      const page = await old.range({
        ...of,
        ...(fromUs !== undefined && { fromUs }),
        ...(toUs !== undefined && { toUs }),
        order: "asc",
        limit: PAGE_ROWS,
        ...(after && { after }),
      });
      if (page.events.length > 0) yield page.events;
      rows += page.events.length;
      after = page.next;
      if (after && rows >= ROWS_MAX)
        throw new HearthlineError(
          "service_timeout",
          `OLD was asked for windows of more than ${ROWS_MAX.toLocaleString("en")} rows; wanted are fewer entities or a shorter span.`,
        );
    } while (after);
  }

  return {
    range: (query) => old.range(queryForOld(query, precisionUs)),
    aggregate: (query) =>
      aggregateByReading(query, {
        read,
        lastBefore: async (homeId, entityId, beforeUs) => {
          signal?.throwIfAborted();
          const { events } = await old.range({
            homeId,
            entityIds: [entityId],
            toUs: beforeUs,
            order: "desc",
            limit: 1,
          });
          return events[0];
        },
      }),
  };
}
