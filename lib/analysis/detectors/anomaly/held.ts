import { clockTextOf } from "../circle.ts";
import { secondsOf } from "../duration/rows.ts";
import { USUAL_BEGIN_MINUTE } from "../home-day.ts";
import { entriesOf, totalOf } from "../sums.ts";
import type { Odd, Scored } from "./counts.ts";
import { mergeAnomalies } from "./rows.ts";

const MIN_EPISODES = 15;
/** Three times as long as ever; twice, when it is left so for a night as it never was. */
const TIMES_MAX = 3;
const NIGHT_TIMES_MAX = 2;
const TIMES_USUAL = 8;
const MIN_SECONDS = 3_600;
const NIGHT_DAYS = 14;
const DAY_SECONDS = 86_400;

/** Something stayed as it was (on, open) far beyond what it ever did. It is told on the day on which that became so, and not again when it ends. */
export function held({ row, day, before }: Scored): Odd | undefined {
  const [sum] = mergeAnomalies([before.flatMap((each) => each.row ?? [])]);
  const episodes = sum ? totalOf(sum.l) : 0;
  if (!sum || episodes < MIN_EPISODES) return undefined;
  const longest = Math.max(sum.x[0]?.[1] ?? 0, 1);
  const usual = usualSeconds(sum.l);
  const overnight = before.filter((each) => each.row?.x.some(isOvernight)).length;
  const isNeverOvernight = overnight === 0 && before.length >= NIGHT_DAYS;
  for (const episode of row.x) {
    const [began, seconds] = episode;
    const times = isNeverOvernight && isOvernight(episode) ? NIGHT_TIMES_MAX : TIMES_MAX;
    const least = Math.max(times * longest, TIMES_USUAL * usual, MIN_SECONDS);
    const odd = began + least;
    if (seconds < least || odd < 0 || odd >= day.hours * 3_600) continue;
    // As if times had no length of their own (exponential, of a mean that so many episodes tell): what has one is less likely to last so long. Each one of the day counts.
    const p = Math.min(1, (totalOf(row.l) + 1) * (1 + seconds / (episodes * meanSeconds(sum.l))) ** -episodes);
    const at = clockTextOf((day.beginMinute ?? USUAL_BEGIN_MINUTE) + began / 60);
    return {
      finding: "held",
      of: "day",
      p,
      times: seconds / longest,
      details: { seconds, usualSeconds: Math.round(usual), at },
    };
  }
  return undefined;
}

/** It lasted through the end of the day, or the beginning. */
const isOvernight = ([began, seconds]: readonly [number, number]): boolean =>
  began < 0 || began + seconds >= DAY_SECONDS - 3_600;

function usualSeconds(lengths: Parameters<typeof totalOf>[0]): number {
  let left = totalOf(lengths) / 2;
  for (const [bin, count] of entriesOf(lengths)) {
    left -= count;
    if (left <= 0) return secondsOf(bin + 0.5);
  }
  return 1;
}

function meanSeconds(lengths: Parameters<typeof totalOf>[0]): number {
  const all = [...entriesOf(lengths)].reduce((sum, [bin, count]) => sum + count * secondsOf(bin + 0.5), 0);
  return Math.max(1, all / Math.max(1, totalOf(lengths)));
}
