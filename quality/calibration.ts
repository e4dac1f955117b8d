import type { DayFacts, Finding, Occurrence } from "../lib/analysis/detectors/types.ts";
import { expectedShareOf } from "../lib/analysis/patterns/expected.ts";
import { minutesOf } from "../local/home/generate/occurrence.ts";
import { apartMinutes } from "./match.ts";

/** What a finding promised, and what came of it in the month after. */
export interface Promised {
  readonly kind: string;
  readonly reliability: number;
  /** hits / opportunities, as the finding says. */
  readonly share: number;
  /** What users are told to expect. */
  readonly expected: number;
  readonly heldHits: number;
  readonly heldOpportunities: number;
}

const LEAST_MINUTES = 20;
const LEAST_SECONDS = 60;
const SPREADS = 2.5;

/** How often the finding's claim came true on the days given: by the scorer's own count, which no detector shares. Undefined: it claims nothing that can be counted so. */
export function heldOf(finding: Finding, days: readonly DayFacts[]): Promised | undefined {
  if (finding.opportunities === 0 || finding.automated || finding.details?.condition !== undefined) return undefined;
  const held =
    finding.kind === "time-of-day"
      ? timesHeld(finding, days)
      : finding.kind === "co-occurrence"
        ? pairsHeld(finding, days)
        : undefined;
  const expected = expectedShareOf(finding);
  if (!held || held.opportunities === 0 || expected === undefined) return undefined;
  return {
    kind: finding.kind,
    reliability: finding.reliability,
    share: finding.hits / finding.opportunities,
    expected,
    heldHits: held.hits,
    heldOpportunities: held.opportunities,
  };
}

interface Held {
  readonly hits: number;
  readonly opportunities: number;
}

const isOf = (token: { entityId: string; state: string } | undefined, one: Occurrence): boolean =>
  token !== undefined && one.entityId === token.entityId && one.state === token.state;

function timesHeld(finding: Finding, days: readonly DayFacts[]): Held {
  const width = Math.max(LEAST_MINUTES, SPREADS * (finding.spreadMinutes ?? 0));
  const own = days.filter(({ weekday }) => finding.days === undefined || finding.days.includes(weekday));
  const minuteOn = (day: DayFacts): number | undefined => {
    if (finding.anchor === "sunset" && day.sunsetMinute !== undefined)
      return day.sunsetMinute + (finding.offsetMinutes ?? 0);
    if (finding.anchor === "sunrise" && day.sunriseMinute !== undefined)
      return day.sunriseMinute + (finding.offsetMinutes ?? 0);
    return finding.at === undefined ? undefined : minutesOf(finding.at);
  };
  const hits = own.filter((day) => {
    const wanted = minuteOn(day);
    return (
      wanted !== undefined &&
      day.occurrences.some((one) => isOf(finding.target, one) && apartMinutes(one.minute, wanted) <= width)
    );
  });
  return { hits: hits.length, opportunities: own.length };
}

/** A trigger while the target is so already is no opportunity. */
function pairsHeld(finding: Finding, days: readonly DayFacts[]): Held {
  const windowUs = 1e6 * Math.max(LEAST_SECONDS, 1.5 * (finding.delaySeconds?.p90 ?? 0));
  let [hits, opportunities] = [0, 0];
  for (const { occurrences } of days) {
    let state: string | undefined;
    let openUs: number | undefined;
    for (const one of occurrences) {
      if (openUs !== undefined && one.atUs - openUs > windowUs) openUs = undefined;
      if (one.entityId === finding.target.entityId) {
        if (openUs !== undefined && one.state === finding.target.state) hits++;
        if (one.state === finding.target.state) openUs = undefined;
        state = one.state;
      }
      if (!isOf(finding.trigger, one) || openUs !== undefined || state === finding.target.state) continue;
      opportunities++;
      openUs = one.atUs;
    }
  }
  return { hits, opportunities };
}

const BINS = 10;

/** Expected calibration error: how far promise and outcome are apart, by bins of the promise, weighted by how many are in each. */
export function calibrationError(pairs: readonly { readonly promised: number; readonly came: number }[]): number {
  const bins = Map.groupBy(pairs, ({ promised }) => Math.min(BINS - 1, Math.floor(promised * BINS)));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  let error = 0;
  for (const bin of bins.values())
    error +=
      (bin.length / pairs.length) *
      Math.abs(mean(bin.map(({ promised }) => promised)) - mean(bin.map(({ came }) => came)));
  return error;
}
