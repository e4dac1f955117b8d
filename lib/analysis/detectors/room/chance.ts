import { binomialTail } from "../statistics.ts";
import { BURST_GAP_SECONDS } from "./episodes.ts";
import { type DatedBurst, MARGIN_MINUTES, type Scene } from "./scene.ts";

/** A member has to come so much more often with the others than it would by itself. */
const LEAST_LIFT = 3;

/**
 * The probability of the scene by chance: the largest that a member has of being there so often when all the others are. By itself it comes as often as it does
 * at that time on those days: a lamp that is switched all the time beside whatever else is done in a kitchen belongs to nothing. 1: it is no scene.
 */
export function chanceOf(bursts: readonly DatedBurst[], scene: Omit<Scene, "q">): number {
  const [from, to] = [(scene.minutes[0] ?? 0) - MARGIN_MINUTES, (scene.minutes.at(-1) ?? 0) + MARGIN_MINUTES];
  const dates = new Set(scene.opportunities.map(({ date }) => date));
  const near = bursts.filter(({ day, minute }) => minute >= from && minute <= to && dates.has(day.date));
  const windows = ((to - from) * 60 * dates.size) / (2 * BURST_GAP_SECONDS);
  let p = 0;
  for (const member of scene.tokens) {
    const others = scene.tokens.filter((token) => token !== member);
    const withOthers = near.filter(({ tokens }) => others.every((token) => tokens.includes(token)));
    const withAll = withOthers.filter(({ tokens }) => tokens.includes(member)).length;
    const alone = near.filter(({ tokens }) => tokens.includes(member)).length;
    const chance = 1 - Math.exp(-alone / windows);
    if (withAll < LEAST_LIFT * chance * withOthers.length) return 1;
    p = Math.max(p, binomialTail(withAll, withOthers.length, chance));
  }
  return p;
}
