import type { Automation } from "./ports.ts";

/** Two clock times nearer than this are one habit. */
const CLOCK_MINUTES = 45;
const DAY_MINUTES = 1_440;
/** The sun sets and rises somewhere in these, wherever people live. */
const SUN_MINUTES: Readonly<Record<string, readonly [from: number, to: number]>> = {
  sunrise: [3 * 60, 10 * 60],
  sunset: [15 * 60, 23 * 60],
};

interface Shape {
  readonly clockMinutes?: number;
  readonly sun?: string;
  readonly when?: string;
  readonly whenEntity?: string;
  /** It ends what has gone on for so long. */
  readonly isDuration?: boolean;
  /** Between these minutes of the day only. */
  readonly band?: readonly [from: number, to: number];
  readonly days: ReadonlySet<string> | undefined;
  /** `light.turn_on light.kitchen` */
  readonly acts: ReadonlySet<string>;
  readonly actEntities: ReadonlySet<string>;
  /** What its acts leave behind: `light.kitchen on`. */
  readonly leaves: ReadonlySet<string>;
}

/** The state that an action leaves, by what stands behind its dot; of climates it is the mode. */
const LEAVES: Readonly<Record<string, string>> = {
  turn_on: "on",
  turn_off: "off",
  media_play: "playing",
  media_pause: "paused",
  open_cover: "open",
  close_cover: "closed",
  lock: "locked",
  start: "cleaning",
  return_to_base: "docked",
};

/**
 * Whether two automations come to the same for people: they do half of the same, or more, at about the same time, by the same sun, by the same happening, or one
 * is a step within the other. Whoever has dismissed one does not want to read the other.
 */
export function isAlike(a: Automation, b: Automation): boolean {
  const [one, two] = [shapeOf(a), shapeOf(b)];
  const shared = [...one.acts].filter((act) => two.acts.has(act)).length;
  if (shared === 0 || shared < Math.min(one.acts.size, two.acts.size) / 2) return false;
  if (!overlap(one.days, two.days)) return false;
  if (one.when !== undefined && two.when !== undefined)
    return one.when === two.when || isStepOf(one, two) || isStepOf(two, one);
  return isAtThatTime(one, two) || isAtThatTime(two, one);
}

/** Whether the first, which goes by the clock or the sun, happens when the second does. */
function isAtThatTime(timed: Shape, other: Shape): boolean {
  if (timed.when !== undefined) return false;
  // What always lasts as long and ends at a known time ends as well by the one as by the other.
  if (other.isDuration) return true;
  if (timed.sun !== undefined) return timed.sun === other.sun;
  const { clockMinutes } = timed;
  if (clockMinutes === undefined) return false;
  const window = other.band ?? (other.sun === undefined ? undefined : SUN_MINUTES[other.sun]);
  if (window) return isWithin(clockMinutes, window);
  if (other.clockMinutes === undefined) return false;
  const apart = Math.abs(clockMinutes - other.clockMinutes);
  return Math.min(apart, DAY_MINUTES - apart) < CLOCK_MINUTES;
}

const isWithin = (minute: number, [from, to]: readonly [number, number]): boolean =>
  from <= to ? minute >= from && minute <= to : minute >= from || minute <= to;

/** Whether one sets off the other, and that one switches what set off the first: they fight, or go round in a circle. */
export function isLoop(a: Automation, b: Automation): boolean {
  const [one, two] = [shapeOf(a), shapeOf(b)];
  const comesBack = (by: Shape, of: Shape) =>
    of.when !== undefined && by.whenEntity !== undefined && by.leaves.has(of.when) && of.actEntities.has(by.whenEntity);
  return comesBack(one, two) || comesBack(two, one);
}

const isStepOf = (step: Shape, whole: Shape): boolean =>
  step.whenEntity !== undefined && whole.actEntities.has(step.whenEntity);

const overlap = (a: Shape["days"], b: Shape["days"]): boolean => !a || !b || [...a].some((day) => b.has(day));

function shapeOf({ triggers, conditions, actions }: Automation): Shape {
  const [first = {}] = triggers;
  const days = conditions.find(({ weekday }) => Array.isArray(weekday))?.weekday;
  const band = conditions.find(({ after, before }) => typeof after === "string" && typeof before === "string");
  const acts = actions.flatMap(actsOf);
  const targets = acts.filter(({ id }) => id !== "");
  const actEntities = new Set(targets.map(({ id }) => id));
  return {
    ...(first.trigger === "time" && { clockMinutes: minutesOf(String(first.at)) }),
    ...(first.trigger === "sun" && { sun: String(first.event) }),
    ...(first.trigger === "state" && {
      when: `${String(first.entity_id)} ${String(first.to)}`,
      whenEntity: String(first.entity_id),
      isDuration: first.for !== undefined && actEntities.has(String(first.entity_id)),
    }),
    ...(band && { band: [minutesOf(String(band.after)), minutesOf(String(band.before))] as const }),
    days: Array.isArray(days) ? new Set(days.map(String)) : undefined,
    acts: new Set(acts.map(({ act }) => act)),
    actEntities,
    leaves: new Set(targets.map(({ id, state }) => `${id} ${state}`)),
  };
}

function actsOf({ action, target, data }: Automation["actions"][number]) {
  const ids = (target as { entity_id?: string | readonly string[] } | undefined)?.entity_id;
  const name = String(action);
  const what = `${name} ${JSON.stringify(data ?? {})}`;
  const mode = (data as { hvac_mode?: unknown } | undefined)?.hvac_mode;
  const state = String(mode ?? LEAVES[name.slice(name.indexOf(".") + 1)] ?? "");
  return ids === undefined
    ? [{ act: what, id: "", state: "" }]
    : [ids].flat().map((id) => ({ act: `${what} ${id}`, id, state }));
}

/** Everything that an automation switches. */
export const switchedBy = (automation: Automation): ReadonlySet<string> => shapeOf(automation).actEntities;

/** Whether it goes by the clock, the sun or how long something lasted, and does nothing that the other, which goes by what happens, does not. */
export function isTimeOf(timed: Automation, other: Automation): boolean {
  const [one, two] = [shapeOf(timed), shapeOf(other)];
  return (
    (one.when === undefined || one.isDuration === true) &&
    !two.isDuration &&
    two.when !== undefined &&
    [...one.acts].every((act) => two.acts.has(act))
  );
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
}
