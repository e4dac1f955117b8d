import type { PhaseTime } from "../../lib/analysis/index.ts";

/** Time without an end, for phases that are run by themselves. */
export const unlimitedTime: PhaseTime = {
  signal: new AbortController().signal,
  remainingMs: () => Number.POSITIVE_INFINITY,
};
