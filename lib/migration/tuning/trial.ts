import * as z from "zod";
import type { Microseconds } from "../../base/time.ts";
import type { Measured } from "./ports.ts";
import { type Metric, metricOf, type Proposal } from "./propose.ts";
import { chanceOfLower } from "./rank-sum.ts";

/** Samples of each window; the least that can tell anything at this chance is five (chosen by us: eight are 40 minutes of steps). */
const SAMPLES = 8;
const SAMPLES_MIN = 5;
const CHANCE_MAX = 0.05;
/** Of the gain that was expected; less, and it was not for the reason that was proposed. */
const GAIN_SHARE_MIN = 0.5;
/** What the other figure may become worse, of its median. */
const HARM_MAX = 0.1;
/** A window that takes longer ends with what there is. */
const WINDOW_MAX_US: Microseconds = 2 * 3_600_000_000;
/** The value goes back by itself so much after the window's end, should nobody be there. */
const MARGIN_US: Microseconds = 1_800_000_000;

const sampleSchema = z.object({ metric: z.number(), other: z.number().exactOptional() });
const trialSchema = z.object({
  phase: z.enum(["baseline", "trial", "reverting"]),
  setting: z.enum(["flush-seconds", "batch-size", "raw-days"]),
  from: z.number(),
  to: z.number(),
  metric: z.enum(["messages-per-1000-events", "delay-seconds"]),
  /** What the other figure may rise by, because it was proposed so. */
  allowed: z.number(),
  /** The share by which the figure has to become less. */
  gainMin: z.number(),
  sinceUs: z.number(),
  untilUs: z.number(),
  /** The last step saw the new value in force: what the next one measures is all of it. */
  isInForce: z.boolean(),
  before: z.array(sampleSchema),
  during: z.array(sampleSchema),
});
export type Trial = z.infer<typeof trialSchema>;

const readingSchema = z.object({
  relayId: z.string(),
  atMs: z.number(),
  acknowledged: z.number(),
  messages: z.number(),
  lagSeconds: z.number(),
  flushSeconds: z.number().exactOptional(),
});

const outcomeSchema = z.object({
  setting: z.string(),
  from: z.number(),
  to: z.number(),
  isKept: z.boolean(),
  reason: z.string(),
  atUs: z.number(),
});

/** What tuning remembers: the trial under way and what came of those before. */
export const tuningSchema = z.object({
  version: z.literal(1),
  trial: trialSchema.exactOptional(),
  outcomes: z.array(outcomeSchema),
  reading: readingSchema.exactOptional(),
});
export type Tuning = z.infer<typeof tuningSchema>;

export const NO_TUNING: Tuning = { version: 1, outcomes: [] };

/** What a step sees. */
export interface Seen {
  readonly nowUs: Microseconds;
  readonly measured: Measured;
  /** In force, as who uses it says. */
  readonly current: number | undefined;
  /** False: nothing may be tried now (the migration goes back), and what is being tried ends. */
  readonly isAllowed: boolean;
}

/** What is asked for: `untilUs` of a trial, none of what stays. */
export interface Command {
  readonly value: number;
  readonly untilUs?: Microseconds;
}

/**
 * One step of trying; pure. A baseline window, then the value for a window with an end, then a comparison: kept only if the figure became better beyond noise and the other one not worse; else, and
 * whenever anything is in the way, the value before. Commands are carried out before the step is remembered: they come again after a crash, and mean the same.
 */
export function advanceTrial(
  tuning: Tuning,
  seen: Seen,
  proposals: readonly Proposal[],
): { readonly tuning: Tuning; readonly command?: Command } {
  const { trial } = tuning;
  if (!trial) return { tuning: begin(tuning, seen, proposals) };
  if (trial.phase === "baseline") return baseline(tuning, trial, seen);
  if (trial.phase === "reverting") return reverting(tuning, trial, seen);
  return trying(tuning, trial, seen);
}

const OTHER: Readonly<Record<Metric, Metric>> = {
  "messages-per-1000-events": "delay-seconds",
  "delay-seconds": "messages-per-1000-events",
};

function begin(tuning: Tuning, { nowUs, current, isAllowed, measured }: Seen, proposals: readonly Proposal[]): Tuning {
  const isTried = ({ setting, to }: Proposal) =>
    tuning.outcomes.some((one) => one.setting === setting && one.to === to);
  const next = proposals.find((one) => one.metric !== undefined && !isTried(one));
  if (!isAllowed || !next?.metric || !next.expected || current !== next.from) return tuning;
  const { setting, from, to, metric } = next;
  const other = metricOf(OTHER[metric], measured) ?? 0;
  const allowed = metric === "delay-seconds" ? other * (from / to - 1) : Math.max(0, to - from);
  const trial: Trial = {
    phase: "baseline",
    setting,
    from,
    to,
    metric,
    allowed,
    gainMin: (1 - next.expected.to / next.expected.from) * GAIN_SHARE_MIN,
    sinceUs: nowUs,
    untilUs: nowUs + WINDOW_MAX_US,
    isInForce: false,
    before: [],
    during: [],
  };
  return { ...tuning, trial };
}

function baseline(tuning: Tuning, trial: Trial, seen: Seen): { tuning: Tuning; command?: Command } {
  const before = withSample(trial.before, trial, seen);
  const isOver = seen.nowUs >= trial.untilUs;
  if (!seen.isAllowed || seen.current !== trial.from)
    return {
      tuning: ended(tuning, trial, {
        isKept: false,
        reason: "it was not tried: the setting changed, or the migration went back",
        nowUs: seen.nowUs,
      }),
    };
  if (before.length < SAMPLES && !isOver) return { tuning: { ...tuning, trial: { ...trial, before } } };
  if (before.length < SAMPLES_MIN)
    return {
      tuning: ended(tuning, trial, {
        isKept: false,
        reason: "it was not tried: too little happens to compare",
        nowUs: seen.nowUs,
      }),
    };
  const untilUs = seen.nowUs + WINDOW_MAX_US;
  const next: Trial = { ...trial, phase: "trial", before, sinceUs: seen.nowUs, untilUs };
  return { tuning: { ...tuning, trial: next }, command: { value: trial.to, untilUs: untilUs + MARGIN_US } };
}

function trying(tuning: Tuning, trial: Trial, seen: Seen): { tuning: Tuning; command?: Command } {
  // Only what happened while the value was in force.
  const isInForce = seen.current === trial.to;
  const during = isInForce && trial.isInForce ? withSample(trial.during, trial, seen) : trial.during;
  const isOver = seen.nowUs >= trial.untilUs;
  if (seen.isAllowed && during.length < SAMPLES && !isOver) {
    const again = { value: trial.to, untilUs: trial.untilUs + MARGIN_US };
    return {
      tuning: { ...tuning, trial: { ...trial, during, isInForce } },
      ...(seen.current !== trial.to && { command: again }),
    };
  }
  const judged = seen.isAllowed ? judge({ ...trial, during }) : { isKept: false, reason: "the migration went back" };
  if (judged.isKept)
    return {
      tuning: ended(tuning, { ...trial, during }, { ...judged, nowUs: seen.nowUs }),
      command: { value: trial.to },
    };
  const next = ended(tuning, { ...trial, during }, { ...judged, nowUs: seen.nowUs });
  const reverted: Trial = { ...trial, phase: "reverting", during };
  return { tuning: { ...next, trial: reverted }, command: { value: trial.from } };
}

/** Asked for until it is in force; after the time at which it goes back by itself nobody needs to. */
function reverting(tuning: Tuning, trial: Trial, { current, nowUs }: Seen): { tuning: Tuning; command?: Command } {
  if (current !== trial.from && nowUs < trial.untilUs + MARGIN_US) return { tuning, command: { value: trial.from } };
  const { trial: _, ...rest } = tuning;
  return { tuning: rest };
}

function ended(
  tuning: Tuning,
  { setting, from, to }: Trial,
  { isKept, reason, nowUs }: { readonly isKept: boolean; readonly reason: string; readonly nowUs: Microseconds },
): Tuning {
  const { trial: _, ...rest } = tuning;
  return { ...rest, outcomes: [...tuning.outcomes, { setting, from, to, isKept, reason, atUs: nowUs }].slice(-20) };
}

function withSample(samples: Trial["before"], { metric }: Trial, { measured }: Seen): Trial["before"] {
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

function judge({ before, during, metric, allowed, gainMin }: Trial): {
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
