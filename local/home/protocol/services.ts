import type { Context } from "../generate/day-writer.ts";
import { type Attributes, attributesOf } from "../house/attributes.ts";
import type { Entity } from "../house/house.ts";
import { lightOff, lightOn } from "../house/spec.ts";
import { type HomeCore, named } from "../live/home-core.ts";
import { CommandError } from "./answers.ts";

const SWITCHABLE = ["light", "switch", "input_boolean"];
const DOMAINS = ["homeassistant", ...SWITCHABLE];
const VERBS = ["turn_on", "turn_off", "toggle"] as const;

const described = (domain: string) =>
  Object.fromEntries(
    VERBS.map((verb) => [
      verb,
      { name: verb, description: `${verb} of ${domain}`, fields: {}, target: { entity: [{ domain: [domain] }] } },
    ]),
  );

/** What `get_services` and `/api/services` answer. */
export const SERVICES: Readonly<Record<string, unknown>> = Object.fromEntries(
  DOMAINS.map((domain) => [domain, described(domain)]),
);

interface ServiceCall {
  readonly domain: string;
  readonly service: string;
  /** `service_data` and `target` of a WebSocket command; an HTTP body has everything in `service_data`. */
  readonly message: Readonly<Record<string, unknown>>;
  /** Under which it is done; absent: one of its own, of the user who calls. */
  readonly context?: Context;
}

const record = (value: unknown) =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const listOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split(",").map((id) => id.trim()) : [];

/** The entities that a call means: by entity, device or area, in the target or in the data. */
function targetsOf(core: HomeCore, call: ServiceCall): Entity[] {
  const fields = { ...record(call.message.service_data), ...record(call.message.target) };
  const [ids, devices, areas] = [listOf(fields.entity_id), listOf(fields.device_id), listOf(fields.area_id)];
  return core.house.live.filter(
    (entity) =>
      SWITCHABLE.includes(entity.domain) &&
      (call.domain === "homeassistant" || entity.domain === call.domain) &&
      (ids.includes(entity.id) ||
        ids.includes("all") ||
        devices.includes(entity.device?.id ?? "-") ||
        areas.includes(core.house.areaOf(entity) ?? "-")),
  );
}

/**
 * `turn_on`, `turn_off` and `toggle` of lights, switches and input booleans: the changes share the call's context. The generator's next change of
 * such an entity takes over again. @throws CommandError `not_found` for any other service
 */
export function callService(core: HomeCore, call: ServiceCall): Context {
  const verb = VERBS.find((one) => one === call.service);
  if (call.domain === "automation") return callAutomations(core, call);
  if (!DOMAINS.includes(call.domain) || !verb)
    throw new CommandError("not_found", `Service ${call.domain}.${call.service} not found.`);
  const data = { ...record(call.message.service_data), ...record(call.message.target) };
  if (data.entity_id === undefined && data.device_id === undefined && data.area_id === undefined)
    throw new CommandError(
      "invalid_format",
      "must contain at least one of entity_id, device_id, area_id, floor_id, label_id.",
    );
  core.emitter?.catchUp();
  const context = call.context ?? core.newContext(core.house.userId);
  core.bus.fire({
    type: "call_service",
    at: core.now(),
    context,
    data: () => JSON.stringify({ domain: call.domain, service: verb, service_data: data }),
  });
  for (const entity of targetsOf(core, call)) {
    const current = core.states.get(entity.id);
    if (!current || current.state === "unavailable") continue;
    const isOn = verb === "toggle" ? current.state !== "on" : verb === "turn_on";
    const attributes = named(
      core,
      entity.id,
      attributesOf(entity, switched(entity, isOn, { data, current: current.attributes })),
    );
    core.states.set({ entityId: entity.id, state: isOn ? "on" : "off", attributes, at: core.now(), context });
  }
  core.sent.flush();
  return context;
}

function callAutomations(core: HomeCore, call: ServiceCall): Context {
  if (call.service !== "trigger" && !VERBS.some((verb) => verb === call.service))
    throw new CommandError("not_found", `Service automation.${call.service} not found.`);
  const { entity_id } = { ...record(call.message.service_data), ...record(call.message.target) };
  core.emitter?.catchUp();
  for (const entityId of listOf(entity_id)) core.automations.call(call.service, entityId);
  return core.newContext(core.house.userId);
}

function switched(
  entity: Entity,
  isOn: boolean,
  { data, current }: { data: Record<string, unknown>; current: Attributes },
): Attributes {
  if (entity.domain !== "light") return entity.spec.restAttributes ?? {};
  if (!isOn) return { ...entity.spec.restAttributes, ...(entity.platform === "group" ? {} : lightOff()) };
  const wanted =
    typeof data.brightness === "number"
      ? data.brightness
      : typeof data.brightness_pct === "number"
        ? Math.round(data.brightness_pct * 2.55)
        : undefined;
  const brightness = wanted ?? (typeof current.brightness === "number" ? current.brightness : 254);
  const kelvin = typeof data.color_temp_kelvin === "number" ? data.color_temp_kelvin : 2700;
  return entity.platform === "group"
    ? { ...entity.spec.restAttributes, color_mode: "color_temp", brightness }
    : lightOn(brightness, kelvin);
}
