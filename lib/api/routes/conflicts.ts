import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { isHearthlineError } from "../../base/errors.ts";
import { type ConflictRules, type ConflictStore, compareDevices, type DeviceIndex } from "../../devices/index.ts";
import { fitting } from "../answer-size.ts";
import { readJson } from "../body.ts";
import {
  CONFLICT_STATUSES,
  comparisonShape,
  conflictChoiceShape,
  conflictPageShape,
  conflictShape,
} from "../change-shapes.ts";
import { conflictView } from "../change-views.ts";
import { readCursor, writeCursor } from "../cursor.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { jsonWithTag } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, invalid, limitParameter, readQuery } from "../query.ts";
import { json, type ScopedRoute } from "../route.ts";

export interface ConflictParts {
  readonly index: Pick<DeviceIndex, "list" | "history" | "revisions">;
  readonly conflicts: ConflictStore;
  readonly conflictRules: ConflictRules;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
}

const querySchema = z.strictObject({
  status: z.enum(CONFLICT_STATUSES).optional(),
  device_id: idParameter.optional(),
  limit: limitParameter,
  cursor: cursorParameter,
});
const TAGS = ["index"];

/** Where the home's sources disagree about its devices. */
export const conflictRoutes = (parts: ConflictParts): ScopedRoute[] => [
  listRoute(parts),
  settleRoute(parts),
  syncRoute(parts),
];

const listRoute = ({ conflicts, clock }: ConflictParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/conflicts",
  scope: "read",
  operation: {
    operationId: "listConflicts",
    summary: "Where sources say something different about a device, and how that was settled",
    description:
      "`new` is Home Assistant's registry, `old` the other source. How they are settled says the setting HEARTHLINE_DEVICE_CONFLICTS.",
    tags: TAGS,
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of conflicts", conflictPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { status, device_id, limit, cursor } = readQuery(querySchema, request.query);
    const query = ["conflicts", homeId, status ?? null, device_id ?? null];
    const after = cursor === undefined ? undefined : readCursor(cursor, query, z.string());
    const page = await conflicts.list(homeId, {
      limit,
      nowMs: clock.nowMs(),
      ...(status && { status }),
      ...(device_id !== undefined && { subjectId: device_id }),
      ...(after !== undefined && { after }),
    });
    const shown = fitting(page.conflicts.map(conflictView));
    const next = shown.length < page.conflicts.length ? shown.at(-1)?.id : page.next;
    return jsonWithTag(request, { conflicts: shown, next: next === undefined ? null : writeCursor(next, query) });
  },
});

const settleRoute = ({ conflicts, clock }: ConflictParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/conflicts/{id}/settle",
  scope: "write",
  operation: {
    operationId: "settleConflict",
    summary: "Settles a conflict by hand",
    description: "It holds until a source says something else. Again comes to the same.",
    tags: TAGS,
    requestParams: { path: z.object({ id: idParameter }) },
    requestBody: { required: true, content: { "application/json": { schema: conflictChoiceShape } } },
    responses: {
      "200": jsonAnswer("The conflict as it is now", conflictShape),
      ...scopedProblems(
        "request_invalid",
        "body_not_json",
        "body_too_deep",
        "body_too_large",
        "media_type_unsupported",
        "not_found",
        "conflict_not_settled",
      ),
    },
  },
  async handle(request, { homeId }) {
    const parsed = conflictChoiceShape.safeParse(await readJson(request));
    if (!parsed.success) throw invalid("The body is not valid", parsed.error);
    const { chosen, reason } = parsed.data;
    const id = request.param("id");
    try {
      const choice = { chosen, atMs: clock.nowMs(), ...(reason !== undefined && { reason }) };
      const conflict = await conflicts.settle(homeId, id, choice);
      if (!conflict) throw new Problem("not_found", `There is no conflict "${id.slice(0, 80)}" in this home.`);
      return json(conflictView(conflict));
    } catch (thrown) {
      if (isHearthlineError(thrown) && thrown.code === "request_invalid")
        throw new Problem("conflict_not_settled", thrown.message);
      throw thrown;
    }
  },
});

const syncRoute = ({ index, conflicts, conflictRules: rules, clock }: ConflictParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/conflicts/sync",
  scope: "write",
  operation: {
    operationId: "compareDevices",
    summary: "Compares what the sources say of every device, now",
    description: "It is also done whenever a source has brought its devices. Again comes to the same.",
    tags: TAGS,
    responses: { "200": jsonAnswer("What it came to", comparisonShape), ...scopedProblems() },
  },
  async handle(_request, { homeId }) {
    const { durationMs, ...result } = await compareDevices(homeId, { index, conflicts, rules, clock });
    return json({ ...result, duration_ms: durationMs });
  },
});
