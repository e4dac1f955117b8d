import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { isHearthlineError } from "../../base/errors.ts";
import type { HomeDirectory } from "../../devices/index.ts";
import {
  type Decision,
  forVersion,
  SNOOZE_DAYS_MAX,
  SUGGESTION_STATUSES,
  type Suggestion,
  type SuggestionStore,
  settle,
  toYaml,
} from "../../suggestions/index.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems, textAnswer } from "../documented.ts";
import { jsonWithTag, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import { BODY_PROBLEMS, readBody } from "../read-body.ts";
import { type ApiRequest, json, type ScopedRoute } from "../route.ts";
import { suggestionPageShape, suggestionShape } from "../suggestion-shapes.ts";

export interface SuggestionParts {
  readonly suggestions: SuggestionStore;
  readonly homes: Pick<HomeDirectory, "get">;
  readonly clock: Pick<Clock, "nowMs">;
  /** What is done in the house about a decision: an accepted automation is written there, buttons go. Safe to call again. */
  readonly tellHouse?: (suggestion: Suggestion) => Promise<void>;
}

const querySchema = z.strictObject({
  status: z.enum(SUGGESTION_STATUSES).optional(),
  limit: limitParameter,
  cursor: cursorParameter,
});
const TAGS = ["suggestions"];
const pathParameters = { path: z.object({ id: idParameter }) };

export const suggestionRoutes = (parts: SuggestionParts): ScopedRoute[] => [
  listRoute(parts),
  getRoute(parts),
  yamlRoute(parts),
  ...(["accept", "dismiss", "restore"] as const).map((what) => decisionRoute(what, parts)),
  snoozeRoute(parts),
];

const listRoute = ({ suggestions }: SuggestionParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/suggestions",
  scope: "read",
  operation: {
    operationId: "listSuggestions",
    summary: "What Home Assistant could do for the home: the best first, then what became of the others",
    tags: TAGS,
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of suggestions", suggestionPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { status, limit, cursor } = readQuery(querySchema, request.query);
    const all = (await suggestions.list(homeId)).filter((one) => status === undefined || one.status === status);
    // By rank, then by when it last changed, newest first; the id tells equal ones apart.
    const keyOf = ({ rank, updatedAt, id }: Suggestion) =>
      `${String(rank ?? UNRANKED).padStart(4, "0")}\n${9_999_999_999_999 - Date.parse(updatedAt)}\n${id}`;
    const query = ["suggestions", homeId, status ?? null];
    const { items, next } = pageOf(all, keyOf, { limit, cursor, query, view: toWire });
    return jsonWithTag(request, { suggestions: items, next });
  },
});
const UNRANKED = 9_999;

const getRoute = (parts: SuggestionParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/suggestions/{id}",
  scope: "read",
  operation: {
    operationId: "getSuggestion",
    summary: "One suggestion with its automation, its evidence and what became of it",
    tags: TAGS,
    requestParams: pathParameters,
    responses: {
      "200": jsonAnswer("The suggestion", suggestionShape),
      ...NOT_MODIFIED,
      ...scopedProblems("not_found"),
    },
  },
  handle: async (request, { homeId }) => jsonWithTag(request, toWire(await found(parts, homeId, request))),
});

const yamlRoute = (parts: SuggestionParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/suggestions/{id}/automation.yaml",
  scope: "read",
  operation: {
    operationId: "getAutomationYaml",
    summary: "The automation as this home's version of Home Assistant takes it, to be pasted into its editor",
    tags: TAGS,
    requestParams: pathParameters,
    responses: {
      "200": textAnswer(
        "The automation, in the keys of the home's version",
        "application/yaml",
        z.record(z.string(), z.unknown()),
      ),
      ...scopedProblems("not_found"),
    },
  },
  async handle(request, { homeId }) {
    const { id, automation } = await found(parts, homeId, request);
    if (!automation) throw new Problem("not_found", `The suggestion "${id}" has no automation: a person has to do it.`);
    const { haVersion } = (await parts.homes.get(homeId)) ?? {};
    return new Response(toYaml(forVersion(automation, haVersion)), {
      headers: { "content-type": "application/yaml; charset=utf-8", "cache-control": "no-store" },
    });
  },
});

const DECISION_WORDS = {
  accept: "Takes it: the relay writes the automation into Home Assistant, where it may",
  dismiss: "Never suggests it again, nor what comes to the same",
  restore:
    "Takes a dismissal or a snooze back: it is where it was; once a night has passed, it may be suggested again from the next one on",
} as const;

const decisionRoute = (what: keyof typeof DECISION_WORDS, parts: SuggestionParts): ScopedRoute => ({
  method: "POST",
  path: `/api/v1/suggestions/{id}/${what}`,
  scope: "write",
  operation: {
    operationId: `${what}Suggestion`,
    summary: DECISION_WORDS[what],
    description: "Again comes to the same.",
    tags: TAGS,
    requestParams: pathParameters,
    responses: {
      "200": jsonAnswer("The suggestion as it is now", suggestionShape),
      ...scopedProblems("not_found", "suggestion_accepted"),
    },
  },
  handle: (request, { homeId }) => decide(parts, homeId, request, { what }),
});

const snoozeSchema = z
  .strictObject({ days: z.int().min(1).max(SNOOZE_DAYS_MAX).default(14) })
  .meta({ id: "SnoozeRequest" });

const snoozeRoute = (parts: SuggestionParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/suggestions/{id}/snooze",
  scope: "write",
  operation: {
    operationId: "snoozeSuggestion",
    summary: "Puts it off for some days",
    tags: TAGS,
    requestParams: pathParameters,
    requestBody: { required: true, content: { "application/json": { schema: snoozeSchema } } },
    responses: {
      "200": jsonAnswer("The suggestion as it is now", suggestionShape),
      ...scopedProblems(...BODY_PROBLEMS, "not_found", "suggestion_accepted"),
    },
  },
  async handle(request, { homeId }) {
    const { days } = await readBody(request, snoozeSchema);
    return decide(parts, homeId, request, { what: "snooze", days });
  },
});

async function found({ suggestions }: SuggestionParts, homeId: string, request: ApiRequest): Promise<Suggestion> {
  const id = request.param("id");
  const suggestion = await suggestions.get(homeId, id);
  if (!suggestion) throw notFound(id);
  return suggestion;
}

const notFound = (id: string): Problem =>
  new Problem("not_found", `There is no suggestion "${id.slice(0, 80)}" in this home.`);

async function decide(
  parts: SuggestionParts,
  homeId: string,
  request: ApiRequest,
  decision: Decision,
): Promise<Response> {
  const id = request.param("id");
  const by = { at: new Date(parts.clock.nowMs()).toISOString(), by: "api" };
  try {
    const all = await parts.suggestions.change(homeId, (there) =>
      there.map((one) => (one.id === id ? settle(one, decision, by) : one)),
    );
    const settled = all.find((one) => one.id === id);
    if (!settled) throw notFound(id);
    await parts.tellHouse?.(settled);
    return json(toWire(settled));
  } catch (thrown) {
    if (isHearthlineError(thrown) && thrown.code === "suggestion_accepted")
      throw new Problem("suggestion_accepted", thrown.message);
    throw thrown;
  }
}

const toWire = (one: Suggestion) => ({
  id: one.id,
  home_id: one.homeId,
  source: one.source,
  ...(one.rank !== undefined && { rank: one.rank }),
  score: one.score,
  title: one.title,
  description: one.description,
  evidence: one.evidence,
  ...(one.automation && { automation: one.automation }),
  status: one.status,
  created_at: one.createdAt,
  updated_at: one.updatedAt,
  ...(one.snoozedUntil !== undefined && { snoozed_until: one.snoozedUntil }),
  ...(one.patternId !== undefined && { pattern_id: one.patternId }),
  ...(one.deviceId !== undefined && { device_id: one.deviceId }),
  ...(one.feature !== undefined && { feature: one.feature }),
  ...(one.outcome !== undefined && { outcome: one.outcome }),
  ...(one.outcomeDetail !== undefined && { outcome_detail: one.outcomeDetail }),
  ...(one.automationId !== undefined && { automation_id: one.automationId }),
  history: one.history,
});
