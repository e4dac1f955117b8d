import { domainOf } from "./event.ts";

/**
 * What people and automations switch: of everything else it does not matter who it was, and nothing suggests to do it. A scene is one of them: its state is the time at which it was last chosen,
 * `scene.turn_on` is its service, and that somebody chooses a scene is a habit as any other. Select and alarm are not: which option was meant is for people, and nobody wants to be disarmed.
 */
const SWITCHED: ReadonlySet<string> = new Set([
  "light",
  "switch",
  "fan",
  "cover",
  "climate",
  "media_player",
  "lock",
  "vacuum",
  "lawn_mower",
  "input_boolean",
  "humidifier",
  "siren",
  "valve",
  "water_heater",
  "scene",
]);

export const isSwitchedDomain = (domain: string): boolean => SWITCHED.has(domain);
export const isSwitched = (entityId: string): boolean => SWITCHED.has(domainOf(entityId));
