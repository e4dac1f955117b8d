import type { Trial } from "./memory.ts";
import type { Measured } from "./ports.ts";
import { type Metric, metricOf } from "./propose.ts";
import { chanceOfLower } from "./rank-sum.ts";

/** The least that can tell anything at this chance. */
export const SAMPLES_MIN = 5;
const CHANCE_MAX = 0.05;
/** What the other figure may become worse, of its median. */
const HARM_MAX = 0.1;

const OTHER: Readonly<Record<Metric, Metric>> = {
  "messages-per-1000-events": "delay-seconds",
  "delay-seconds": "messages-per-1000-events",
};

/** With what one step measured of it, if that says anything. */
export function withSample(samples: Trial["before"], { metric }: Trial, measured: Measured): Trial["before"] {
  const value = metricOf(metric, measured);
  const other = metricOf(OTHER[metric], measured);
  return value === undefined || measured.events === 0
    ? samples
    : [...samples, { metric: value, ...(other !== undefined && { other }) }];
}

const medianOf = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
};

/** Whether the figure became better beyond noise, and the other one not worse. */
export function judge({ before, during, metric, allowed, gainMin }: Trial): {
  readonly isKept: boolean;
  readonly reason: string;
} {
  if (during.length < SAMPLES_MIN)
    return { isKept: false, reason: `only ${during.length} samples while it was in force` };
  const values = (samples: Trial["before"]) => samples.map((one) => one.metric);
  const others = (samples: Trial["before"]) => samples.flatMap((one) => one.other ?? []);
  const [was, is] = [medianOf(values(before)), medianOf(values(during))];
  const chance = chanceOfLower(values(before), values(during));
  const figures = `${metric} ${was.toFixed(1)} before, ${is.toFixed(1)} with it (p ${chance.toFixed(3)})`;
  if (chance > CHANCE_MAX || is > was * (1 - gainMin))
    return { isKept: false, reason: `${figures}: not better beyond noise` };
  const [otherWas, otherIs] = [medianOf(others(before)), medianOf(others(during))];
  if (others(during).length === 0 || otherIs > otherWas * (1 + HARM_MAX) + allowed)
    return {
      isKept: false,
      reason: `${figures}, but ${OTHER[metric]} rose from ${otherWas.toFixed(1)} to ${otherIs.toFixed(1)}`,
    };
  return {
    isKept: true,
    reason: `${figures}; ${OTHER[metric]} ${otherWas.toFixed(1)} before, ${otherIs.toFixed(1)} with it`,
  };
}
