import type { HistoryQuery, HistoryRow } from "../ports.ts";
import { batchesOf, historyPages } from "./pages.ts";
import type { Hole, Plan } from "./plan.ts";
import { NoAnswer } from "./recorder.ts";
import { type Gap, mayBePurged } from "./report.ts";
import { type Start, startsIn, withLastStart, witnessesOf } from "./restarts.ts";

export interface Filling extends Plan {
  readonly gap: Gap;
  /** Home Assistant was starting when we came; when it came to run. */
  readonly startedUs?: number | undefined;
}

/** @throws NoAnswer */
export type Ask = (query: HistoryQuery) => Promise<ReadonlyMap<string, readonly HistoryRow[]>>;

export interface Surroundings {
  /** When Home Assistant has started in the gap. */
  readonly starts: readonly Start[];
  /** The recorder reaches back to here. */
  readonly purgedUntilUs: number;
}

/** So many entities do not all move in a short time, unless Home Assistant has started: where no witness travels, this tells it. */
const MANY_ENTITIES = 20;
export const SHORT_GAP_US = 3_600_000_000;

/** As they are when nobody can be asked. */
export const NOTHING_SEEN: Surroundings = { starts: [], purgedUntilUs: Number.NEGATIVE_INFINITY };

/** As Home Assistant writes them; anything else came from an event that was malformed. */
export const isUsual = ({ entityId }: Pick<Hole, "entityId">): boolean => /^[\da-z_]+\.[\da-z_]+$/.test(entityId);

/** Before anything is told: when Home Assistant has started meanwhile, and how far back the recorder reaches. */
export async function lookAround(filling: Filling, ask: Ask): Promise<Surroundings> {
  const { holes, gap, hasStayed, oldestUs, startedUs } = filling;
  const witnesses = hasStayed ? [] : witnessesOf(holes.filter(isUsual));
  const seen = startsIn(await rowsOf(witnesses, ask), witnesses);
  const isSudden = !hasStayed && holes.length >= MANY_ENTITIES && gap.toUs - gap.fromUs < SHORT_GAP_US;
  const isUnseen = seen.length === 0 && startedUs === undefined && isSudden;
  const starts = isUnseen ? [{ fromUs: oldestUs, toUs: oldestUs }] : withLastStart(seen, { oldestUs, startedUs });
  return { starts, purgedUntilUs: mayBePurged(gap) ? await lookBack(holes, ask) : NOTHING_SEEN.purgedUntilUs };
}

/** The entities that were heard last before the gap have rows there, unless these are purged. */
async function lookBack(holes: readonly Hole[], ask: Ask): Promise<number> {
  const probes = holes
    .filter(({ knownUs, fromUs }) => knownUs === fromUs)
    .toSorted((a, b) => b.fromUs - a.fromUs)
    .slice(0, 20);
  const rows = await rowsOf(probes, ask);
  const firsts = probes.flatMap(({ entityId, fromUs }) => {
    const first = rows.get(entityId)?.[0]?.lastUpdatedUs;
    return first === undefined ? [] : [{ first, isKnown: first === fromUs }];
  });
  if (firsts.length === 0 || firsts.some(({ isKnown }) => isKnown)) return NOTHING_SEEN.purgedUntilUs;
  return Math.min(...firsts.map(({ first }) => first));
}

async function rowsOf(holes: readonly Hole[], ask: Ask): Promise<ReadonlyMap<string, readonly HistoryRow[]>> {
  const all = new Map<string, HistoryRow[]>();
  try {
    for (const batch of batchesOf(holes)) {
      for await (const page of historyPages(ask, batch)) {
        for (const [entityId, rows] of page) all.set(entityId, [...(all.get(entityId) ?? []), ...rows]);
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof NoAnswer)) throw thrown;
  }
  return all;
}
