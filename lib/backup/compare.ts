import { isDeepStrictEqual } from "node:util";
import type { Microseconds } from "../base/time.ts";
import { compareEvents, type HomeEvent, naturalKey, rankOf } from "../event/index.ts";
import type { Tile } from "../series/index.ts";
import type { EventStore, Position } from "../store/ports.ts";
import * as contents from "./contents.ts";
import { damaged } from "./format.ts";
import type { OpenedBackup } from "./reader.ts";
import type { BackupContents, PassOptions } from "./verify.ts";

/** What the store holds of the file's events in the end. */
export interface Comparison {
  /** Days (by UTC) whose events are the file's, all of them and no other. */
  readonly sameDays: number;
  readonly days: number;
  /** Of the other days: events that are not in the store, or are other there without knowing more. 0 is what is wanted. */
  readonly missing: number;
  readonly different: number;
}

/** A file that was verified. */
export interface ProvedFile {
  readonly opened: OpenedBackup;
  readonly found: BackupContents;
  /** For messages. */
  readonly name: string;
}

const PAGE_EVENTS = 1_000;
const ONLY_EVENTS: ReadonlySet<string> = new Set([contents.EVENTS]);

/** The events of a proved file, chunk by chunk. */
export async function* eventsOf({ opened, found, name }: ProvedFile): AsyncGenerator<readonly HomeEvent[]> {
  for await (const chunk of opened.chunks(ONLY_EVENTS)) {
    yield chunk.lines().lines.map((line) => {
      const event = contents.readEvent(line, found.manifest.home_id);
      if (!event) throw damaged(name, "it has changed since it was verified");
      return event;
    });
  }
}

/** By the tiles of each day; where they differ, event by event. */
export async function compareWithStore(
  { store, ...file }: ProvedFile & { readonly store: Pick<EventStore, "range" | "tiles"> },
  options: PassOptions,
): Promise<Comparison> {
  const { tiles, manifest } = file.found;
  const [first, last] = [tiles[0], tiles.at(-1)];
  if (!first || !last) return { sameDays: 0, days: 0, missing: 0, different: 0 };
  options.signal?.throwIfAborted();
  options.onProgress?.({ step: "comparing", rows: 0, fraction: 0 });
  const homeId = manifest.home_id;
  const widthUs = contents.TILE_WIDTH_US;
  const stored = await store.tiles({ homeId, widthUs, fromUs: first.fromUs, toUs: last.fromUs + widthUs });
  const byDay = new Map<Microseconds, Tile>(stored.map((tile) => [tile.fromUs, tile]));
  const others = new Set(
    tiles.filter((tile) => !isDeepStrictEqual(tile, byDay.get(tile.fromUs))).map(({ fromUs }) => fromUs),
  );
  let [missing, different] = [0, 0];
  let before: HomeEvent | undefined;
  if (others.size > 0) {
    for await (const events of eventsOf(file)) {
      const wanted = events.filter(({ atUs }) => others.has(Math.floor(atUs / widthUs) * widthUs));
      for (let start = 0; start < wanted.length; start += PAGE_EVENTS) {
        options.signal?.throwIfAborted();
        const one = await compareEach(wanted.slice(start, start + PAGE_EVENTS), store, before);
        missing += one.missing;
        different += one.different;
        before = wanted[Math.min(start + PAGE_EVENTS, wanted.length) - 1];
      }
    }
  }
  return { sameDays: tiles.length - others.size, days: tiles.length, missing, different };
}

const positionOf = ({ atUs, entityId, kind }: HomeEvent): Position => ({ atUs, entityId, removed: kind === "removed" });

/**
 * Ascending events of one home with what the store has at their keys; `before`: the one ahead of them, so that of many at one microsecond none is read
 * again and again. One that knows more is as good: it came from elsewhere.
 */
async function compareEach(events: readonly HomeEvent[], store: Pick<EventStore, "range">, before?: HomeEvent) {
  const [first, last] = [events[0], events.at(-1)];
  const there = new Map<string, HomeEvent>();
  const wanted = new Set(events.map(naturalKey));
  let after = before && before.atUs === first?.atUs ? positionOf(before) : undefined;
  while (first && last) {
    const range = { homeId: first.homeId, fromUs: first.atUs, toUs: last.atUs + 1 };
    const page = await store.range({ ...range, order: "asc", limit: PAGE_EVENTS, ...(after && { after }) });
    for (const event of page.events) if (wanted.has(naturalKey(event))) there.set(naturalKey(event), event);
    after = page.next;
    const end = page.events.at(-1);
    if (!after || (end && compareEvents(end, last) >= 0)) break;
  }
  let [missing, different] = [0, 0];
  for (const event of events) {
    const stored = there.get(naturalKey(event));
    if (!stored) missing++;
    else if (rankOf(stored) <= rankOf(event) && !isDeepStrictEqual(stored, event)) different++;
  }
  return { missing, different };
}
