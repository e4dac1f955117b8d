import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { EARLIEST_EVENT_US, type HomeKeys, type Queue } from "../../ingest/index.ts";
import type { EventStore } from "../../store/index.ts";
import { readJson } from "../body.ts";
import type { Caller } from "../caller.ts";
import { readCursor, writeCursor } from "../cursor.ts";
import { jsonAnswer, type Operation, scopedProblems } from "../documented.ts";
import { readEventPage } from "../event-page.ts";
import { eventDataShape, eventFrameShape, plainEventShape } from "../event-shapes.ts";
import { takeEvents } from "../intake.ts";
import { Problem } from "../problem.ts";
import {
  checkSpan,
  cursorParameter,
  domainParameter,
  entityIdsParameter,
  idParameter,
  limitParameter,
  readQuery,
  timeParameter,
} from "../query.ts";
import { type ApiRequest, json, type ScopedRoute } from "../route.ts";
import { sealRecords } from "../seal.ts";
import { acceptedShape, eventPageShape } from "../shapes.ts";

/** One request takes no more events (the contract's number). */
export const EVENTS_MAX = 1_000;
/** So many events count as one request against the limit of a token: about what a page of them costs to read. */
const EVENTS_A_REQUEST = 100;

export interface EventParts {
  readonly events: Pick<EventStore, "range">;
  readonly keys: Pick<HomeKeys, "current">;
  readonly queue: Queue;
  readonly clock: Clock;
  /** How far an event may lie ahead of our clock. */
  readonly futureSeconds: number;
}

const oneEvent = z.union([eventFrameShape, eventDataShape, plainEventShape]);
const bodySchema = z.union([oneEvent, z.array(oneEvent).min(1).max(EVENTS_MAX)]);

const querySchema = z.strictObject({
  from: timeParameter.optional().meta({ description: "Events of this moment and later." }),
  to: timeParameter.optional().meta({ description: "Events before this moment." }),
  entity_id: entityIdsParameter,
  area_id: idParameter.optional().meta({ description: "Where the entity was when it happened." }),
  device_id: idParameter.optional(),
  domain: domainParameter.optional(),
  order: z.enum(["asc", "desc"]).default("desc"),
  limit: limitParameter,
  cursor: cursorParameter,
});

const position = z.tuple([z.int(), z.string(), z.boolean()]);

export function eventRoutes(parts: EventParts): ScopedRoute[] {
  const post = (path: string): ScopedRoute => ({
    method: "POST",
    path,
    scope: "write",
    operation: postOperation(path),
    handle: (request, caller) => postEvents(parts, request, caller),
  });
  return [
    post("/api/v1/events"),
    post("/api/v1/events/forward"),
    {
      method: "GET",
      path: "/api/v1/events",
      scope: "read",
      operation: {
        operationId: "listEvents",
        summary: "Events as they were stored, newest first unless order=asc",
        description:
          "A page also ends at about 4.5 MB: `next` tells whether there may be more. While the home moves from an old pipeline, the header `x-hearthline-authority` says who answered, `old` or `new`.",
        tags: ["events"],
        requestParams: { query: querySchema },
        responses: {
          "200": jsonAnswer("A page of events", eventPageShape),
          ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
        },
      },
      handle: (request, caller) => listEvents(parts, request, caller),
    },
  ];
}

const postOperation = (path: string): Operation => ({
  operationId: path.endsWith("forward") ? "forwardEvents" : "sendEvents",
  summary: "Takes one event or up to 1,000",
  description:
    "Each event by itself: wrong ones are named, the others are queued. They can be read a moment later. Sending the same event again changes nothing. Every 100 events begun count as one request against the token's limit. Secrets (tokens, picture addresses, places) are left out before anything is queued.",
  tags: ["events"],
  requestBody: { required: true, content: { "application/json": { schema: bodySchema } } },
  responses: {
    "202": jsonAnswer("Durably queued", acceptedShape),
    ...scopedProblems(
      "request_invalid",
      "no_event_accepted",
      "body_not_json",
      "body_too_deep",
      "body_too_large",
      "media_type_unsupported",
      "not_found",
    ),
  },
});

async function postEvents(parts: EventParts, request: ApiRequest, caller: Caller): Promise<Response> {
  const { homeId } = caller;
  const body = await readJson(request);
  const values: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (values.length === 0 || values.length > EVENTS_MAX) {
    throw new Problem("request_invalid", `The body holds ${values.length} events; wanted are 1 to ${EVENTS_MAX}.`, {
      errors: [{ field: "", detail: `wanted are 1 to ${EVENTS_MAX} events` }],
    });
  }
  await request.charge(caller, Math.ceil(values.length / EVENTS_A_REQUEST) - 1);
  const nowMs = parts.clock.nowMs();
  const { records, rejected } = takeEvents(values, {
    fromUs: EARLIEST_EVENT_US,
    toUs: (nowMs + parts.futureSeconds * 1000) * 1000,
  });
  if (records.length === 0) {
    const [first] = rejected;
    throw new Problem("no_event_accepted", `None of the ${values.length} events can be taken. ${first?.detail ?? ""}`, {
      rejected,
      errors: rejected.map(({ index, detail }) => ({ field: String(index), detail })),
    });
  }
  const key = await parts.keys.current(homeId);
  if (!key)
    throw new Problem(
      "not_found",
      `The home "${homeId}" has no key with which its events could be signed. Add the home first.`,
    );
  await parts.queue.send(sealRecords(records, { homeId, key, sentAt: new Date(nowMs).toISOString() }));
  return json({ accepted: records.length, rejected }, 202);
}

async function listEvents({ events }: EventParts, request: ApiRequest, { homeId }: Caller): Promise<Response> {
  const query = readQuery(querySchema, request.query);
  checkSpan(query);
  const { limit, cursor, ...filters } = query;
  const asked = { homeId, ...filters, entity_id: filters.entity_id?.toSorted() };
  const after = cursor === undefined ? undefined : readCursor(cursor, asked, position);
  const { shown, next } = await readEventPage(events, {
    homeId,
    ...(filters.entity_id && { entityIds: [...new Set(filters.entity_id)] }),
    ...(filters.area_id !== undefined && { areaId: filters.area_id }),
    ...(filters.device_id !== undefined && { deviceId: filters.device_id }),
    ...(filters.domain !== undefined && { domain: filters.domain }),
    ...(filters.from !== undefined && { fromUs: filters.from }),
    ...(filters.to !== undefined && { toUs: filters.to }),
    order: filters.order,
    limit,
    ...(after && { after: { atUs: after[0], entityId: after[1], removed: after[2] } }),
  });
  return json({
    events: shown,
    next: next ? writeCursor([next.atUs, next.entityId, next.removed], asked) : null,
  });
}
