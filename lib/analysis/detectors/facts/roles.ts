import { type HomeEvent, isSwitchedDomain, STATISTICS_ORIGIN } from "../../../event/index.ts";
import type { Occurrence } from "../types.ts";

/** What detectors hear of an event: whose role, and the state as a token. */
export interface Heard {
  readonly role: Occurrence["role"];
  readonly state: string;
  /** On its way (`opening`): what follows within minutes began now, and was made by whoever made this. */
  readonly isOnItsWay: boolean;
  /** Each event is one (a button): there is no old state, and the same twice is twice. */
  readonly isMoment: boolean;
}

/** What happens in a home. Left out: numbers and texts, clocks (sun, schedule, timer, calendar), software (update, automation), and what repeats others (group, zone). */
const SENSORS: ReadonlySet<string> = new Set([
  "binary_sensor",
  "sensor",
  "person",
  "device_tracker",
  "button",
  "input_button",
  "event",
  "select",
  "input_select",
  "alarm_control_panel",
]);

/** Their state is the time of the last press, or of the last choice. */
const MOMENTS: ReadonlyMap<string, string> = new Map([
  ["scene", "on"],
  ["button", "pressed"],
  ["input_button", "pressed"],
  ["event", "event"],
]);

/** How devices are, not what people do. */
const DIAGNOSTIC_CLASSES: ReadonlySet<string> = new Set([
  "battery",
  "battery_charging",
  "connectivity",
  "problem",
  "tamper",
  "update",
  "timestamp",
  "date",
  "uptime",
]);

const ON_ITS_WAY: ReadonlySet<string> = new Set([
  "opening",
  "closing",
  "locking",
  "unlocking",
  "opening_valve",
  "closing_valve",
  "arming",
  "pending",
]);
/** Between two states of a player that mean something. */
const PASSING: ReadonlySet<string> = new Set(["buffering"]);
/** Of a robot only that it was sent out: that it comes back and charges is its own doing. */
const ROBOT_STATES: ReadonlySet<string> = new Set(["cleaning", "mowing"]);

const MEASURED = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const MAX_TOKEN_CHARACTERS = 64;

/** undefined: detectors do not hear it, whatever its kind and quality. */
export function hear(event: HomeEvent): Heard | undefined {
  const role = roleOf(event);
  if (!role) return undefined;
  const moment = MOMENTS.get(event.domain);
  if (moment !== undefined) {
    const kind = event.domain === "event" ? event.attributes.event_type : undefined;
    return { role, state: typeof kind === "string" ? kind : moment, isOnItsWay: false, isMoment: true };
  }
  return { role, state: event.state, isOnItsWay: ON_ITS_WAY.has(event.state), isMoment: false };
}

function roleOf(event: HomeEvent): Occurrence["role"] | undefined {
  const { domain, entityId, origin } = event;
  const isTarget = isSwitchedDomain(domain);
  if (!isTarget && !SENSORS.has(domain)) return undefined;
  if (origin === STATISTICS_ORIGIN || entityId.startsWith("hearthline", domain.length + 1)) return undefined;
  if (isTarget) return isPlainState(event) ? "target" : undefined;
  return isWorthHearing(event) ? "sensor" : undefined;
}

function isPlainState({ domain, state }: HomeEvent): boolean {
  if (PASSING.has(state)) return false;
  return (domain !== "vacuum" && domain !== "lawn_mower") || ROBOT_STATES.has(state);
}

function isWorthHearing(event: HomeEvent): boolean {
  const { domain, deviceClass, state } = event;
  if (deviceClass !== undefined && DIAGNOSTIC_CLASSES.has(deviceClass)) return false;
  if (domain === "sensor")
    return (
      typeof event.value !== "number" &&
      event.unit === undefined &&
      state.length <= MAX_TOKEN_CHARACTERS &&
      !MEASURED.test(state)
    );
  // Positions come and go at the edge of a zone; of who is where a `person` tells better.
  if (domain === "device_tracker")
    return event.attributes.source_type !== "gps" && (state === "home" || state === "not_home");
  return !(domain === "binary_sensor" && isWorkdaySensor(event.entityId));
}

/** The integration `workday` names its sensor so. */
export const isWorkdaySensor = (entityId: string): boolean => entityId.startsWith("binary_sensor.workday");
