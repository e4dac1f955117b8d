import * as z from "zod";
import type { UtilisationStore } from "../../analysis/index.ts";
import {
  type AbilityStore,
  type DeviceCapabilities,
  type DeviceIndex,
  deviceAbilities,
  type Feature,
  zigbeeAddressesOf,
} from "../../devices/index.ts";
import { capabilityPageShape, deviceCapabilitiesShape } from "../capability-shapes.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { byKey, jsonWithTag, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";
import { cursorParameter, idParameter, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";
import { utilisationView } from "../utilisation-shapes.ts";

export interface CapabilityParts {
  readonly index: Pick<DeviceIndex, "list">;
  readonly abilities: Pick<AbilityStore, "get">;
  readonly utilisation: Pick<UtilisationStore, "get">;
}

const querySchema = z.strictObject({ limit: limitParameter, cursor: cursorParameter });
const TAGS = ["index"];
/** An access bit. */
const SETTABLE = 2;

/** What the devices can do, as far as Zigbee2MQTT has told, as of the last time that the outbox asked for it; of all others, what Home Assistant's states have said. */
export const capabilityRoutes = (parts: CapabilityParts): ScopedRoute[] => [listRoute(parts.index), deviceRoute(parts)];

const listRoute = (index: CapabilityParts["index"]): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/capabilities",
  scope: "read",
  operation: {
    operationId: "listCapabilities",
    summary: "Devices of which it is known what they can do, by their Zigbee address",
    tags: TAGS,
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of devices", capabilityPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor } = readQuery(querySchema, request.query);
    const [rows, devices] = await Promise.all([index.list(homeId, "capabilities"), index.list(homeId, "devices")]);
    const ids = new Map(devices.flatMap((device) => zigbeeAddressesOf(device).map((ieee) => [ieee, device.deviceId])));
    const keyOf = ({ ieeeAddress }: DeviceCapabilities) => ieeeAddress;
    const query = ["capabilities", homeId];
    const view = (row: DeviceCapabilities) => ({
      ...summaryOf(row, ids.get(row.ieeeAddress)),
      feature_count: row.features.length,
      settable_count: row.features.filter(({ access }) => (access & SETTABLE) !== 0).length,
    });
    const { items, next } = pageOf(rows.toSorted(byKey(keyOf)), keyOf, { limit, cursor, query, view });
    return jsonWithTag(request, { capabilities: items, next });
  },
});

const deviceRoute = ({ index, abilities, utilisation }: CapabilityParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/devices/{id}/capabilities",
  scope: "read",
  operation: {
    operationId: "getDeviceCapabilities",
    summary: "What a device can do",
    description:
      "Features of what Zigbee2MQTT exposes, flattened; of all other devices those that Home Assistant's states tell, in the same form. A device of which nothing has come yet has none and the source null.",
    tags: TAGS,
    requestParams: { path: z.object({ id: idParameter }) },
    responses: {
      "200": jsonAnswer("Its features", deviceCapabilitiesShape),
      ...NOT_MODIFIED,
      ...scopedProblems("not_found"),
    },
  },
  async handle(request, { homeId }) {
    const id = request.param("id");
    const [rows, devices, entities, known, night] = await Promise.all([
      index.list(homeId, "capabilities"),
      index.list(homeId, "devices"),
      index.list(homeId, "entities"),
      abilities.get(homeId),
      utilisation.get(homeId),
    ]);
    const device = devices.find(({ deviceId }) => deviceId === id);
    if (!device) throw new Problem("not_found", `There is no device "${id}" in this home.`);
    const sources = { capabilities: rows, entities, abilities: known?.entities ?? [] };
    const found = deviceAbilities(sources)(device);
    const used = night?.devices.find(({ deviceId }) => deviceId === id);
    return jsonWithTag(request, {
      device_id: id,
      source: found?.source ?? null,
      ...(found?.zigbee && { zigbee: summaryOf(found.zigbee, id) }),
      features: (found?.features ?? []).map(featureView),
      options: (found?.options ?? []).map(featureView),
      ...(used && night && { utilisation: utilisationView(used, night.date) }),
    });
  },
});

const featureView = ({ entityId, ...feature }: Feature) => ({
  ...feature,
  ...(entityId !== undefined && { entity_id: entityId }),
});

const summaryOf = (row: DeviceCapabilities, deviceId: string | undefined) => ({
  ieee_address: row.ieeeAddress,
  friendly_name: row.friendlyName,
  ...(deviceId !== undefined && { device_id: deviceId }),
  ...(row.type !== undefined && { type: row.type }),
  ...(row.manufacturer !== undefined && { manufacturer: row.manufacturer }),
  ...(row.modelId !== undefined && { model_id: row.modelId }),
  ...(row.vendor !== undefined && { vendor: row.vendor }),
  ...(row.model !== undefined && { model: row.model }),
  ...(row.description !== undefined && { description: row.description }),
  supported: row.supported,
  disabled: row.disabled,
  ...(row.interview !== undefined && { interview: row.interview }),
});
