import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { isHearthlineError } from "../../base/errors.ts";
import { formatIsoUs } from "../../base/time.ts";
import { OUTBOX_STATUSES, type OutboxMessage, outboxOutcomeSchema } from "../../event/index.ts";
import type { Outbox, OutboxItem } from "../../publish/index.ts";
import { fitting } from "../answer-size.ts";
import { readCursor, writeCursor } from "../cursor.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { jsonWithTag } from "../listing.ts";
import { outboxItemShape, outboxPageShape, outboxRequestShape } from "../outbox-shapes.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import { BODY_PROBLEMS, readBody } from "../read-body.ts";
import { json, type ScopedRoute } from "../route.ts";

export interface OutboxParts {
  readonly outbox: Outbox;
  readonly clock: Pick<Clock, "nowMs">;
  /** Whoever waits for an item's end. Safe to call again. */
  readonly itemEnded?: (item: OutboxItem) => Promise<void>;
}

const querySchema = z.strictObject({
  status: z.enum(OUTBOX_STATUSES).optional(),
  limit: limitParameter,
  cursor: cursorParameter,
});

const TAGS = ["outbox"];

/** What the cloud asks of the house: put in by anybody who may write, fetched and acknowledged by the home's relay. */
export const outboxRoutes = (parts: OutboxParts): ScopedRoute[] => [
  addRoute(parts),
  listRoute(parts),
  acknowledgeRoute(parts),
];

const addRoute = ({ outbox }: OutboxParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/outbox",
  scope: "write",
  operation: {
    operationId: "addToOutbox",
    summary: "Asks something of the home's relay",
    description:
      "`mqtt`: publish a message at the home's broker. `capabilities`: read what Zigbee2MQTT's devices can do; `automation`: write an automation of ours into Home Assistant, or remove it; while one such request waits, the same again gives that one. The relay does it at its next look, at least once, in the order of asking.",
    tags: TAGS,
    requestBody: { required: true, content: { "application/json": { schema: outboxRequestShape } } },
    responses: {
      "200": jsonAnswer("The same request waits already", outboxItemShape),
      "201": jsonAnswer("It waits for the relay", outboxItemShape),
      ...scopedProblems(...BODY_PROBLEMS, "outbox_full"),
    },
  },
  async handle(request, { homeId }) {
    const { expires_in_seconds: expiresInSeconds, ...asked } = await readBody(request, outboxRequestShape);
    const home = { homeId, expiresInSeconds };
    try {
      const { item, added } =
        asked.kind === "mqtt"
          ? await outbox.add({ ...home, kind: "mqtt", message: messageOf(asked) })
          : asked.kind === "automation"
            ? await outbox.add({ ...home, kind: "automation", automation: asked.automation })
            : await outbox.add({ ...home, kind: "capabilities" });
      return json(toWireItem(item), added ? 201 : 200);
    } catch (thrown) {
      if (isHearthlineError(thrown) && thrown.code === "outbox_full") throw new Problem("outbox_full", thrown.message);
      throw thrown;
    }
  },
});

const messageOf = ({ topic, payload, qos, retain }: OutboxMessage): OutboxMessage => ({ topic, payload, qos, retain });

const listRoute = ({ outbox, clock }: OutboxParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/outbox",
  scope: "read",
  operation: {
    operationId: "listOutbox",
    summary: "What waits for the relay and what has become of it, in the order of asking",
    description: "Of those that have ended the newest are kept. A page also ends at about 1 MiB of payloads.",
    tags: TAGS,
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of items", outboxPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { status, limit, cursor } = readQuery(querySchema, request.query);
    const query = ["outbox", homeId, status ?? null];
    const after = cursor === undefined ? undefined : readCursor(cursor, query, z.string());
    const { items, next } = await outbox.list({
      homeId,
      limit,
      nowMs: clock.nowMs(),
      ...(status && { status }),
      ...(after !== undefined && { after }),
    });
    const shown = fitting(items.map(toWireItem));
    const last = shown.length < items.length ? shown.at(-1)?.id : next;
    return jsonWithTag(request, { items: shown, next: last === undefined ? null : writeCursor(last, query) });
  },
});

const acknowledgeRoute = ({ outbox, itemEnded }: OutboxParts): ScopedRoute => ({
  method: "POST",
  path: "/api/v1/outbox/{id}/acknowledge",
  scope: "write",
  operation: {
    operationId: "acknowledgeOutboxItem",
    summary: "Says what has become of an item",
    description: "Again comes to the same. `delivered` outranks `failed`, whoever says it first.",
    tags: TAGS,
    requestParams: { path: z.object({ id: idParameter }) },
    requestBody: { required: true, content: { "application/json": { schema: outboxOutcomeSchema } } },
    responses: {
      "200": jsonAnswer("The item as it is now", outboxItemShape),
      ...scopedProblems(...BODY_PROBLEMS, "not_found"),
    },
  },
  async handle(request, { homeId }) {
    const outcome = await readBody(request, outboxOutcomeSchema);
    const id = request.param("id");
    const item = await outbox.settle(homeId, id, outcome);
    if (!item) throw new Problem("not_found", `There is no item "${id.slice(0, 80)}" in the outbox of this home.`);
    await itemEnded?.(item);
    return json(toWireItem(item));
  },
});

const isoOf = (atMs: number): string => formatIsoUs(atMs * 1000);

const toWireItem = (item: OutboxItem) => ({
  id: item.id,
  home_id: item.homeId,
  kind: item.kind,
  status: item.status,
  created_at: isoOf(item.createdAtMs),
  expires_at: isoOf(item.expiresAtMs),
  attempts: item.attempts,
  ...(item.deliveredAtMs !== undefined && { delivered_at: isoOf(item.deliveredAtMs) }),
  ...(item.error !== undefined && { error: item.error }),
  ...(item.automation && { automation: item.automation }),
  ...item.message,
  ...item.sink,
  ...(item.refetch && { refetch: item.refetch }),
});
