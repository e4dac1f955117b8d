import type { Measured, SettingName } from "./ports.ts";

/** What a change is hoped to improve; both are better when they are less. */
export type Metric = "messages-per-1000-events" | "delay-seconds";

/** One change, with what it should do, from figures. */
export interface Proposal {
  readonly setting: SettingName;
  readonly from: number;
  readonly to: number;
  /** Of one that can be tried: what has to become less, and from where to where. */
  readonly metric?: Metric;
  readonly expected?: { readonly from: number; readonly to: number };
  /** For people: why, and what to set where. */
  readonly explanation: string;
}

/** Later than this people notice (chosen by us: the flush time by default is a minute, and its budget makes it at most 15). */
const DELAY_MAX_SECONDS = 90;
/** A message that holds fewer is mostly cover. */
const EVENTS_PER_MESSAGE_LOW = 20;
/** And with more, half of the wait costs little. */
const EVENTS_PER_MESSAGE_HIGH = 200;
const FLUSH_MIN_SECONDS = 1;
const FLUSH_MAX_SECONDS = 900;
/** A batch is full when most calls take all they may. */
const FULL = 0.9;
const EVENTS_MIN = 50;
const RAW_DAYS_MIN = 7;

/** Pure: what the figures say should be changed; nothing where they say nothing. At most one proposal a setting. */
export function propose(measured: Measured): Proposal[] {
  return [flush(measured), batch(measured), retention(measured)].flatMap((proposal) => proposal ?? []);
}

export const metricOf = (metric: Metric, { events, messages, delaySeconds }: Measured): number | undefined => {
  if (metric === "delay-seconds") return delaySeconds;
  return events === 0 ? undefined : (1_000 * messages) / events;
};

function flush({ flushSeconds, events, messages, delaySeconds }: Measured): Proposal | undefined {
  if (flushSeconds === undefined || delaySeconds === undefined || events < EVENTS_MIN || messages === 0)
    return undefined;
  const perMessage = events / messages;
  const perThousand = (1_000 * messages) / events;
  const base = { setting: "flush-seconds" as const, from: flushSeconds };
  const figures = `${perMessage.toFixed(1)} events a message, ${delaySeconds.toFixed(1)} s behind the house`;
  // Waiting twice as long makes half as many messages while they are far from full, and an event is later by that much.
  const longer = Math.min(flushSeconds * 2, FLUSH_MAX_SECONDS);
  const later = delaySeconds + (longer - flushSeconds);
  if (perMessage < EVENTS_PER_MESSAGE_LOW && later <= DELAY_MAX_SECONDS && longer > flushSeconds)
    return {
      ...base,
      to: longer,
      metric: "messages-per-1000-events",
      expected: { from: perThousand, to: perThousand / 2 },
      explanation: `${figures}: with HEARTHLINE_FLUSH_SECONDS=${longer} about half as many messages, and events about ${Math.round(longer - flushSeconds)} s later.`,
    };
  const shorter = Math.max(FLUSH_MIN_SECONDS, Math.round(flushSeconds / 2));
  const isLate = delaySeconds > DELAY_MAX_SECONDS || perMessage > EVENTS_PER_MESSAGE_HIGH;
  if (isLate && shorter < flushSeconds)
    return {
      ...base,
      to: shorter,
      metric: "delay-seconds",
      expected: { from: delaySeconds, to: Math.max(0, delaySeconds - (flushSeconds - shorter)) },
      explanation: `${figures}: with HEARTHLINE_FLUSH_SECONDS=${shorter} events are readable about ${Math.round(flushSeconds - shorter)} s sooner, in about ${(flushSeconds / shorter).toFixed(1)} times as many messages.`,
    };
  return undefined;
}

/** Of the deployment: one for all homes, so nobody tries it for one of them. */
function batch({ batchEvents, batchMax }: Measured): Proposal | undefined {
  if (batchEvents === undefined || batchMax === undefined || batchEvents < batchMax * FULL) return undefined;
  return {
    setting: "batch-size",
    from: batchMax,
    to: batchMax * 2,
    explanation: `Calls of the store's function take ${Math.round(batchEvents)} of at most ${batchMax} events: twice as many at once would be about half as many calls. A person sets it, for all homes: batchSize of the function in serverless.yml, then deploy.`,
  };
}

/** What is gone is gone: nobody tries a shorter one. */
function retention({ rawDays, readBackDays, bytesPerDay }: Measured): Proposal | undefined {
  if (rawDays === undefined || readBackDays === undefined) return undefined;
  const to = Math.max(RAW_DAYS_MIN, Math.ceil(readBackDays * 2));
  if (to === rawDays || (to < rawDays && to > rawDays * 0.8)) return undefined;
  const saved =
    bytesPerDay === undefined
      ? ""
      : `, ${((Math.abs(rawDays - to) * bytesPerDay) / 1e6).toFixed(1)} MB ${to < rawDays ? "less" : "more"}`;
  return {
    setting: "raw-days",
    from: rawDays,
    to,
    explanation: `People have read ${readBackDays.toFixed(1)} days back at most and events are kept for ${rawDays}: HEARTHLINE_RAW_DAYS=${to} keeps twice what is read${saved}. A person sets it: what is deleted does not come back.`,
  };
}
