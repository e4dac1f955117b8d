import * as z from "zod";
import type { UtilisationStore } from "../../analysis/index.ts";
import type { Clock } from "../../base/clock.ts";
import type { Conflict, ConflictStore, DeviceIndex } from "../../devices/index.ts";
import { conflictView } from "../change-views.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { readInventory } from "../inventory.ts";
import { jsonWithTag, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, domainParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";
import { areaPageShape, deviceDetailShape, devicePageShape, entityPageShape } from "../shapes.ts";

export interface InventoryParts {
  readonly index: Pick<DeviceIndex, "list" | "seen">;
  readonly conflicts: Pick<ConflictStore, "list">;
  readonly utilisation: Pick<UtilisationStore, "get">;
  readonly clock: Pick<Clock, "nowMs">;
}

/** More than a home's store of conflicts holds. */
const ALL_CONFLICTS = 10_000;

const paging = { limit: limitParameter, cursor: cursorParameter };
const entityQuery = z.strictObject({
  area_id: idParameter.optional(),
  device_id: idParameter.optional(),
  domain: domainParameter.optional(),
  ...paging,
});
const deviceQuery = z.strictObject({ area_id: idParameter.optional(), ...paging });
const areaQuery = z.strictObject(paging);

const LIST_PROBLEMS = ["request_invalid", "cursor_invalid", "cursor_of_another_query"] as const;
const TAGS = ["index"];
const asItIs = <T>(view: T): T => view;

/** The index: what there is in the home, where, and when it was seen last. */
export const inventoryRoutes = (parts: InventoryParts): ScopedRoute[] => [
  entitiesRoute(parts.index),
  devicesRoute(parts),
  deviceRoute(parts),
  areasRoute(parts.index),
];

/** Those that are not over. */
async function standingConflicts({ conflicts, clock }: InventoryParts, homeId: string): Promise<readonly Conflict[]> {
  const all = await conflicts.list(homeId, { limit: ALL_CONFLICTS, nowMs: clock.nowMs() });
  return all.conflicts.filter(({ status }) => status !== "over");
}

const entitiesRoute = (index: InventoryParts["index"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/entities",
  scope: "read",
  operation: {
    operationId: "listEntities",
    summary: "Entities, by entity id",
    tags: TAGS,
    requestParams: { query: entityQuery },
    responses: {
      "200": jsonAnswer("A page of entities", entityPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems(...LIST_PROBLEMS),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor, ...filters } = readQuery(entityQuery, request.query);
    const { entities } = await readInventory(index, homeId);
    const wanted = entities.filter(
      (entity) =>
        (filters.area_id === undefined || entity.area_id === filters.area_id) &&
        (filters.device_id === undefined || entity.device_id === filters.device_id) &&
        (filters.domain === undefined || entity.domain === filters.domain),
    );
    const query = ["entities", homeId, filters];
    const { items, next } = pageOf(wanted, ({ entity_id }) => entity_id, { limit, cursor, query, view: asItIs });
    return jsonWithTag(request, { entities: items, next });
  },
});

const devicesRoute = (parts: InventoryParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/devices",
  scope: "read",
  operation: {
    operationId: "listDevices",
    summary: "Devices, by device id",
    tags: TAGS,
    requestParams: { query: deviceQuery },
    responses: {
      "200": jsonAnswer("A page of devices", devicePageShape),
      ...NOT_MODIFIED,
      ...scopedProblems(...LIST_PROBLEMS),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor, area_id } = readQuery(deviceQuery, request.query);
    const [conflicts, night] = await Promise.all([standingConflicts(parts, homeId), parts.utilisation.get(homeId)]);
    const { devices } = await readInventory(parts.index, homeId, { conflicts, night });
    const wanted = devices.filter((device) => area_id === undefined || device.area_id === area_id);
    const query = ["devices", homeId, area_id ?? null];
    const { items, next } = pageOf(wanted, ({ device_id }) => device_id, { limit, cursor, query, view: asItIs });
    return jsonWithTag(request, { devices: items, next });
  },
});

const deviceRoute = (parts: InventoryParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/devices/{id}",
  scope: "read",
  operation: {
    operationId: "getDevice",
    summary: "One device with its entities",
    tags: TAGS,
    requestParams: { path: z.object({ id: idParameter }) },
    responses: { "200": jsonAnswer("The device", deviceDetailShape), ...NOT_MODIFIED, ...scopedProblems("not_found") },
  },
  async handle(request, { homeId }) {
    const id = request.param("id");
    const [conflicts, night] = await Promise.all([standingConflicts(parts, homeId), parts.utilisation.get(homeId)]);
    const [{ devices, entities }, registered] = await Promise.all([
      readInventory(parts.index, homeId, { conflicts, night }),
      parts.index.list(homeId, "devices"),
    ]);
    const view = devices.find(({ device_id }) => device_id === id);
    const device = registered.find(({ deviceId }) => deviceId === id);
    if (!view || !device) throw new Problem("not_found", `There is no device "${id}" in this home.`);
    return jsonWithTag(request, {
      ...view,
      identifiers: device.identifiers,
      connections: device.connections,
      conflicts: conflicts.filter(({ subjectId }) => subjectId === id).map(conflictView),
      entities: entities.filter(({ device_id }) => device_id === id),
    });
  },
});

const areasRoute = (index: InventoryParts["index"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/areas",
  scope: "read",
  operation: {
    operationId: "listAreas",
    summary: "Areas, by area id",
    tags: TAGS,
    requestParams: { query: areaQuery },
    responses: {
      "200": jsonAnswer("A page of areas", areaPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems(...LIST_PROBLEMS),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor } = readQuery(areaQuery, request.query);
    const { areas } = await readInventory(index, homeId);
    const { items, next } = pageOf(areas, ({ area_id }) => area_id, {
      limit,
      cursor,
      query: ["areas", homeId],
      view: asItIs,
    });
    return jsonWithTag(request, { areas: items, next });
  },
});
