import type { Microseconds } from "../../base/time.ts";
import { type DayState, daysOf } from "./day-state.ts";
import { removeReplaced, rewriteDay } from "./day-writer.ts";
import {
  DAY_US,
  dayOf,
  dayPrefix,
  dayStartUs,
  EVENTS,
  HOT,
  homePrefix,
  isRollupName,
  ROLLUPS,
  rollupName,
} from "./names.ts";
import { onFreshListing, type ReadingParts } from "./reading.ts";

/** Makes one file of each day that ended before the moment and is more than one file, and removes what broken-off work left. */
export async function compactHome(parts: ReadingParts, homeId: string, beforeUs: Microseconds): Promise<void> {
  const { sources } = parts;
  const lastDay = dayOf(Math.floor(beforeUs / DAY_US) * DAY_US - 1);
  const todo = await onFreshListing(parts, async () => {
    const days = await daysOf(sources, homeId, { toDay: lastDay });
    const rollups = await rollupsOf(parts, homeId);
    return days.filter((state) => !isCompact(state, rollups)).map(({ day }) => day);
  });
  for (const day of todo) {
    await onFreshListing(parts, async () => {
      const [state] = await daysOf(sources, homeId, { fromDay: day, toDay: day });
      if (state) await compactDay(parts, state);
    });
  }
  for (const root of [EVENTS, HOT, ROLLUPS]) await sources.objects.tidy(homePrefix(root, homeId));
}

async function rollupsOf({ sources }: ReadingParts, homeId: string): Promise<ReadonlySet<string>> {
  const found = await sources.objects.list(homePrefix(ROLLUPS, homeId));
  return new Set(found.map(({ name }) => name));
}

const rollupOf = ({ homeId, day, parts }: DayState): string | undefined =>
  parts[0] && rollupName(dayPrefix(ROLLUPS, homeId, day), parts[0]);

function isCompact(state: DayState, rollups: ReadonlySet<string>): boolean {
  const { parts, segments, replaced } = state;
  const leftovers = segments.length + replaced.parts.length + replaced.segments.length;
  return parts.length === 1 && leftovers === 0 && rollups.has(rollupOf(state) ?? "");
}

async function compactDay(parts: ReadingParts, state: DayState): Promise<void> {
  const { sources } = parts;
  const prefix = dayPrefix(ROLLUPS, state.homeId, state.day);
  const listed = (await sources.objects.list(prefix)).map(({ name }) => name).filter(isRollupName);
  const isOneFile = state.parts.length === 1 && state.segments.length === 0;
  let own = rollupOf(state);
  if (isOneFile && listed.includes(own ?? "")) {
    await removeReplaced(sources, state, state.replaced.segments, state.replaced.parts);
  } else own = (await rewriteDay(parts, state)).rollups;
  // Rollups whose day file was never put.
  const orphans = listed.filter((name) => name !== own);
  if (orphans.length > 0) await sources.objects.remove(orphans);
}

/** Deletes what is before the moment: whole days as they lie, and of the day in which it is the earlier part. How many events went. */
export async function pruneHome(parts: ReadingParts, homeId: string, beforeUs: Microseconds): Promise<number> {
  const { sources } = parts;
  const days = await onFreshListing(parts, () => daysOf(sources, homeId, { toDay: dayOf(beforeUs) }));
  let gone = 0;
  for (const { day } of days) {
    gone += await onFreshListing(parts, async () => {
      const [state] = await daysOf(sources, homeId, { fromDay: day, toDay: day });
      if (!state) return 0;
      const isWholeDay = dayStartUs(day) + DAY_US <= beforeUs;
      return isWholeDay ? pruneDay(parts, state) : pruneBoundary(parts, state, beforeUs);
    });
  }
  return gone;
}

async function pruneDay(parts: ReadingParts, state: DayState): Promise<number> {
  const count = await countOf(parts, state);
  const { segments, replaced } = state;
  await removeReplaced(parts.sources, state, [...segments, ...replaced.segments], [...replaced.parts, ...state.parts]);
  return count;
}

async function countOf({ sources, reader }: ReadingParts, state: DayState): Promise<number> {
  const [part, another] = state.parts;
  if (part && !another && state.segments.length === 0) {
    const { file } = await sources.files.open(part);
    return file.groups.reduce((sum, { rows }) => sum + rows, 0);
  }
  let count = 0;
  for (const window of await reader.windows(state)) count += (await reader.eventsOnce(window)).length;
  return count;
}

async function pruneBoundary(parts: ReadingParts, state: DayState, beforeUs: Microseconds): Promise<number> {
  const { reader } = parts;
  const windows = (await reader.windows(state)).filter(({ fromUs }) => fromUs < beforeUs);
  for (const window of windows) {
    const events = await reader.eventsOnce(window);
    if (events.some(({ atUs }) => atUs < beforeUs)) return (await rewriteDay(parts, state, beforeUs)).dropped;
  }
  return 0;
}
