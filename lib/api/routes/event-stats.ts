import * as z from "zod";
import { formatIsoUs } from "../../base/time.ts";
import type { EntityStats, EventStore } from "../../store/index.ts";
import { jsonAnswer, scopedProblems } from "../documented.ts";
import { pageOf } from "../listing.ts";
import { checkSpan, cursorParameter, entityIdsParameter, limitParameter, readQuery, timeParameter } from "../query.ts";
import { json, type ScopedRoute } from "../route.ts";
import { eventStatsShape } from "../shapes.ts";

export interface EventStatsParts {
  readonly events: Pick<EventStore, "stats">;
}

const querySchema = z.strictObject({
  entity_id: entityIdsParameter,
  from: timeParameter.optional().meta({ description: "Counts events of this moment and later." }),
  to: timeParameter.optional().meta({ description: "Counts events before this moment." }),
  limit: limitParameter,
  cursor: cursorParameter,
});

/** What of each entity is stored: for whoever wonders what fills the disk, or which sensor has gone silent. */
export const eventStatsRoute = ({ events }: EventStatsParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/events/stats",
  scope: "read",
  operation: {
    operationId: "getEventStats",
    summary: "For each entity how many events are stored, the first, the last, the longest gap; by entity id",
    tags: ["events"],
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of the entities of which there are events", eventStatsShape),
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { entity_id, from, to, limit, cursor } = readQuery(querySchema, request.query);
    checkSpan({ from, to });
    const stats = await events.stats({
      homeId,
      ...(entity_id && { entityIds: [...new Set(entity_id)] }),
      ...(from !== undefined && { fromUs: from }),
      ...(to !== undefined && { toUs: to }),
    });
    const query = { homeId, list: "stats", entity_id: entity_id?.toSorted(), from, to };
    const { items, next } = pageOf(stats, ({ entityId }) => entityId, { limit, cursor, query, view: toWire });
    return json({ entities: items, next });
  },
});

const toWire = (entity: EntityStats) => ({
  entity_id: entity.entityId,
  count: entity.count,
  first: formatIsoUs(entity.firstUs),
  last: formatIsoUs(entity.lastUs),
  bytes: Math.round(entity.bytes),
  longest_gap_seconds: entity.longestGapSeconds,
});
