import * as z from "zod";
import {
  type DatedChange,
  type DeviceIndex,
  datedChanges,
  historyOfDevice,
  historyOfRow,
  zigbeeAddressesOf,
} from "../../devices/index.ts";
import { changePageShape, deviceHistoryShape, INDEXED } from "../change-shapes.ts";
import { changeView } from "../change-views.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { jsonWithTag, type ListQuery, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, invalid, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";

export interface ChangeParts {
  readonly index: Pick<DeviceIndex, "list" | "history">;
}

const paging = { limit: limitParameter, cursor: cursorParameter };
const historyQuery = z.strictObject(paging);
const changesQuery = z.strictObject({
  registry: z.enum(INDEXED).optional(),
  id: idParameter.optional().meta({ description: "One row, also under the ids that it had before; with `registry`." }),
  ...paging,
});

const PROBLEMS = ["request_invalid", "cursor_invalid", "cursor_of_another_query"] as const;
const TAGS = ["index"];
/** A page's key must ascend while its times descend. */
const LATEST_MS = Number.MAX_SAFE_INTEGER;

/** What changed in the index. */
export const changeRoutes = ({ index }: ChangeParts): ScopedRoute[] => [deviceHistoryRoute(index), changesRoute(index)];

const deviceHistoryRoute = (index: ChangeParts["index"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/devices/{id}/history",
  scope: "read",
  operation: {
    operationId: "getDeviceHistory",
    summary: "What happened to a device and its entities, newest first",
    description:
      "Also under the ids that it had before: a device that was split goes on in each of its parts. Answered for an id that is in no list any more as long as something is known of it. A change is kept for a year.",
    tags: TAGS,
    requestParams: { path: z.object({ id: idParameter }), query: historyQuery },
    responses: {
      "200": jsonAnswer("A page of changes", deviceHistoryShape),
      ...NOT_MODIFIED,
      ...scopedProblems(...PROBLEMS, "not_found"),
    },
  },
  async handle(request, { homeId }) {
    const id = request.param("id");
    const { limit, cursor } = readQuery(historyQuery, request.query);
    const [devices, history] = await Promise.all([
      index.list(homeId, "devices"),
      index.history(homeId, ["devices", "entities", "capabilities"]),
    ]);
    const device = devices.find(({ deviceId }) => deviceId === id);
    const changes = historyOfDevice(history, id, device ? zigbeeAddressesOf(device) : []);
    if (!device && changes.length === 0) throw new Problem("not_found", `There is no device "${id}" in this home.`);
    const query = ["history", homeId, id];
    const { items, next } = pageOfChanges(changes, { limit, cursor, query });
    return jsonWithTag(request, { device_id: id, changes: items, next });
  },
});

const changesRoute = (index: ChangeParts["index"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/changes",
  scope: "read",
  operation: {
    operationId: "listChanges",
    summary: "What changed in the index, newest first",
    description: "Of areas, floors, labels, devices, entities and capabilities. A change is kept for a year.",
    tags: TAGS,
    requestParams: { query: changesQuery },
    responses: {
      "200": jsonAnswer("A page of changes", changePageShape),
      ...NOT_MODIFIED,
      ...scopedProblems(...PROBLEMS),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor, registry, id } = readQuery(changesQuery, request.query);
    if (id !== undefined && registry === undefined) throw needsRegistry();
    const history = await index.history(homeId, registry === undefined ? INDEXED : [registry]);
    const changes =
      registry !== undefined && id !== undefined ? historyOfRow(history, registry, id) : datedChanges(history);
    const query = ["changes", homeId, registry ?? null, id ?? null];
    const { items, next } = pageOfChanges(changes, { limit, cursor, query });
    return jsonWithTag(request, { changes: items, next });
  },
});

const needsRegistry = () =>
  invalid(
    "The query string is not valid",
    new z.ZodError([{ code: "custom", path: ["registry"], message: "wanted together with `id`", input: undefined }]),
  );

/** Newest first; within a revision in the order in which it tells them. */
function pageOfChanges(changes: readonly DatedChange[], options: ListQuery & { readonly query: unknown }) {
  const numbers = new Map<string, number>();
  const keyed = changes.map((change) => {
    const moment = `${String(LATEST_MS - change.atMs).padStart(16, "0")}-${change.registry}`;
    const number = numbers.get(moment) ?? 0;
    numbers.set(moment, number + 1);
    return { key: `${moment}-${String(number).padStart(6, "0")}`, change };
  });
  const ascending = keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  return pageOf(ascending, ({ key }) => key, { ...options, view: ({ change }) => changeView(change) });
}
