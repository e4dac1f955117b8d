import { localTimeOf } from "../../../lib/base/zone.ts";
import type { Context } from "../generate/day-writer.ts";
import type { HomeCore } from "../live/home-core.ts";
import { TIME_ZONE } from "../protocol/config.ts";
import { callService } from "../protocol/services.ts";
import type { Rows } from "./config.ts";

type Row = Readonly<Record<string, unknown>>;
type Stop = () => void;

const DAY_SECONDS = 86_400;
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Seconds since local midnight. */
const clockOf = (core: HomeCore): { readonly seconds: number; readonly weekday: string } => {
  const { text } = localTimeOf(Math.round(core.sim.now() * 1e6), TIME_ZONE);
  const weekday = WEEKDAYS[new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDay()] ?? "";
  return { seconds: secondsOf(text.slice(11, 19)), weekday };
};

function secondsOf(clock: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = clock.split(":").map(Number);
  return hours * 3_600 + minutes * 60 + seconds;
}

const secondsOfDuration = (value: unknown): number =>
  typeof value === "object" && value !== null ? Number((value as { seconds?: unknown }).seconds ?? 0) : 0;

/** Calls `run` whenever one of its triggers fires while its conditions hold. By clock time and by state; the sun of this home triggers nothing. */
export function watchTriggers(core: HomeCore, { triggers, conditions }: Rows, run: () => void): Stop {
  const fire = () => {
    if (conditions.every((condition) => holds(core, condition))) run();
  };
  const stops = triggers.map((trigger): Stop => {
    if (trigger.trigger === "time") return atClock(core, secondsOf(String(trigger.at)), fire);
    return trigger.trigger === "state" ? onState(core, trigger, fire) : () => {};
  });
  return () => {
    for (const stop of stops) stop();
  };
}

function atClock(core: HomeCore, at: number, fire: () => void): Stop {
  let cancel: Stop = () => {};
  const plan = () => {
    const wait = (at - clockOf(core).seconds + DAY_SECONDS) % DAY_SECONDS || DAY_SECONDS;
    cancel = core.timeline.after(core.sim.msUntil(core.sim.now() + wait), () => {
      fire();
      plan();
    });
  };
  plan();
  return () => cancel();
}

function onState(core: HomeCore, trigger: Row, fire: () => void): Stop {
  const ids = [trigger.entity_id].flat().map(String);
  const to = String(trigger.to);
  const notFrom = [trigger.not_from ?? []].flat().map(String);
  const holdSeconds = secondsOfDuration(trigger.for);
  let cancel: Stop = () => {};
  const end = core.bus.listen("state_changed", (json) => {
    const id = ids.find((one) => json.includes(`"data":{"entity_id":"${one}"`));
    if (id === undefined) return;
    const { old_state: old, new_state: now } = (
      JSON.parse(json) as { data: Record<"old_state" | "new_state", { state: string } | null> }
    ).data;
    if (old?.state === now?.state) return;
    cancel();
    if (!old || now?.state !== to || notFrom.includes(old.state)) return;
    // After what is being told: whoever hears of the trigger hears of it before its effect.
    cancel = core.timeline.after(core.sim.msUntil(core.sim.now() + holdSeconds), fire);
  });
  return () => {
    end();
    cancel();
  };
}

function holds(core: HomeCore, condition: Row): boolean {
  if (condition.condition === "state")
    return core.states.get(String(condition.entity_id))?.state === String(condition.state);
  if (condition.condition !== "time") return false;
  const { seconds, weekday } = clockOf(core);
  const after = secondsOf(String(condition.after ?? "00:00:00"));
  const before = condition.before === undefined ? DAY_SECONDS : secondsOf(String(condition.before));
  const isIn = after < before ? seconds >= after && seconds < before : seconds >= after || seconds < before;
  return isIn && (!Array.isArray(condition.weekday) || condition.weekday.includes(weekday));
}

/** Does one action after the other; a service that this home does not have does nothing. */
export function actOn(core: HomeCore, actions: readonly Row[], context: Context): void {
  const [first, ...rest] = actions;
  if (!first) return;
  if (first.delay !== undefined) {
    const waitMs = core.sim.msUntil(core.sim.now() + secondsOfDuration(first.delay));
    core.timeline.after(waitMs, () => actOn(core, rest, context));
    return;
  }
  const [domain = "", service = ""] = String(first.action).split(".");
  try {
    callService(core, { domain, service, message: { service_data: first.data, target: first.target }, context });
  } catch {
    // Home Assistant would write it into its log.
  }
  actOn(core, rest, context);
}
