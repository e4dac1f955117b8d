import type { Token } from "../analysis/ports.ts";
import { domainOf, HVAC_MODES, isShade } from "../event/index.ts";

/** One step of an automation: an action of Home Assistant on one entity. */
export interface ServiceAction {
  readonly action: string;
  readonly target: { readonly entity_id: string };
  readonly data?: Readonly<Record<string, string>>;
}

type Verb = readonly [action: string, words: string];

const ON_OFF = (domain: string): Readonly<Record<string, Verb>> => ({
  on: [`${domain}.turn_on`, "turn on"],
  off: [`${domain}.turn_off`, "turn off"],
});

/**
 * What brings an entity into a state. Missing on purpose: `lock.unlock`, opening doors and garages, alarms, sirens and valves: nothing of ours suggests that a home
 * opens itself, makes noise or lets water run. Source of the names: Home Assistant's documentation of each integration; read 2026-09.
 */
const VERBS: Readonly<Record<string, Readonly<Record<string, Verb>>>> = {
  light: ON_OFF("light"),
  switch: ON_OFF("switch"),
  fan: ON_OFF("fan"),
  input_boolean: ON_OFF("input_boolean"),
  humidifier: ON_OFF("humidifier"),
  media_player: {
    on: ["media_player.turn_on", "turn on"],
    off: ["media_player.turn_off", "turn off"],
    playing: ["media_player.media_play", "play"],
    paused: ["media_player.media_pause", "pause"],
  },
  cover: { open: ["cover.open_cover", "open"], closed: ["cover.close_cover", "close"] },
  lock: { locked: ["lock.lock", "lock"] },
  vacuum: { cleaning: ["vacuum.start", "start"], docked: ["vacuum.return_to_base", "send home"] },
};

const MODES: ReadonlySet<string> = new Set(HVAC_MODES);

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
/** Nobody wants these off at a guess: the cold store, the network, who needs air; nor is a machine that somebody has to fill begun, or ended before it is done. */
const HANDS_OFF = words(
  "fridge refrigerator freezer compressor router modem server nas aquarium cpap oxygen washer washing washingmachine dryer tumble dishwasher boiler pump kuehlschrank gefrierschrank waschmaschine trockner spuelmaschine geschirrspueler",
);
/** What heats until somebody looks, makes noise, opens, or lets water run is never turned on by itself; off it may be. */
const NEVER_ON = words(
  "heater heating oven stove hob cooker hotplate grill iron kettle sauna fryer toaster siren alarm horn garage gate door lock unlock opener valve sprinkler irrigation heizung heizluefter ofen herd wasserkocher buegeleisen sirene tor tuer",
);
/** Of these domains only the name says what hangs on them. */
const NAMELESS: ReadonlySet<string> = new Set(["switch", "input_boolean"]);

function isLeftAlone({ entityId, state }: Token, domain: string): boolean {
  if (!NAMELESS.has(domain)) return false;
  const parts = entityId.slice(domain.length + 1).split("_");
  return parts.some((part) => HANDS_OFF.has(part) || (state === "on" && NEVER_ON.has(part)));
}

/** The action and its words (`turn on`); undefined: there is none that may be suggested. `deviceClass`: of a cover without one nothing is opened. */
export function actionOf(
  { entityId, state }: Token,
  deviceClass?: string,
): { readonly step: ServiceAction; readonly words: string } | undefined {
  const domain = domainOf(entityId);
  const target = { entity_id: entityId };
  if (domain === "climate" && MODES.has(state))
    return {
      step: { action: "climate.set_hvac_mode", target, data: { hvac_mode: state } },
      words: state === "off" ? "turn off" : `set to ${state.replaceAll("_", " ")}`,
    };
  if (domain === "cover" && state === "open" && !isShade(deviceClass)) return undefined;
  if (isLeftAlone({ entityId, state }, domain)) return undefined;
  const verb = Object.hasOwn(VERBS, domain) ? VERBS[domain] : undefined;
  const found = verb && Object.hasOwn(verb, state) ? verb[state] : undefined;
  return found && { step: { action: found[0], target }, words: found[1] };
}
