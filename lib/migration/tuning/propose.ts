import { ENVELOPE_MAX_RECORDS } from "../../event/index.ts";
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
  /** Of one that can be tried: by how much the other figure may rise, because it is proposed so. */
  readonly allowed?: number;
  /** Figures that were held back speak against it; it is only told. */
  readonly isRefuted?: boolean;
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
/** Fewer reads say nothing of how far people look back. */
const READS_MIN = 40;
/** Below it a message costs more than what is in it. */
const BATCH_MIN = 50;
/** So long from the queue on, and it is the work on a message that makes it late. */
const WAY_SLOW_SECONDS = 5;

/** Pure: what the figures say should be changed; nothing where they say nothing. At most one proposal a setting. */
export function propose(measured: Measured): Proposal[] {
  return [flush(measured), batch(measured), retention(measured)].flatMap((proposal) => proposal ?? []);
}

export const metricOf = (metric: Metric, { events, messages, delaySeconds }: Measured): number | undefined => {
  if (metric === "delay-seconds") return delaySeconds;
  return events === 0 ? undefined : (1_000 * messages) / events;
};

/** Of a clock that was set back a delay may be nothing, or less: nothing becomes better than that. */
const isKnown = (delaySeconds: number | undefined): delaySeconds is number =>
  delaySeconds !== undefined && delaySeconds > 0;

function flush({ flushSeconds, events, messages, delaySeconds }: Measured): Proposal | undefined {
  if (flushSeconds === undefined || !isKnown(delaySeconds) || events < EVENTS_MIN || messages === 0) return undefined;
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
      allowed: longer - flushSeconds,
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
      allowed: perThousand * (flushSeconds / shorter - 1),
      explanation: `${figures}: with HEARTHLINE_FLUSH_SECONDS=${shorter} events are readable about ${Math.round(flushSeconds - shorter)} s sooner, in about ${(flushSeconds / shorter).toFixed(1)} times as many messages.`,
    };
  return undefined;
}

/** Only full messages are cut by it, and only where many events come. */
function batch({ batchRecords, events, messages, delaySeconds, waySeconds }: Measured): Proposal | undefined {
  if (batchRecords === undefined || !isKnown(delaySeconds) || events < EVENTS_MIN || messages === 0) return undefined;
  const perMessage = events / messages;
  const perThousand = (1_000 * messages) / events;
  const base = { setting: "batch-size" as const, from: batchRecords };
  const figures = `${perMessage.toFixed(1)} events a message of at most ${batchRecords}`;
  const larger = Math.min(ENVELOPE_MAX_RECORDS, batchRecords * 2);
  if (perMessage >= batchRecords * FULL && larger > batchRecords)
    return {
      ...base,
      to: larger,
      metric: "messages-per-1000-events",
      expected: { from: perThousand, to: (perThousand * batchRecords) / larger },
      allowed: 0,
      explanation: `${figures}: nearly all are full, and with ${larger} there are about ${(larger / batchRecords).toFixed(1)} times fewer.`,
    };
  const smaller = Math.max(BATCH_MIN, Math.floor(perMessage / 2));
  // A message is readable when all of it is worked through.
  if (waySeconds === undefined || waySeconds < WAY_SLOW_SECONDS || perMessage < EVENTS_PER_MESSAGE_HIGH)
    return undefined;
  return {
    ...base,
    to: smaller,
    metric: "delay-seconds",
    expected: { from: delaySeconds, to: delaySeconds - waySeconds / 2 },
    allowed: perThousand,
    explanation: `${figures}, each worked through in ${waySeconds.toFixed(1)} s: with ${smaller} about half of that, in about twice as many messages.`,
  };
}

/**
 * Nobody tries a shorter one on what is there: what is gone is gone. It is tried on the reads instead: what the earlier half of them would need is held against the later half, and is said only if none of
 * those would have missed anything.
 */
function retention({ rawDays, bytesPerDay, reads }: Measured): Proposal | undefined {
  if (rawDays === undefined || !reads || reads.count < READS_MIN) return undefined;
  const { count, earlierDays, laterDays } = reads;
  const to = Math.max(RAW_DAYS_MIN, Math.ceil(earlierDays * 2));
  if (to === rawDays || (to < rawDays && to > rawDays * 0.8)) return undefined;
  const saved =
    bytesPerDay === undefined
      ? ""
      : `, ${((Math.abs(rawDays - to) * bytesPerDay) / 1e6).toFixed(1)} MB ${to < rawDays ? "less" : "more"}`;
  const base = { setting: "raw-days" as const, from: rawDays, to };
  const figures = `The earlier half of ${count} reads went ${earlierDays.toFixed(1)} days back at most, the later half ${laterDays.toFixed(1)}; events are kept for ${rawDays}`;
  if (laterDays > to)
    return {
      ...base,
      isRefuted: true,
      explanation: `${figures}: ${to} days, twice what the earlier half needed, would have been too few for the later half.`,
    };
  return {
    ...base,
    explanation: `${figures}: HEARTHLINE_RAW_DAYS=${to} keeps twice what is read${saved}. A person sets it: what is deleted does not come back.`,
  };
}
