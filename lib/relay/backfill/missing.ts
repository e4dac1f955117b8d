import type { Microseconds } from "../../base/time.ts";
import type { GapReason } from "../../event/index.ts";
import type { Hole } from "./plan.ts";
import type { RecorderState } from "./recorder.ts";
import type { Start } from "./restarts.ts";
import type { Teller } from "./tell.ts";

export interface Circumstances {
  readonly hasAnswered: boolean;
  readonly recorder: RecorderState;
  readonly starts: readonly Start[];
  /** What was before is purged. */
  readonly purgedUntilUs: Microseconds;
}

/** Why the recorder could not give all of this hole; undefined: it gave all that it can have. */
export function missingOf(hole: Hole, teller: Teller, circumstances: Circumstances): GapReason | undefined {
  const { target, isGone, isAbsent, fromUs, knownUs } = hole;
  const { hasAnswered, recorder, starts, purgedUntilUs } = circumstances;
  if (isAbsent) return undefined;
  if (!hasAnswered) return "recorder_off";
  if (fromUs < purgedUntilUs) return "purged";
  if (isGone && !teller.hasRemoval) return "removed";
  const isStarting = starts.some((start) => target && start.fromUs <= target.atUs && target.atUs <= start.toUs);
  // The recorder begins after the first entities: the first state of these is in no row, but Home Assistant still holds it.
  if (target && !teller.hasTarget && !(isStarting && teller.rows > 0)) {
    if (recorder === "behind") return "recorder_behind";
    return recorder === "off" ? "recorder_off" : "not_recorded";
  }
  const lacksKnown = knownUs === fromUs && !teller.hasKnown;
  if (lacksKnown && teller.rows === 0 && !target) return "not_recorded";
  return lacksKnown && teller.rows > 0 && starts.length > 0 ? "power_cut" : undefined;
}
