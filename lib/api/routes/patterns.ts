import * as z from "zod";
import { expectedShareOf, PATTERN_KINDS, type Pattern, type PatternStore } from "../../analysis/index.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { jsonWithTag, pageOf } from "../listing.ts";
import { PATTERN_STATUSES, patternDetailShape, patternPageShape } from "../pattern-shapes.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, entityIdsParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";

export interface PatternParts {
  readonly patterns: Pick<PatternStore, "list" | "get">;
}

const querySchema = z.strictObject({
  kind: z.enum(PATTERN_KINDS).optional(),
  status: z.enum(PATTERN_STATUSES).optional(),
  entity_id: entityIdsParameter,
  area_id: idParameter.optional(),
  automated: z.enum(["true", "false"]).optional(),
  limit: limitParameter,
  cursor: cursorParameter,
});
const TAGS = ["patterns"];

/** Layer 4: what the nights have learned of the home. */
export const patternRoutes = ({ patterns }: PatternParts): ScopedRoute[] => [listRoute(patterns), oneRoute(patterns)];

const listRoute = (patterns: PatternParts["patterns"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/patterns",
  scope: "read",
  operation: {
    operationId: "listPatterns",
    summary: "What the home does again and again, and what was out of the ordinary; by id",
    description: "Patterns are kept for ever: `status` says which are active, which fade, and which have ended.",
    tags: TAGS,
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of patterns", patternPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor, ...filters } = readQuery(querySchema, request.query);
    const { kind, status, entity_id, area_id, automated } = filters;
    const entityIds = entity_id && new Set(entity_id);
    const wanted = (await patterns.list(homeId)).filter(
      (pattern) =>
        (kind === undefined || pattern.kind === kind) &&
        (status === undefined || pattern.status === status) &&
        (area_id === undefined || pattern.areaId === area_id) &&
        (automated === undefined || String(pattern.automated) === automated) &&
        (!entityIds || tokensOf(pattern).some(({ entityId }) => entityIds.has(entityId))),
    );
    const query = ["patterns", homeId, filters];
    const { items, next } = pageOf(wanted, ({ id }) => id, { limit, cursor, query, view: viewOf });
    return jsonWithTag(request, { patterns: items, next });
  },
});

const oneRoute = (patterns: PatternParts["patterns"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/patterns/{id}",
  scope: "read",
  operation: {
    operationId: "getPattern",
    summary: "One pattern with its evidence",
    tags: TAGS,
    requestParams: { path: z.object({ id: idParameter }) },
    responses: {
      "200": jsonAnswer("The pattern", patternDetailShape),
      ...NOT_MODIFIED,
      ...scopedProblems("not_found"),
    },
  },
  async handle(request, { homeId }) {
    const id = request.param("id");
    const pattern = await patterns.get(homeId, id);
    if (!pattern) throw new Problem("not_found", `There is no pattern "${id.slice(0, 80)}" in this home.`);
    const { days90, histogram, details, toldOn, confirmedOn } = pattern;
    return jsonWithTag(request, {
      ...viewOf(pattern),
      told_on: toldOn,
      confirmed_on: confirmedOn,
      evidence: { days: days90, ...(histogram && { histogram }), ...(details && { details }) },
    });
  },
});

const tokensOf = ({ target, trigger, steps = [] }: Pattern) => [target, ...(trigger ? [trigger] : []), ...steps];

const tokenView = ({ entityId, state }: Pattern["target"]) => ({ entity_id: entityId, state });

/** Without its evidence. */
function viewOf(pattern: Pattern) {
  const { trigger, steps, at, anchor, offsetMinutes, days, delaySeconds, durationSeconds, spreadMinutes } = pattern;
  const expected = expectedShareOf(pattern);
  return {
    id: pattern.id,
    home_id: pattern.homeId,
    kind: pattern.kind,
    target: tokenView(pattern.target),
    ...(trigger && { trigger: tokenView(trigger) }),
    ...(steps && { steps: steps.map(tokenView) }),
    ...(at !== undefined && { at }),
    ...(anchor && { anchor }),
    ...(offsetMinutes !== undefined && { offset_minutes: offsetMinutes }),
    ...(days && { days }),
    ...(delaySeconds && { delay_seconds: delaySeconds }),
    ...(durationSeconds && { duration_seconds: durationSeconds }),
    ...(spreadMinutes !== undefined && { spread_minutes: spreadMinutes }),
    ...(pattern.areaId !== undefined && { area_id: pattern.areaId }),
    hits: pattern.hits,
    opportunities: pattern.opportunities,
    reliability: pattern.reliability,
    ...(expected !== undefined && { expected_share: expected }),
    significance: pattern.significance,
    automated: pattern.automated,
    status: pattern.status,
    first_seen: pattern.firstSeen,
    last_seen: pattern.lastSeen,
    title: pattern.title,
  };
}
