import type { Plan } from "./plan.ts";

/** The schedule of validate-migration. */
const STEP_SECONDS = 300;
/** Of the probes, the rarest kind of query: aggregates (checks/probe-mix.ts). */
const RAREST_SHARE = 0.2;
/**
 * Pairs of the rarest kind until equal systems have passed, by simulation (tests/migration/statistics/operating.test.ts): of SHADOW, and of each later stage on the average. Half of all need less; one of twenty more than
 * `late` times as many.
 */
const PAIRS = { shadow: 610, later: 113, late: 1.4 } as const;

export interface ExpectedTime {
  /** Of SHADOW, of equal systems that take more than `floorMs`: the median, by a step every five minutes. */
  readonly shadowSeconds: number;
  /** From SHADOW to the end. */
  readonly wholeSeconds: number;
  /** One of twenty takes longer. */
  readonly lateSeconds: number;
}

/** How long a staged plan takes when nothing is wrong; to bring the past over comes on top. */
export function expectedTime({ probesPerStep, stages, ...plan }: Plan): ExpectedTime {
  const stepsOf = (pairs: number) => Math.ceil(pairs / (probesPerStep * RAREST_SHARE));
  // A stage soaks from the step on at which everything passed.
  const soaking = (seconds: number) => Math.ceil(seconds / STEP_SECONDS);
  const secondsWith = (times: number) => {
    const later = stepsOf(PAIRS.later * times);
    const shadow = stepsOf(PAIRS.shadow * times) + soaking(plan.soakSeconds);
    const ramp = stages.length * (later + soaking(plan.soakSeconds));
    const stabilise = later + soaking(plan.stabiliseSeconds);
    const steps = shadow + ramp + stabilise + later + soaking(plan.quietSeconds);
    return { shadowSeconds: shadow * STEP_SECONDS, wholeSeconds: steps * STEP_SECONDS };
  };
  return { ...secondsWith(1), lateSeconds: secondsWith(PAIRS.late).wholeSeconds };
}
