import type { LinesDay } from "../lines/days.ts";
import type { IsHit } from "./conditions.ts";
import type { Trial } from "./trials.ts";

/** A habit that has begun or ended is told by its last four weeks. */
const RECENT_DAYS = 28;
const LEAST_TRIALS = 8;
/** Standard errors by which the last weeks have to differ from what was before. */
const LEAST_DIFFERENCE = 3;

/** The trials of the last four weeks where they differ clearly from those before; else all. */
export function recentOf(days: readonly LinesDay[], trials: readonly Trial[], isHit: IsHit): readonly Trial[] {
  const since = days.at(-RECENT_DAYS)?.day.date;
  if (since === undefined) return trials;
  const recent = trials.filter(({ day }) => day.day.date >= since);
  const before = trials.length - recent.length;
  if (recent.length < LEAST_TRIALS || before < LEAST_TRIALS) return trials;
  const hits = trials.filter(isHit).length;
  const recentHits = recent.filter(isHit).length;
  const share = hits / trials.length;
  const error = Math.sqrt(share * (1 - share) * (1 / recent.length + 1 / before));
  const difference = Math.abs(recentHits / recent.length - (hits - recentHits) / before);
  return difference > LEAST_DIFFERENCE * error ? recent : trials;
}
