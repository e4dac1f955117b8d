import { binomialTail } from "../statistics.ts";
import { BURST_GAP_SECONDS } from "./episodes.ts";
import { type DatedBurst, MARGIN_MINUTES, type Scene } from "./scene.ts";

/** A member has to come so much more often with the others than it would by itself. */
const LEAST_LIFT = 3;

/**
 * The probability of the scene by chance: the largest that a member has of being there so often when all the others are. By itself it comes as often as it does
 * at that time on those days: a lamp that is switched all the time beside whatever else is done in a kitchen belongs to nothing. 1: it is no scene.
 */
export function chanceOf(byToken: BurstsByToken, scene: Omit<Scene, "q">): number {
  const [from, to] = [(scene.minutes[0] ?? 0) - MARGIN_MINUTES, (scene.minutes.at(-1) ?? 0) + MARGIN_MINUTES];
  const dates = new Set(scene.opportunities.map(({ date }) => date));
  const windows = ((to - from) * 60 * dates.size) / (2 * BURST_GAP_SECONDS);
  // By member: bursts with it, and bursts with all the others.
  const members = scene.tokens;
  const alone = members.map(() => 0);
  const withOthers = members.map(() => 0);
  let withAll = 0;
  for (let first = 0; first < members.length; first++)
    for (const { day, minute, tokens } of byToken.get(members[first] ?? "") ?? []) {
      if (minute < from || minute > to || !dates.has(day.date)) continue;
      let [isCounted, there, missing] = [false, 0, -1];
      for (let member = 0; member < members.length; member++) {
        const isIn = tokens.includes(members[member] ?? "");
        // It stands in the list of an earlier member, too.
        if (isIn && member < first) isCounted = true;
        if (isIn) there++;
        else missing = member;
      }
      if (isCounted) continue;
      if (there === members.length) withAll++;
      for (let member = 0; member < members.length; member++) {
        if (tokens.includes(members[member] ?? "")) alone[member] = (alone[member] ?? 0) + 1;
        const areOthers = there === members.length || (there === members.length - 1 && missing === member);
        if (areOthers) withOthers[member] = (withOthers[member] ?? 0) + 1;
      }
    }
  let p = 0;
  for (const [member, others] of withOthers.entries()) {
    const chance = 1 - Math.exp(-(alone[member] ?? 0) / windows);
    if (withAll < LEAST_LIFT * chance * others) return 1;
    p = Math.max(p, binomialTail(withAll, others, chance));
  }
  return p;
}

/** The bursts of a room that hold a token. */
export type BurstsByToken = ReadonlyMap<string, readonly DatedBurst[]>;

export function byTokenOf(bursts: readonly DatedBurst[]): BurstsByToken {
  const found = new Map<string, DatedBurst[]>();
  for (const burst of bursts)
    for (const token of burst.tokens) {
      const list = found.get(token);
      if (list) list.push(burst);
      else found.set(token, [burst]);
    }
  return found;
}
