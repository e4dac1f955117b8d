import * as z from "zod";
import {
  AGGREGATE_LAYERS,
  type Aggregate,
  type AggregateLayer,
  type AggregateStore,
  ENTITIES,
  type EntityRow,
  type PatternStore,
  type Retention,
  type RetentionRecords,
  unpackRows,
  windowOf,
} from "../../analysis/index.ts";
import { formatIsoUs } from "../../base/time.ts";
import type { EventStore } from "../../store/index.ts";
import { answerBytes, PAGE_MAX_BYTES } from "../answer-size.ts";
import { readCursor, writeCursor } from "../cursor.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { aggregatePageShape, retentionShape } from "../layer-shapes.ts";
import { jsonWithTag } from "../listing.ts";
import { cursorParameter, entityIdsParameter, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";
import { sampleOf } from "../samples.ts";

export interface LayerParts {
  readonly aggregates: AggregateStore;
  readonly patterns: Pick<PatternStore, "list">;
  readonly retentionRecords: RetentionRecords;
  /** By this function's settings: what the next nightly job will enforce. */
  readonly retention: Retention;
  readonly events: Pick<EventStore, "retention">;
}

const querySchema = z.strictObject({
  entity_id: entityIdsParameter,
  from: z.iso.date().optional().meta({ description: "Periods that begin on this local day or later." }),
  to: z.iso.date().optional().meta({ description: "Periods that begin before this local day." }),
  limit: limitParameter,
  cursor: cursorParameter,
});
const positionSchema = z.tuple([z.iso.date(), z.string()]);

export const layerRoutes = (parts: LayerParts): ScopedRoute[] => [
  ...AGGREGATE_LAYERS.map((layer) => aggregateRoute(layer, parts)),
  retentionRoute(parts),
];

const WORDS = { daily: ["days", "day"], weekly: ["weeks", "week"], monthly: ["months", "month"] } as const;

const aggregateRoute = (layer: AggregateLayer, { aggregates }: LayerParts): ScopedRoute => ({
  method: "GET",
  path: `/api/v1/aggregates/${layer}`,
  scope: "read",
  operation: {
    operationId: `list${WORDS[layer][0].replace(/^./, (first) => first.toUpperCase())}`,
    summary: `What each entity did in each ${WORDS[layer][1]}; by date and entity id, also of ${WORDS[layer][0]} whose events are not kept any more`,
    tags: ["aggregates"],
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of aggregates", aggregatePageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { entity_id, from, to, limit, cursor } = readQuery(querySchema, request.query);
    const asked = ["aggregates", layer, homeId, entity_id ?? null, from ?? null, to ?? null];
    const after = cursor === undefined ? undefined : readCursor(cursor, asked, positionSchema);
    const wanted = entity_id && new Set(entity_id);
    const query = {
      homeId,
      layer,
      kind: ENTITIES,
      fromDate: after?.[0] ?? from ?? "0001-01-01",
      toDate: to ?? "9999-12-31",
    };
    const found: ReturnType<typeof toWire>[] = [];
    let bytes = 0;
    let hasMore = false;
    for await (const aggregate of aggregates.range(query)) {
      for (const row of unpackRows(aggregate)) {
        if (wanted && !wanted.has(row.entityId)) continue;
        if (after && aggregate.date === after[0] && row.entityId <= after[1]) continue;
        const wire = toWire(aggregate, row);
        bytes += answerBytes(wire);
        hasMore = found.length === limit || (found.length > 0 && bytes > PAGE_MAX_BYTES);
        if (hasMore) break;
        found.push(wire);
      }
      if (hasMore) break;
    }
    const last = found.at(-1);
    const next = hasMore && last ? writeCursor([last.date, last.entity_id], asked) : null;
    return jsonWithTag(request, { aggregates: found, next });
  },
});

function toWire(aggregate: Aggregate, row: EntityRow) {
  const { fromUs, toUs, heldSeconds, secondsOn, timeMean, first, last, ...rest } = windowOf(row, aggregate);
  return {
    entity_id: row.entityId,
    date: aggregate.date,
    from: formatIsoUs(fromUs),
    to: formatIsoUs(toUs),
    ...rest,
    ...(timeMean !== undefined && { time_mean: timeMean }),
    ...(first && { first: sampleOf(first) }),
    ...(last && { last: sampleOf(last) }),
    held_seconds: heldSeconds,
    seconds_on: secondsOn,
  };
}

const retentionRoute = ({ aggregates, patterns, retentionRecords, retention, events }: LayerParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/retention",
  scope: "read",
  operation: {
    operationId: "getRetention",
    summary: "How long each layer is kept, as the last nightly job enforced it, and the oldest that is there",
    tags: ["aggregates"],
    responses: { "200": jsonAnswer("The layers", retentionShape), ...NOT_MODIFIED, ...scopedProblems() },
  },
  async handle(request, { homeId }) {
    const [enforced, raw, learned] = await Promise.all([
      retentionRecords.get(homeId),
      events.retention(homeId),
      patterns.list(homeId),
    ]);
    const oldest = learned.map(({ firstSeen }) => firstSeen).sort()[0] ?? null;
    const days = daysOf(enforced ?? retention);
    const settings = daysOf(retention);
    const layers = await Promise.all(
      AGGREGATE_LAYERS.map(async (layer) => ({
        layer,
        keep_days: days[layer],
        setting_days: settings[layer],
        means: ["job", "ttl"],
        oldest: (await aggregates.oldest(homeId, layer)) ?? null,
      })),
    );
    return jsonWithTag(request, {
      enforced_at: enforced?.enforcedAt ?? null,
      layers: [
        {
          layer: "raw",
          keep_days: days.raw,
          setting_days: settings.raw,
          means: raw.means,
          ...(raw.storeDays !== undefined && { store_days: raw.storeDays }),
          oldest: raw.oldestUs === undefined ? null : formatIsoUs(raw.oldestUs),
        },
        ...layers,
        { layer: "patterns", keep_days: null, setting_days: null, means: [], oldest },
      ],
    });
  },
});

const daysOf = ({ rawDays, dailyDays, weeklyWeeks }: Retention) => ({
  raw: rawDays,
  daily: dailyDays,
  weekly: 7 * weeklyWeeks,
  monthly: 7 * weeklyWeeks,
});
