import { atOnce } from "./at-once.ts";
import { digestOf, EVENTS, homePrefix, type PartName, readPartName, readSegmentName, type Segment } from "./names.ts";
import type { PartFiles } from "./part-files.ts";
import type { HotSegments, ObjectStore } from "./ports.ts";

/** What makes one day of one home at one moment: later ones win over earlier ones of equal rank, segments over day files. */
export interface DayState {
  readonly homeId: string;
  readonly day: string;
  /** Day files, the oldest first: one, or none; more where two were made at once. */
  readonly parts: readonly PartName[];
  /** In the order of writing. */
  readonly segments: readonly Segment[];
  /** What is there but replaced by one of `parts`: somebody broke off before removing it. */
  readonly replaced: { readonly parts: readonly PartName[]; readonly segments: readonly Segment[] };
}

export interface DaySources {
  readonly objects: ObjectStore;
  readonly hot: HotSegments;
  readonly files: PartFiles;
}

export const FIRST_DAY = "0000-01-01";
export const LAST_DAY = "9999-12-31";
const DAYS_AT_ONCE = 8;

/**
 * The days of a home between two, both included, that have anything, ascending. Two listings, whatever the number of days.
 *
 * Segments are listed BEFORE day files: who compacts puts the day file first and then removes the segments, so that what is no longer in the first listing is in the second.
 * A day file says which segments are in it: those count no more, even where they are still there.
 * @throws ObjectGone
 */
export async function daysOf(
  sources: DaySources,
  homeId: string,
  { fromDay = FIRST_DAY, toDay = LAST_DAY }: { readonly fromDay?: string; readonly toDay?: string } = {},
): Promise<readonly DayState[]> {
  const days = new Map<string, { parts: PartName[]; segments: Segment[] }>();
  const at = (day: string) => {
    const known = days.get(day) ?? { parts: [], segments: [] };
    days.set(day, known);
    return known;
  };
  for (const { day, name } of await sources.hot.list(homeId, fromDay, toDay)) {
    const segment = readSegmentName(day, name);
    if (segment) at(day).segments.push(segment);
  }
  const prefix = homePrefix(EVENTS, homeId);
  // A slash sorts before a zero: `until` is behind all of the last day.
  const bounds = { after: `${prefix}day=${fromDay}`, until: `${prefix}day=${toDay}0` };
  for (const { name, bytes } of await sources.objects.list(prefix, bounds)) {
    const part = readPartName(name, bytes);
    if (part) at(part.day).parts.push(part);
  }
  const found = [...days].sort(([a], [b]) => (a < b ? -1 : 1));
  return atOnce(DAYS_AT_ONCE, found, ([day, state]) => withoutReplaced(sources.files, { homeId, day, ...state }));
}

async function withoutReplaced(
  files: PartFiles,
  { homeId, day, parts, segments }: Pick<DayState, "homeId" | "day" | "parts" | "segments">,
): Promise<DayState> {
  const isSimple = parts.length === 0 || (parts.length === 1 && segments.length === 0);
  const covers = isSimple
    ? []
    : (await atOnce(DAYS_AT_ONCE, parts, (part) => files.open(part))).map((one) => one.covers);
  const isReplaced = ({ name }: { readonly name: string }): boolean => {
    const digest = digestOf(name);
    return covers.some((covered) => covered.has(digest));
  };
  const [live, gone] = [Map.groupBy(parts, isReplaced), Map.groupBy(segments, isReplaced)];
  return {
    homeId,
    day,
    parts: (live.get(false) ?? []).toSorted((a, b) => a.upTo - b.upTo || (a.name < b.name ? -1 : 1)),
    segments: (gone.get(false) ?? []).toSorted((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1)),
    replaced: { parts: live.get(true) ?? [], segments: gone.get(true) ?? [] },
  };
}
