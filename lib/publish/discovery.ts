import { availabilityTopic, isOlderThan, type OutboxMessage } from "../event/index.ts";
import type { Suggestion } from "../suggestions/ports.ts";
import { buttonIdOf, figuresTopic, nodeIdOf, type Press, pressedTopic, suggestionsTopic, textIdOf } from "./names.ts";
import { shortText, stateMessage, TITLE_MAX_CHARACTERS } from "./texts.ts";

/** `device`: one message for the whole device, Home Assistant 2024.11 and later. `single`: one for each entity. Source: core pull request 109030; read 2026-09. */
export type DiscoveryForm = "device" | "single";
const DEVICE_SINCE = [2024, 11] as const;
/** Since then an entity's id is asked for as `default_entity_id`, before as `object_id`. Source: core 2025.10 components/mqtt; tried with 2024.3.3, 2026.2.3 and 2026.11.0. */
const DEFAULT_ENTITY_ID_SINCE = [2025, 10] as const;

/** The form that a home of this version takes; unknown: as the newest. */
export const formOf = (haVersion: string | undefined): DiscoveryForm =>
  haVersion !== undefined && isOlderThan(haVersion, DEVICE_SINCE) ? "single" : "device";

type Config = Readonly<Record<string, unknown>>;
/** An entity of our device, before it is told. `platform`: `sensor`, `binary_sensor`, `button`. Its key is its unique id. */
interface Component {
  readonly platform: string;
  readonly config: Config;
}
export type Components = ReadonlyMap<string, Component>;
/** What Home Assistant was told of: unique id -> platform. */
export type Shown = Readonly<Record<string, string>>;

export interface DisplayOf {
  readonly homeId: string;
  readonly haVersion: string | undefined;
  /** Those that are told, best first. */
  readonly suggestions: readonly Suggestion[];
  /** Hearthline's own pages. */
  readonly url?: string;
}

/** So long after it was told last a figure is none any more: a night, a missed one, and two hours. */
const EXPIRE_SECONDS = 50 * 3_600;

/** Every entity that the home's device has now. */
export function componentsOf(display: DisplayOf): Components {
  const { homeId, haVersion, suggestions } = display;
  const components = new Map<string, Component>();
  const add = (platform: string, uniqueId: string, config: Config) => {
    const isNew = haVersion === undefined || !isOlderThan(haVersion, DEFAULT_ENTITY_ID_SINCE);
    const id = isNew ? { default_entity_id: `${platform}.${uniqueId}` } : { object_id: uniqueId };
    const common = { unique_id: uniqueId, ...id, availability_topic: availabilityTopic(homeId), qos: 1 };
    components.set(uniqueId, { platform, config: { ...common, ...config } });
  };
  addFigures(homeId, add);
  for (const suggestion of suggestions) {
    const { id, automation } = suggestion;
    const title = shortText(suggestion.title, TITLE_MAX_CHARACTERS);
    const found = `(value_json.suggestions | selectattr('id', 'eq', '${id}') | list)`;
    add("sensor", textIdOf(homeId, id), {
      name: `Suggestion: ${title}`,
      icon: "mdi:lightbulb-on-outline",
      state_topic: suggestionsTopic(homeId),
      value_template: `{{ (${found} + [{'title': ''}])[0].title }}`,
      json_attributes_topic: suggestionsTopic(homeId),
      json_attributes_template: `{{ (${found} + [{}])[0] | tojson }}`,
    });
    const press = (what: Press, name: string, icon: string) =>
      add("button", buttonIdOf(homeId, id, what), {
        ...{ name: `${name}: ${title}`, icon, command_topic: pressedTopic(homeId), payload_press: `${what} ${id}` },
      });
    press("accept", automation ? "Accept" : "Done", automation ? "mdi:robot-happy-outline" : "mdi:check");
    press("dismiss", "Dismiss", "mdi:close");
  }
  return components;
}

/** What does not depend on what is suggested. */
function addFigures(homeId: string, add: (platform: string, uniqueId: string, config: Config) => void): void {
  const node = nodeIdOf(homeId);
  const figure = (key: string, name: string, more: Config, platform = "sensor") =>
    add(platform, `${node}_${key}`, {
      name,
      state_topic: figuresTopic(homeId),
      value_template: `{{ value_json.${key} }}`,
      expire_after: EXPIRE_SECONDS,
      ...more,
    });
  add("sensor", `${node}_suggestions`, {
    name: "Suggestions",
    icon: "mdi:lightbulb-group-outline",
    state_topic: suggestionsTopic(homeId),
    value_template: "{{ value_json.count }}",
    json_attributes_topic: suggestionsTopic(homeId),
    expire_after: EXPIRE_SECONDS,
  });
  const diagnostic = { entity_category: "diagnostic" };
  figure("patterns", "Patterns", { icon: "mdi:chart-timeline-variant" });
  figure("last_run", "Last run", { device_class: "timestamp", ...diagnostic });
  figure("events_day", "Events of the last day", { icon: "mdi:counter", ...diagnostic });
  figure("events_day_before", "Events of the day before", { icon: "mdi:counter", ...diagnostic });
  const whether = { payload_on: "yes", payload_off: "no", icon: "mdi:check-all", ...diagnostic };
  figure("ledger_complete", "Every event arrived", whether, "binary_sensor");
}

/** Messages that make Home Assistant's device what `components` says; `gone`: what it was told of before and is not any more. */
export function discoveryMessages(
  display: DisplayOf,
  { components, gone }: { readonly components: Components; readonly gone: Shown },
): readonly OutboxMessage[] {
  const node = nodeIdOf(display.homeId);
  const device = {
    identifiers: [node],
    name: "Hearthline",
    manufacturer: "Hearthline",
    ...(display.url !== undefined && { configuration_url: display.url }),
  };
  const origin = { name: "hearthline" };
  if (formOf(display.haVersion) === "single")
    return [
      ...Object.entries(gone).map(([id, platform]) => stateMessage(singleTopic(node, platform, id), "")),
      ...[...components].map(([id, { platform, config }]) =>
        stateMessage(singleTopic(node, platform, id), JSON.stringify({ ...config, device, origin })),
      ),
    ];
  const all = {
    // A component with nothing but its platform is taken away.
    ...Object.fromEntries(Object.entries(gone).map(([id, platform]) => [id, { platform }])),
    ...Object.fromEntries([...components].map(([id, { platform, config }]) => [id, { platform, ...config }])),
  };
  return [stateMessage(deviceTopic(node), JSON.stringify({ device, origin, components: all }))];
}

/** What takes everything of a form away, before the other form is used. */
export const removalMessages = (homeId: string, form: DiscoveryForm, shown: Shown): readonly OutboxMessage[] =>
  form === "device"
    ? [stateMessage(deviceTopic(nodeIdOf(homeId)), "")]
    : Object.entries(shown).map(([id, platform]) => stateMessage(singleTopic(nodeIdOf(homeId), platform, id), ""));

const deviceTopic = (node: string): string => `homeassistant/device/${node}/config`;
const singleTopic = (node: string, platform: string, id: string): string =>
  `homeassistant/${platform}/${node}/${id}/config`;
