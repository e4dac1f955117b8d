import { isHearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import { createWindows, type Rollup, type Windows } from "../../series/index.ts";
import type { AggregateQuery, EntityAggregates } from "../../store/ports.ts";
import { atOnce } from "./at-once.ts";
import { type DayState, daysOf } from "./day-state.ts";
import { DAY_US, dayOf, dayPrefix, dayStartUs, ROLLUPS, rollupName } from "./names.ts";
import { lastBefore, type ReadingParts, readAll } from "./reading.ts";
import { openDayRollup, type RollupParts } from "./rollup-file.ts";
import type { WeightedCache } from "./weighted-cache.ts";

export interface AggregateParts extends ReadingParts {
  readonly rollups: WeightedCache<RollupParts>;
}

const DAYS_AT_ONCE = 8;

/**
 * Windows from the rollups of closed days, and from events where there are none: of days that are open or were written to since, and of entities whose hours the
 * edges cut. To be called on a fresh listing.
 */
export async function aggregateDays(
  parts: AggregateParts,
  query: AggregateQuery,
): Promise<readonly EntityAggregates[]> {
  const { homeId, edges } = query;
  const [fromUs = 0] = edges;
  const toUs = edges.at(-1) ?? fromUs;
  const entityIds = [...new Set(query.entityIds)];
  const builders = new Map(entityIds.map((entityId) => [entityId, createWindows(edges)]));
  const days = await daysOf(parts.sources, homeId, { fromDay: dayOf(fromUs), toDay: dayOf(toUs - 1) });
  for (let at = 0; at < days.length; at += DAYS_AT_ONCE) {
    const some = days.slice(at, at + DAYS_AT_ONCE);
    const rollups = await atOnce(DAYS_AT_ONCE, some, (state) => rollupOf(parts, state));
    for (const [index, state] of some.entries()) {
      await addDay(parts, { state, rollup: rollups[index], builders, edges });
    }
  }
  const before = await lastBefore(parts, homeId, { entityIds, beforeUs: fromUs });
  return entityIds.map((entityId) => ({
    entityId,
    windows: builders.get(entityId)?.finish(before.get(entityId)) ?? [],
  }));
}

/** undefined: the day was written to since, or has none. */
async function rollupOf({ sources, rollups }: AggregateParts, state: DayState): Promise<RollupParts | undefined> {
  const [part, another] = state.parts;
  if (!part || another || state.segments.length > 0) return undefined;
  const name = rollupName(dayPrefix(ROLLUPS, state.homeId, state.day), part);
  const known = rollups.get(name);
  if (known) return known;
  const bytes = await sources.objects.get(name);
  if (!bytes) return undefined;
  try {
    const opened = openDayRollup(name, bytes);
    rollups.set(name, opened, bytes.length);
    return opened;
  } catch (thrown) {
    // The events say the same; the next compaction makes new ones.
    if (isHearthlineError(thrown) && thrown.code === "store_damaged") return undefined;
    throw thrown;
  }
}

interface DayOfAggregate {
  readonly state: DayState;
  readonly rollup: RollupParts | undefined;
  readonly builders: ReadonlyMap<string, Windows>;
  readonly edges: readonly Microseconds[];
}

async function addDay(parts: AggregateParts, { state, rollup, builders, edges }: DayOfAggregate): Promise<void> {
  const [first = 0] = edges;
  const end = edges.at(-1) ?? first;
  const byEvents: string[] = [];
  for (const [entityId, windows] of builders) {
    const own = rollup?.(entityId).filter(({ lastUs }) => lastUs >= first);
    if (own?.every((part) => isInOneWindow(part, edges))) for (const part of own) windows.addRollup(part);
    else byEvents.push(entityId);
  }
  if (byEvents.length === 0) return;
  const startUs = dayStartUs(state.day);
  const span = { fromUs: Math.max(first, startUs), toUs: Math.min(end, startUs + DAY_US) };
  for await (const page of readAll(parts, { homeId: state.homeId, entityIds: byEvents, ...span })) {
    for (const event of page) builders.get(event.entityId)?.add(event);
  }
}

function isInOneWindow({ firstUs, lastUs }: Rollup, edges: readonly Microseconds[]): boolean {
  const end = edges.at(-1) ?? 0;
  if (firstUs >= end) return true;
  let [low, high] = [0, edges.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? end) <= firstUs) low = middle;
    else high = middle;
  }
  return firstUs >= (edges[low] ?? 0) && lastUs < (edges[high] ?? end);
}
