import { formatIsoUs, type Microseconds, parseIsoUs } from "../../lib/base/time.ts";
import type { GapRecord, LossRecord } from "../../lib/event/index.ts";
import type { Happened } from "../support/recorder.ts";

/** An event by what tells it apart: entity, microsecond, state. */
export const nameOf = ({ entityId, atUs, state }: Happened): string =>
  `${entityId} ${formatIsoUs(atUs)} ${state === null ? "(removed)" : JSON.stringify(state)}`;

export interface Evidence {
  /** What the home itself wrote down, as it happened. */
  readonly truth: readonly Happened[];
  /** How many of them, from the first on, must be accounted for by now. Default: all. */
  readonly due?: number;
  /** Every row of the store. */
  readonly stored: readonly Happened[];
  /** The events of records for which the relay has the queue's word. */
  readonly acknowledged: readonly Happened[];
  readonly gaps: readonly GapRecord[];
  readonly losses: readonly LossRecord[];
  /** What the home was before this moment is no event of the run. */
  readonly sinceUs: Microseconds;
  /** By how much the relay's own clock was off at most; loss records carry its time. Default 0. */
  readonly clockOffUs?: Microseconds;
  /** Whether the home's recorder has kept the event, so that it could be had afterwards. */
  readonly isRecorded: (event: Happened) => boolean;
  /** Whether this is an entity whose states are numbers that come only once. */
  readonly isNumbered: (entityId: string) => boolean;
}

export interface Verdict {
  readonly made: number;
  readonly stored: number;
  /** In the truth, not in the store, though the queue had taken them. */
  readonly acknowledgedAndLost: readonly string[];
  /** In the truth, not in the store, and nothing says so. */
  readonly unnamed: readonly string[];
  /**
   * In the truth, not in the store, and in the time of a gap that is said to have a hole there, or in which Home Assistant is said to have restarted and
   * took with it what it had not written down itself; or in a loss record's time and count.
   */
  readonly named: readonly Happened[];
  /**
   * In the truth under a natural key that another event has too: a clock that was set back let one entity change twice in one microsecond. The store, whose key it is,
   * can hold one of them, and holds it.
   */
  readonly sameKey: readonly Happened[];
  /** Twice in the store: the same natural key, or the same number. */
  readonly repeated: readonly string[];
  /** In the store, not in the truth. */
  readonly invented: readonly string[];
}

/** Compares the three accounts event for event. Nothing is excused that no record names. */
export function judge(evidence: Evidence): Verdict {
  const { truth, due = truth.length, stored, acknowledged, sinceUs, isNumbered } = evidence;
  const known = new Set(truth.map(nameOf));
  const present = new Set(stored.map(nameOf));
  const missing = truth.slice(0, due).filter((event) => !present.has(nameOf(event)));
  const taken = new Set(acknowledged.map(nameOf));
  const isNamed = createNaming(evidence);
  const shared = sharedKeys(truth);
  const kept = new Set(stored.map(keyOf));
  const sameKey = missing.filter((event) => shared.has(keyOf(event)) && kept.has(keyOf(event)));
  const missed = missing.filter((event) => !sameKey.includes(event));
  const named: Happened[] = [];
  const unnamed: string[] = [];
  for (const event of missed) {
    if (taken.has(nameOf(event))) continue;
    if (isNamed(event)) named.push(event);
    else unnamed.push(nameOf(event));
  }
  return {
    made: due,
    stored: stored.length,
    acknowledgedAndLost: missed.map(nameOf).filter((name) => taken.has(name)),
    unnamed,
    named,
    sameKey,
    repeated: repeatedIn(stored, isNumbered),
    invented: stored.filter((event) => event.atUs >= sinceUs && !known.has(nameOf(event))).map(nameOf),
  };
}

const keyOf = ({ entityId, atUs, state }: Happened): string => `${entityId} ${atUs} ${state === null}`;

/** Keys under which the home itself wrote down different events. */
function sharedKeys(truth: readonly Happened[]): ReadonlySet<string> {
  const states = Map.groupBy(truth, keyOf);
  const isShared = (events: readonly Happened[]) => new Set(events.map(({ state }) => state)).size > 1;
  return new Set([...states].filter(([, events]) => isShared(events)).map(([key]) => key));
}

function repeatedIn(stored: readonly Happened[], isNumbered: Evidence["isNumbered"]): string[] {
  const seen = new Set<string>();
  return stored.flatMap((event) => {
    const keys = [keyOf(event)];
    if (event.state !== null && isNumbered(event.entityId)) keys.push(`number ${event.state}`);
    const isRepeated = keys.some((key) => seen.has(key));
    for (const key of keys) seen.add(key);
    return isRepeated ? [nameOf(event)] : [];
  });
}

/** Records carry milliseconds. */
const MILLISECOND_US = 1_000;

/** A loss record names as many events as it counts, no more. */
function createNaming({ gaps, losses, isRecorded, clockOffUs = 0 }: Evidence): (event: Happened) => boolean {
  const within = (atUs: Microseconds, { from, to }: { from: string; to: string }, slackUs: Microseconds) =>
    atUs >= parseIsoUs(from) - slackUs && atUs <= parseIsoUs(to) + slackUs;
  const left = losses
    .filter(({ sink }) => sink === undefined || sink === "cloud")
    .map((loss) => ({ loss, count: loss.count }));
  return (event) => {
    const around = gaps.filter((gap) => within(event.atUs, gap, MILLISECOND_US));
    if (around.some((gap) => speaksOf(gap, event.entityId))) return true;
    if (around.some(({ cause }) => cause === "home_assistant_restarted") && !isRecorded(event)) return true;
    const entry = left.find(({ loss, count }) => count > 0 && within(event.atUs, loss, MILLISECOND_US + clockOffUs));
    if (entry) entry.count -= 1;
    return entry !== undefined;
  };
}

/** Where a gap lists all entities of a reason, only those are named by it. */
const speaksOf = (gap: GapRecord, entityId: string): boolean =>
  !gap.complete &&
  gap.missing.some(({ entities, examples }) => examples.includes(entityId) || entities > examples.length);
