import type { Token } from "./types.ts";

/** Of the domains in which `on` and `off` are not said. */
const VERBS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  lock: { locked: "is locked", unlocked: "is unlocked" },
  cover: { open: "opens", closed: "closes" },
  valve: { open: "opens", closed: "closes" },
  scene: { on: "is chosen" },
  script: { on: "runs" },
  person: { home: "comes home", not_home: "leaves" },
  device_tracker: { home: "comes home", not_home: "leaves" },
  media_player: { playing: "starts to play", paused: "is paused", idle: "stops", off: "turns off", on: "turns on" },
  vacuum: { cleaning: "starts to clean" },
  lawn_mower: { mowing: "starts to mow" },
  button: { pressed: "is pressed" },
  input_button: { pressed: "is pressed" },
  event: { event: "is triggered" },
  binary_sensor: { on: "is triggered", off: "is clear again" },
  opening: { on: "opens", off: "closes" },
};

/** Whose binary sensor is open when it is on. */
const OPENINGS: ReadonlySet<string> = new Set(["door", "window", "garage_door", "opening"]);

const isOpening = ({ entityId }: Token, deviceClass: string | undefined): boolean =>
  entityId.startsWith("binary_sensor.") && deviceClass !== undefined && OPENINGS.has(deviceClass);

const worded = (state: string): string => state.replaceAll("_", " ");

/** What an entity does that comes into the state: `turns on`. `deviceClass`: its own. */
export function verbOf(token: Token, deviceClass?: string): string {
  const { entityId, state } = token;
  const [domain = ""] = entityId.split(".");
  const verb = VERBS[isOpening(token, deviceClass) ? "opening" : domain]?.[state];
  if (verb !== undefined) return verb;
  if (state === "on" || state === "off") return `turns ${state}`;
  const before = BEFORE_STATE[domain] ?? "becomes";
  return `${before} ${worded(state)}`;
}

/** Of domains of which nothing becomes what their states say. */
const BEFORE_STATE: Readonly<Record<string, string>> = {
  climate: "is set to",
  water_heater: "is set to",
  select: "is set to",
  input_select: "is set to",
  alarm_control_panel: "is",
  event: "sends",
  person: "arrives at",
  device_tracker: "arrives at",
};

/** What is held, as one says it. */
export const heldOf = (token: Token, deviceClass: string | undefined): string =>
  isOpening(token, deviceClass) ? (token.state === "on" ? "open" : "closed") : worded(token.state);

/** Of the first word of what `verbOf` says: its past, and how it follows `did not`. */
const FORMS: Readonly<Record<string, readonly [past: string, base: string]>> = {
  turns: ["turned", "turn"],
  opens: ["opened", "open"],
  closes: ["closed", "close"],
  starts: ["started", "start"],
  stops: ["stopped", "stop"],
  comes: ["came", "come"],
  leaves: ["left", "leave"],
  runs: ["ran", "run"],
  becomes: ["became", "become"],
  sends: ["sent", "send"],
  arrives: ["arrived", "arrive"],
};

/** `turned on`, of `turns on`. */
export function pastOf(verb: string): string {
  const [first = "", ...rest] = verb.split(" ");
  return [first === "is" ? "was" : (FORMS[first]?.[0] ?? first), ...rest].join(" ");
}

/** `did not turn on`, `was not locked`. */
export function didNot(verb: string): string {
  const [first = "", ...rest] = verb.split(" ");
  return first === "is" ? ["was not", ...rest].join(" ") : ["did not", FORMS[first]?.[1] ?? first, ...rest].join(" ");
}
