import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";

/** What a look at one side found. */
export interface Look<T> {
  /** Absent: it could not be looked at, or is not well. */
  readonly well?: T;
  readonly problem?: string;
}

export interface Recheck {
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  /** For so long it must have failed without interruption before it counts. */
  readonly seconds: number;
  /** Since when it fails, by the check's memory. */
  readonly failingSinceUs: Microseconds | undefined;
  readonly signal: AbortSignal;
}

export interface Looked<T> {
  readonly well?: T;
  readonly problem?: string;
  /** The problem has stood for as long as was wanted. */
  readonly isCertain: boolean;
  readonly failingSinceUs?: Microseconds;
  readonly looks: number;
}

/** Within one step nobody waits longer than this for a second look; the next step makes it then. */
const WAIT_MAX_MS = 60_000;
const LOOKS_MAX = 4;

/** Looks; what fails is looked at again, in this step and over steps, until it is well or has failed for long enough. */
export async function lookAgain<T>(look: () => Promise<Look<T>>, recheck: Recheck): Promise<Looked<T>> {
  const { clock, seconds, signal } = recheck;
  const sinceUs = recheck.failingSinceUs ?? clock.nowMs() * 1000;
  const certainMs = sinceUs / 1000 + seconds * 1000;
  const waitMs = Math.min(WAIT_MAX_MS, seconds * 1000) / (LOOKS_MAX - 1);
  for (let looks = 1; ; looks++) {
    const { well, problem } = await lookOnce(look);
    if (problem === undefined) return { ...(well !== undefined && { well }), isCertain: true, looks };
    // A failure of the first look alone never counts, whatever the setting.
    const isCertain = clock.nowMs() >= certainMs && (looks > 1 || recheck.failingSinceUs !== undefined);
    if (isCertain || looks >= LOOKS_MAX || signal.aborted)
      return { problem, isCertain, failingSinceUs: sinceUs, looks, ...(well !== undefined && { well }) };
    await clock.sleep(waitMs, signal);
    // The step's time is over: what is known since when is kept, and the next step looks.
    if (signal.aborted) return { problem, isCertain: false, failingSinceUs: sinceUs, looks };
  }
}

async function lookOnce<T>(look: () => Promise<Look<T>>): Promise<Look<T>> {
  try {
    return await look();
  } catch (thrown) {
    return { problem: messageOf(thrown) };
  }
}
