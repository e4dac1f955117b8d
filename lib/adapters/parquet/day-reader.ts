import { createHash } from "node:crypto";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import { openBlock } from "../../series/columns/block.ts";
import { mergeRuns } from "../../series/index.ts";
import { atOnce } from "./at-once.ts";
import type { DaySources, DayState } from "./day-state.ts";
import { DAY_US, dayStartUs, type PartName, type Segment } from "./names.ts";
import { ObjectGone, type Part } from "./part-files.ts";
import { WeightedCache } from "./weighted-cache.ts";

/** A stretch of one day, small enough to be in memory: half-open. */
export interface DayWindow {
  readonly state: DayState;
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

/** What of a home's events is wanted; absent members: all. */
export interface Wanted {
  readonly entityIds?: ReadonlySet<string>;
  readonly areaId?: string;
  readonly deviceId?: string;
  readonly domain?: string;
}

export interface DayReader {
  /** The windows of a day, ascending, without holes, of about `rows` rows each. @throws ObjectGone */
  windows(state: DayState, rows?: number): Promise<readonly DayWindow[]>;
  /** The merged events of a window, ascending: at least those of `entityIds`. @throws ObjectGone */
  events(window: DayWindow, entityIds?: ReadonlySet<string>): Promise<readonly HomeEvent[]>;
  /** All of them, for who needs them only once: nothing is remembered. @throws ObjectGone */
  eventsOnce(window: DayWindow): Promise<readonly HomeEvent[]>;
  /** False: the day has nothing of what is wanted. */
  mayHold(state: DayState, wanted: Wanted): Promise<boolean>;
  forget(): void;
}

/** Of segments, as they came. */
const SEGMENT_CACHE_BYTES = 32 * 1024 * 1024;
/** Merged events: about a kilobyte each. */
const CACHE_EVENTS = 40_000;
/** A page of the newest events shall not decode a whole day. */
const WINDOW_ROWS = 4_096;
const OPEN_AT_ONCE = 8;

export function createDayReader({ hot, files }: Pick<DaySources, "hot" | "files">): DayReader {
  const segmentBytes = new WeightedCache<Uint8Array>(SEGMENT_CACHE_BYTES);
  const merged = new WeightedCache<readonly HomeEvent[]>(CACHE_EVENTS);

  const opened = (parts: readonly PartName[]): Promise<Part[]> =>
    atOnce(OPEN_AT_ONCE, parts, (part) => files.open(part));

  /** The bytes of the segments, in their order. */
  async function bytesOf({ homeId, day }: DayState, segments: readonly Segment[]): Promise<Uint8Array[]> {
    const key = ({ name }: Segment) => `${day} ${name} ${homeId}`;
    const unknown = segments.filter((segment) => segmentBytes.get(key(segment)) === undefined);
    const fetched =
      unknown.length > 0
        ? await hot.get(
            homeId,
            day,
            unknown.map(({ name }) => name),
          )
        : new Map<string, Uint8Array>();
    return segments.map((segment) => {
      const bytes = fetched.get(segment.name) ?? segmentBytes.get(key(segment));
      if (!bytes) throw new ObjectGone(segment.name);
      segmentBytes.set(key(segment), bytes, bytes.length);
      return bytes;
    });
  }

  async function read(window: DayWindow, segments: readonly Segment[], entityIds?: ReadonlySet<string>) {
    const { state, fromUs, toUs } = window;
    const runs: HomeEvent[][] = [];
    for (const { file, entities } of await opened(state.parts)) {
      if (entityIds && !haveCommon(entities, entityIds)) continue;
      runs.push(await eventsOfPart(file, window, entityIds));
    }
    const filter = { fromUs, toUs, ...(entityIds && { entityIds: [...entityIds] }) };
    const blocks = await bytesOf(state, segments);
    for (const [index, bytes] of blocks.entries()) runs.push(eventsOfBlock(bytes, filter, segments[index], state));
    return mergeRuns(runs);
  }

  const segmentsOf = ({ state, fromUs, toUs }: DayWindow): readonly Segment[] =>
    state.segments.filter(({ minUs, maxUs }) => maxUs >= fromUs && minUs < toUs);

  return {
    eventsOnce: (window) => read(window, segmentsOf(window)),
    windows: async (state, rows = WINDOW_ROWS) => {
      const startUs = dayStartUs(state.day);
      const edges = new Set<Microseconds>([startUs]);
      for (const { file, slices } of await opened(state.parts)) {
        for (const group of slices.slice(1)) edges.add(minOfSlice(file.groups, group, slices));
      }
      for (const edge of segmentEdges(state.segments, rows)) edges.add(edge);
      const starts = [...edges].sort((a, b) => a - b);
      return starts.map((fromUs, index) => ({ state, fromUs, toUs: starts[index + 1] ?? startUs + DAY_US }));
    },
    events: async (window, entityIds) => {
      const { state, fromUs, toUs } = window;
      const segments = segmentsOf(window);
      const names = [...state.parts, ...segments].map(({ name }) => name);
      const text = [state.homeId, state.day, fromUs, toUs, ...names].join("\n");
      const key = createHash("sha256").update(text).digest("base64");
      const known = merged.get(key);
      if (known) return known;
      const events = await read(window, segments, entityIds);
      if (!entityIds) merged.set(key, events, events.length);
      return events;
    },
    mayHold: async (state, { entityIds, areaId, deviceId }) => {
      if (state.segments.length > 0) return true;
      const parts = await opened(state.parts);
      return parts.some(
        ({ entities, areas, devices }) =>
          (!entityIds || haveCommon(entities, entityIds)) &&
          (areaId === undefined || areas.has(areaId)) &&
          (deviceId === undefined || devices.has(deviceId)),
      );
    },
    forget: () => {
      segmentBytes.clear();
      merged.clear();
      files.forget();
    },
  };
}

function haveCommon(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  const [few, many] = some.size < others.size ? [some, others] : [others, some];
  for (const one of few) if (many.has(one)) return true;
  return false;
}

/** The earliest moment of the slice that begins with this row group. */
function minOfSlice(groups: Part["file"]["groups"], group: number, slices: readonly number[]): Microseconds {
  const end = slices[slices.indexOf(group) + 1] ?? groups.length;
  return groups.slice(group, end).reduce((least, { minUs }) => Math.min(least, minUs), Number.POSITIVE_INFINITY);
}

/** Where to cut the day so that about so many rows of segments lie between two cuts. */
function* segmentEdges(segments: readonly Segment[], rows: number): Generator<Microseconds> {
  let count = 0;
  for (const segment of segments.toSorted((a, b) => a.minUs - b.minUs)) {
    if (count >= rows) {
      yield segment.minUs;
      count = 0;
    }
    count += segment.count;
  }
}

async function eventsOfPart(
  file: Part["file"],
  { fromUs, toUs }: DayWindow,
  entityIds: ReadonlySet<string> | undefined,
): Promise<HomeEvent[]> {
  const found: HomeEvent[] = [];
  for (const [group, { minUs, maxUs, firstEntity, lastEntity }] of file.groups.entries()) {
    if (maxUs < fromUs || minUs >= toUs) continue;
    if (entityIds && ![...entityIds].some((id) => id >= firstEntity && id <= lastEntity)) continue;
    for (const event of await file.events(group, entityIds)) {
      if (event.atUs >= fromUs && event.atUs < toUs) found.push(event);
    }
  }
  return found.sort(compareEvents);
}

function eventsOfBlock(
  bytes: Uint8Array,
  filter: NonNullable<Parameters<ReturnType<typeof openBlock>["events"]>[0]>,
  segment: Segment | undefined,
  { homeId, day }: DayState,
): HomeEvent[] {
  try {
    const block = openBlock(bytes);
    if (block.homeId !== homeId) throw new Error(`it holds events of home "${block.homeId}".`);
    return block.events(filter);
  } catch (thrown) {
    const what = `The segment "${segment?.name}" of home "${homeId}", day ${day}, cannot be read: ${messageOf(thrown)}`;
    throw new HearthlineError("store_damaged", what, { cause: thrown });
  }
}
