import type { Random } from "../../../lib/base/random.ts";
import { between, exponential } from "../generate/chance.ts";
import type { DayWriter, PutOptions } from "../generate/day-writer.ts";
import { restOf } from "../generate/rest.ts";
import { lightOff, lightOn } from "../house/spec.ts";
import type { Presence } from "../people/presence.ts";
import type { Token } from "../planted/routine.ts";
import { oppositeOf } from "./types.ts";

/** One day of a scenario in the making. */
export interface Stage {
  readonly writer: DayWriter;
  readonly presence: Presence;
  /** Puts a state, also after the day's end: then the next day begins with it. */
  put(at: number, token: Token, options?: PutOptions): void;
  /** How often the routine could have happened today. */
  opportunity(routineId: string, count: number): void;
  /** When an entity was put into a state today, as far as it is written by now, ascending: seconds, and when that ended. */
  moments(token: Token): readonly Moment[];
}

export interface Moment {
  readonly at: number;
  readonly until?: number;
}

const BY_APP = 0.2;

/** Who did it: mostly a hand at the device, now and then the app. */
export const byHand = (stage: Stage, random: Random, at: number): PutOptions =>
  random() < BY_APP ? { context: stage.writer.context(at, { isUser: true }) } : {};

/** Attributes as the entity has them in that state. */
export const attributesIn = ({ entity_id, state }: Token): PutOptions =>
  entity_id.startsWith("light.") ? { attributes: state === "on" ? lightOn(200, 2700) : lightOff() } : {};

/**
 * Lets the token happen at `at`: what is at rest in that state has been taken out of it a while before; what is not goes back to rest a while after.
 * Both at times that are no habit (exponential).
 */
export function enact(
  stage: Stage,
  target: Token,
  { at, random, routineId, meanMinutes = 45 }: { at: number; random: Random; routineId?: string; meanMinutes?: number },
): void {
  const { writer } = stage;
  const while_ = 60 * Math.min(240, 4 + exponential(random, meanMinutes));
  const before: Token = { entity_id: target.entity_id, state: oppositeOf(target.entity_id, target.state) };
  const entity = writer.house.byId.get(target.entity_id);
  const isRest = entity !== undefined && restOf(entity, writer.calendar).state === target.state;
  if (isRest) stage.put(at - 1200 - while_, before, byHand(stage, random, at - 1200 - while_));
  stage.put(at, target, { ...byHand(stage, random, at), ...(routineId !== undefined && { routineId }) });
  if (!isRest) stage.put(at + while_, before, byHand(stage, random, at + while_));
}

/** When somebody is awake in the area (minutes); in the whole house, if that is no room. */
function stretchesOf({ presence }: Stage, areaId: string | null) {
  const own = [...presence.occupied].filter(([room]) => room === areaId);
  return (own.length > 0 ? own : [...presence.occupied]).flatMap(([, stretches]) => stretches);
}

export const presentHours = (stage: Stage, areaId: string | null): number =>
  stretchesOf(stage, areaId).reduce((sum, { from, to }) => sum + to - from, 0) / 60;

/** Any moment at which somebody is there; undefined: nobody is. */
export function presentMinute(stage: Stage, random: Random, areaId: string | null): number | undefined {
  let left = 60 * random() * presentHours(stage, areaId);
  for (const { from, to } of stretchesOf(stage, areaId)) {
    if (left < to - from) return from + left;
    left -= to - from;
  }
  return undefined;
}

/** Evenly over the hours in which people are awake. */
export const awakeMinute = (random: Random): number => between(random, 480, 1320);
