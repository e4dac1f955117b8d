import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import type { HomeDirectory } from "../../devices/index.ts";
import type { EventStore } from "../../store/index.ts";
import { aggregateShape, aggregatesView, FUNCTIONS } from "../aggregate-shapes.ts";
import { ANSWER_MAX_BYTES, answerBytes } from "../answer-size.ts";
import { jsonAnswer, scopedProblems } from "../documented.ts";
import { Problem } from "../problem.ts";
import { checkSpan, entityIdsParameter, readQuery, timeParameter } from "../query.ts";
import { json, type ScopedRoute } from "../route.ts";
import { WINDOWS, windowEdges, windowsBetween } from "../window-edges.ts";

export interface AggregateParts {
  readonly events: Pick<EventStore, "aggregate">;
  readonly homes: Pick<HomeDirectory, "get">;
  readonly clock: Pick<Clock, "nowMs">;
}

/** Windows of all entities together: a month of five minutes of one entity, or of hours of twelve. */
const WINDOWS_MAX = 10_000;
/** So many windows count as one request against the limit of a token. */
const WINDOWS_A_REQUEST = 1_000;

const querySchema = z.strictObject({
  entity_id: entityIdsParameter.unwrap().meta({ description: "Repeated, or a list with commas." }),
  from: timeParameter.meta({ description: "Where the first window begins." }),
  to: timeParameter.optional().meta({ description: "Where the last window ends. Default, and at most: now." }),
  window: z.enum(WINDOWS).default("1h"),
  functions: z
    .array(z.enum(FUNCTIONS))
    .min(1)
    .max(FUNCTIONS.length)
    .default([...FUNCTIONS])
    .meta({ description: "Repeated, or a list with commas. Default: all." }),
});

/** What entities were over time, in windows of the home's clock. */
export const aggregateRoute = (parts: AggregateParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/events/aggregate",
  scope: "read",
  operation: {
    operationId: "aggregateEvents",
    summary:
      "Means, extremes, counts and times of entities in windows of 5 minutes, an hour or a day of the home's clock",
    description: `A state holds until the entity's next event, also over the windows' edges, and never beyond now; an hour of long-term statistics for that hour. Windows begin at whole local hours (five minutes, midnights); the first begins at \`from\`, the last ends at \`to\`. Windows of all entities together: at most ${WINDOWS_MAX.toLocaleString("en")}; every ${WINDOWS_A_REQUEST.toLocaleString("en")} begun count as one request against the token's limit.`,
    tags: ["events"],
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("The windows of each entity, in the order asked for", aggregateShape),
      ...scopedProblems("request_invalid", "not_found"),
    },
  },
  async handle(request, caller) {
    const { homeId } = caller;
    const { entity_id, from, to, window, functions } = readQuery(querySchema, request.query);
    checkSpan({ from, to });
    const nowUs = parts.clock.nowMs() * 1000;
    const toUs = Math.min(to ?? nowUs, nowUs);
    const entityIds = [...new Set(entity_id)];
    checkCount(entityIds.length * windowsBetween(from, toUs, window));
    const home = await parts.homes.get(homeId);
    if (!home) throw new Problem("not_found", `The home "${homeId}" is not known. Add it first.`);
    const { timeZone } = home;
    const edges = from < toUs ? windowEdges({ fromUs: from, toUs }, window, timeZone) : [];
    await request.charge(caller, Math.ceil((entityIds.length * edges.length) / WINDOWS_A_REQUEST) - 1);
    const found =
      edges.length === 0
        ? entityIds.map((entityId) => ({ entityId, windows: [] }))
        : await parts.events.aggregate({ homeId, entityIds, edges });
    const wanted = new Set(functions);
    const entities = found.map((entity) => aggregatesView(entity, wanted, timeZone));
    const answer = { window, time_zone: timeZone, entities };
    checkBytes(answerBytes(answer));
    return json(answer);
  },
});

/** @throws Problem `request_invalid` */
function checkCount(count: number): void {
  if (count <= WINDOWS_MAX) return;
  throw tooMuch(
    `wanted are at most ${WINDOWS_MAX.toLocaleString("en")} windows of all entities together, these would be ${count.toLocaleString("en")}: ask for a shorter span, longer windows or fewer entities`,
  );
}

/** Texts of 255 characters at both ends of ten thousand windows are more than a function may answer. @throws Problem `request_invalid` */
function checkBytes(bytes: number): void {
  if (bytes <= ANSWER_MAX_BYTES) return;
  throw tooMuch(
    `wanted are at most ${ANSWER_MAX_BYTES.toLocaleString("en")} bytes in one answer, this would have ${bytes.toLocaleString("en")}: ask for fewer windows or entities, or without the functions "first" and "last"`,
  );
}

function tooMuch(detail: string): Problem {
  return new Problem("request_invalid", `The query string is not valid. window: ${detail}`, {
    errors: [{ field: "window", detail }],
  });
}
