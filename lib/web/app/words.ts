import type { WireJob, WirePattern, WireRetention, WireSuggestion } from "../../api/index.ts";
import { countText, durationText } from "../age.ts";
import { dateText } from "./day.ts";

/** Everything that the page says in words about what the API answers. */

export const KIND_LABELS: Readonly<Record<WirePattern["kind"], string>> = {
  "time-of-day": "Time of day",
  "co-occurrence": "One after another",
  sequence: "Sequence",
  duration: "Duration",
  anomaly: "Out of the ordinary",
  "day-type": "Kind of day",
  room: "Room",
  seasonal: "Season",
  frequency: "How often",
};

export const LIFE_LABELS: Readonly<Record<WirePattern["status"], string>> = {
  active: "Active",
  fading: "Fading",
  ended: "Ended",
};

/** `74 %`; never 100 % of what is not certain, nor 0 % of what happens. */
export const percentText = (share: number): string =>
  `${Math.round(share > 0 && share < 1 ? Math.min(99, Math.max(1, share * 100)) : share * 100)} %`;

const DAY_KINDS: ReadonlySet<WirePattern["kind"]> = new Set(["time-of-day", "day-type", "seasonal", "frequency"]);

/** The first number: how reliably it happens. */
export function reliabilityText({
  kind,
  hits,
  opportunities,
  reliability,
  expected_share: expected,
}: WirePattern): string {
  if (kind === "anomaly") return "Happened once; such a day is rare in this home.";
  const of = `${countText(hits)} of ${countText(opportunities)}`;
  const isOfDays = DAY_KINDS.has(kind);
  const on = (share: string) => (isOfDays ? `on ${share} of such days` : `${share} of the time`);
  const next = expected === undefined ? "" : ` From now on, expect it ${on(`about ${percentText(expected)}`)}.`;
  return `Happened ${isOfDays ? `on ${of} days` : `${of} times`}: most likely ${on(`at least ${percentText(reliability)}`)}.${next}`;
}

const MILLION = 1e6;

/** The second number: could it be chance? In odds, which people read better than small decimals. */
export function significanceText({ significance }: Pick<WirePattern, "significance">): string {
  if (significance <= 1 / MILLION) return "Coincidence: less than 1 in a million.";
  if (significance >= 0.5) return "Coincidence: cannot be ruled out.";
  const odds = 1 / significance;
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(odds)) - 1);
  return `Coincidence: about 1 in ${countText(Math.round(odds / digits) * digits)}.`;
}

const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

/** `Monday to Friday`, `Saturday and Sunday`, `every day`. */
export function weekdaysText(days: WirePattern["days"]): string {
  if (!days || days.length === 0 || days.length === WEEK.length) return "every day";
  const at = days.map((day) => WEEK.indexOf(day)).sort((a, b) => a - b);
  const names = at.map((index) => DAY_NAMES[index] ?? "");
  const [first = 0] = at;
  const isRun = at.every((index, place) => index === first + place);
  if (isRun && at.length > 2) return `${names[0]} to ${names.at(-1)}`;
  return names.length === 1 ? `${names[0]}` : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** When it happens, as far as the pattern says: `07:02, give or take 7 min, Monday to Friday`. */
export function whenText(pattern: WirePattern): string | undefined {
  const { at, anchor, offset_minutes: offset = 0, spread_minutes: spread, days, kind } = pattern;
  const minutes = durationText(Math.abs(Math.round(offset)) * 60);
  const sun = anchor === "sunrise" || anchor === "sunset" ? anchor : undefined;
  const about = sun
    ? Math.abs(offset) < 1
      ? `At ${sun}`
      : `${minutes} ${offset < 0 ? "before" : "after"} ${sun}`
    : at && (kind === "anomaly" ? `At ${at}` : `Around ${at}`);
  const parts = [
    about,
    about && spread !== undefined && spread >= 1 && `give or take ${durationText(Math.round(spread) * 60)}`,
    (days || (about && kind !== "anomaly")) && weekdaysText(days),
  ].filter((part): part is string => typeof part === "string" && part !== "");
  const [first, ...rest] = parts;
  return first && [`${first.charAt(0).toUpperCase()}${first.slice(1)}`, ...rest].join(", ");
}

/** Half of its delays or durations, and nine of ten. */
export function lengthText({ delay_seconds: delay, duration_seconds: duration }: WirePattern): string | undefined {
  if (delay) return `Usually after ${durationText(delay.median)}, nine times of ten within ${durationText(delay.p90)}`;
  return (
    duration &&
    `Usually for ${durationText(duration.median)}, nine times of ten for less than ${durationText(duration.p90)}`
  );
}

/** Since when, until when. */
export function lifeText({ kind, first_seen: first, last_seen: last, status }: WirePattern): string {
  if (kind === "anomaly") return dateText(last);
  return status === "active" ? `Since ${dateText(first)}` : `${dateText(first)} to ${dateText(last)}`;
}

export const OUTCOME_TEXTS: Readonly<Record<NonNullable<WireSuggestion["outcome"]>, string>> = {
  waiting: "Waiting for the relay to write it into Home Assistant",
  written: "Written into Home Assistant",
  kept: "Still there and on",
  overridden: "In use, but people undo what it does",
  "turned-off": "Turned off in Home Assistant",
  removed: "Removed from Home Assistant",
  refused: "Home Assistant did not take it",
};

export const JOB_LABELS: Readonly<Record<WireJob["status"], string>> = {
  queued: "Waiting",
  running: "Running",
  succeeded: "Done",
  degraded: "Done, with gaps",
  failed: "Failed",
};

const PHASE_LABELS: Readonly<Record<string, string>> = {
  capabilities: "What devices can",
  events: "The day's events",
  patterns: "Patterns",
  features: "Unused features",
  suggestions: "Suggestions",
  publish: "Into Home Assistant",
  retention: "Clearing away",
};
export const phaseLabel = (name: string): string => PHASE_LABELS[name] ?? name;

const SECOND_MS = 1000;

/** `12 ms`, `3.4 s`, `2 min`. */
export function millisecondsText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  return ms < 60 * SECOND_MS ? `${(ms / SECOND_MS).toFixed(1)} s` : durationText(ms / SECOND_MS);
}

type Layer = WireRetention["layers"][number];

export const LAYER_TEXTS: Readonly<Record<Layer["layer"], readonly [name: string, holds: string]>> = {
  raw: ["Events", "Every change of every entity, to the microsecond"],
  daily: ["Days", "What each entity did on each day"],
  weekly: ["Weeks", "Sums of the days"],
  monthly: ["Months", "Sums of the days"],
  patterns: ["Patterns", "What the nights have learned"],
};

const MEANS_TEXTS: Readonly<Record<Layer["means"][number], string>> = {
  job: "the nightly job",
  ttl: "the table's expiry",
  "retention-policy": "the store's retention policy",
  lifecycle: "the bucket's lifecycle rule",
  "retention-period": "the store's retention period",
};

/** The number of the layer: sums of weeks and of months are one. */
export const LAYER_NUMBERS: Readonly<Record<Layer["layer"], number>> = {
  raw: 1,
  daily: 2,
  weekly: 3,
  monthly: 3,
  patterns: 4,
};

/** Who deletes what is older. */
export function meansText(means: Layer["means"]): string {
  const names = means.map((one) => MEANS_TEXTS[one]);
  return names.length === 0 ? "Never deleted" : `Deleted by ${names.join(" and ")}`;
}
