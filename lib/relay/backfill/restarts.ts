import type { Microseconds } from "../../base/time.ts";
import { domainOf } from "../../event/index.ts";
import { usOf } from "../known-of.ts";
import type { HistoryRow } from "../ports.ts";
import type { Hole } from "./plan.ts";

/** A time in which Home Assistant was starting; both ends included. */
export interface Start {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/**
 * Domains whose entities seldom change by themselves, in the order in which they are asked. Home Assistant adds every entity anew when it starts: a row with the
 * same state as before that claims to have changed. Of these entities hardly anything else makes such a row.
 */
const WITNESSES: readonly string[] = [
  "zone",
  "person",
  "sun",
  "input_boolean",
  "automation",
  "script",
  "scene",
  "input_number",
  "input_select",
  "input_text",
  "input_datetime",
  "timer",
  "counter",
  "update",
  "tts",
  "todo",
];
const WITNESSES_MAX = 60;
/** Two may change together by themselves. */
const MANY_MIN = 3;
/** What comes so close together is one start. */
const SAME_START_US = 60_000_000;
/** Entities that come back with another state may come shortly before the first that gives the start away. */
const BEFORE_US = 300_000;

/** Entities that will tell of starts, the best first. */
export function witnessesOf(holes: readonly Hole[]): Hole[] {
  const rank = ({ entityId }: Hole) => WITNESSES.indexOf(domainOf(entityId));
  return holes
    .filter((hole) => hole.before !== undefined && rank(hole) >= 0)
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, WITNESSES_MAX);
}

/** When Home Assistant was starting, by what its recorder has of the witnesses. */
export function startsIn(rows: ReadonlyMap<string, readonly HistoryRow[]>, witnesses: readonly Hole[]): Start[] {
  const moments = witnesses.flatMap((witness) => {
    const { entityId } = witness;
    return returnsOf(witness, rows.get(entityId) ?? []).map((atUs) => ({ atUs, entityId }));
  });
  return together(moments).map(({ fromUs, toUs }) => ({ fromUs, toUs }));
}

/** Those of these that will tell of starts by `startsByMany`, the best first. */
export const manyWitnesses = (entityIds: readonly string[]): string[] =>
  entityIds
    .filter((entityId) => WITNESSES.includes(domainOf(entityId)))
    .toSorted((a, b) => WITNESSES.indexOf(domainOf(a)) - WITNESSES.indexOf(domainOf(b)))
    .slice(0, WITNESSES_MAX);

/** As `startsIn`, where nobody knows what the witnesses were before: nothing but a start makes half of them, and three at the least, say within a short time that they have changed. */
export function startsByMany(rows: ReadonlyMap<string, readonly HistoryRow[]>, witnesses: number): Start[] {
  const moments = [...rows].flatMap(([entityId, own]) =>
    own
      .filter(({ state, lastChangedUs, lastUpdatedUs }) => state !== null && lastChangedUs === lastUpdatedUs)
      .map(({ lastUpdatedUs: atUs }) => ({ atUs, entityId })),
  );
  return together(moments)
    .filter(({ seen }) => seen.size >= Math.max(MANY_MIN, witnesses / 2))
    .map(({ fromUs, toUs }) => ({ fromUs, toUs }));
}

/** One witness comes back once in each start. */
function together(moments: readonly { readonly atUs: Microseconds; readonly entityId: string }[]) {
  const starts: { fromUs: Microseconds; toUs: Microseconds; readonly seen: Set<string> }[] = [];
  for (const { atUs, entityId } of moments.toSorted((a, b) => a.atUs - b.atUs)) {
    const start = starts.at(-1);
    if (start && atUs - start.toUs <= SAME_START_US && !start.seen.has(entityId)) start.toUs = atUs;
    else starts.push({ fromUs: atUs - BEFORE_US, toUs: atUs, seen: new Set() });
    starts.at(-1)?.seen.add(entityId);
  }
  return starts;
}

/** When this entity was added anew with the state that it had. */
function returnsOf({ before, knownUs, target }: Hole, rows: readonly HistoryRow[]): Microseconds[] {
  const own = rows.filter(({ lastUpdatedUs }) => knownUs === undefined || lastUpdatedUs > knownUs);
  // The recorder itself begins after the first entities: of those only Home Assistant's memory tells.
  const isRecorded = target === undefined || own.some(({ lastUpdatedUs }) => lastUpdatedUs === target.atUs);
  const held = isRecorded
    ? []
    : [{ state: target.state, lastUpdatedUs: target.atUs, lastChangedUs: usOf(target.lastChanged) }];
  let state: string | null = before?.state ?? null;
  return [...own, ...held].flatMap((row) => {
    const isAgain = row.state === state && row.state !== null && row.lastChangedUs === row.lastUpdatedUs;
    state = row.state;
    return isAgain ? [row.lastUpdatedUs] : [];
  });
}

/**
 * The starts of a gap, with what Home Assistant's memory says: whatever it holds was set since it started, so the oldest of that (`oldestUs`) is hardly later
 * than the start. `startedUs`: when it came to run, if we were there.
 */
export function withLastStart(
  starts: readonly Start[],
  { oldestUs, startedUs }: { readonly oldestUs: Microseconds; readonly startedUs: Microseconds | undefined },
): readonly Start[] {
  const last = starts.at(-1);
  if (startedUs === undefined) return starts;
  // One that the recorder knows and that we saw the end of is the same.
  const isSame = last !== undefined && last.toUs >= oldestUs - SAME_START_US && last.fromUs <= startedUs;
  const fromUs = isSame ? Math.min(last.fromUs, oldestUs) : oldestUs;
  return [...(isSame ? starts.slice(0, -1) : starts), { fromUs, toUs: Math.max(startedUs, last?.toUs ?? startedUs) }];
}
