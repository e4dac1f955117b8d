import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import { encodeBlock } from "../../series/columns/block.ts";
import { mergeRuns } from "../../series/index.ts";
import { atOnce } from "./at-once.ts";
import { DAY_US, dayOf, hashOf, readSegmentName, segmentName } from "./names.ts";
import type { HotSegments, NewSegment } from "./ports.ts";

/** A reader of some minutes shall not decode a whole import. */
const SEGMENT_EVENTS = 16_384;
const ASKED_AT_ONCE = 8;
/** Homes' days whose newest write is remembered; of another one it is asked again. */
const DAYS_MAX = 10_000;

/** Events of one home and day, as bytes. */
interface Piece {
  readonly homeId: string;
  readonly day: string;
  readonly events: readonly HomeEvent[];
  readonly bytes: Uint8Array;
}

/**
 * Writes events as segments, one or more for each home and day. Which write is the later one is said by a number in the name: microseconds by the clock here,
 * and never less than what this home's day has already, so that a clock that was set back makes no write an earlier one. Two processes that write the same
 * key at the same rank within the difference of their clocks may be taken in either order.
 */
export function createSegmentWriter(options: { hot: HotSegments; clock: Clock; random: Random }) {
  const { hot, clock, random } = options;
  const writer = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
  const newest = new Map<string, Promise<number>>();
  let lastOrder = 0;

  function newestOf({ homeId, day }: Piece): Promise<number> {
    const key = `${day} ${homeId}`;
    const known = newest.get(key);
    if (known) return known;
    const asked = hot
      .newest(homeId, day)
      .then((name) => (name === undefined ? 0 : (readSegmentName(day, name)?.order ?? 0)));
    asked.catch(() => newest.delete(key));
    if (newest.size >= DAYS_MAX) newest.clear();
    newest.set(key, asked);
    return asked;
  }

  /** One, or as many as fit. */
  function* piecesOf(events: readonly HomeEvent[]): Generator<Piece> {
    const [first] = events;
    if (!first) return;
    const { homeId, atUs } = first;
    const bytes = encodeBlock(events);
    if (bytes.length <= hot.maxBytes) {
      yield { homeId, day: dayOf(atUs), events, bytes };
      return;
    }
    if (events.length === 1) {
      const what = `The event of "${first.entityId}" of home "${homeId}" takes ${bytes.length} bytes; a segment may have ${hot.maxBytes}.`;
      throw new HearthlineError("event_too_large", what);
    }
    const middle = events.length >> 1;
    yield* piecesOf(events.slice(0, middle));
    yield* piecesOf(events.slice(middle));
  }

  function named({ homeId, day, events, bytes }: Piece, known: number): NewSegment {
    lastOrder = Math.max(clock.nowMs() * 1000, lastOrder + 1, known + 1);
    const [minUs, maxUs] = [events[0]?.atUs ?? 0, events.at(-1)?.atUs ?? 0];
    const told = { order: lastOrder, minUs, maxUs, count: events.length };
    return { homeId, segment: { day, name: segmentName(told, { day, writer, hash: hashOf(bytes) }) }, bytes };
  }

  return {
    /** Every segment is durable when it resolves. */
    async write(events: readonly HomeEvent[]): Promise<void> {
      const groups = Map.groupBy(events, (event) => `${Math.floor(event.atUs / DAY_US)} ${event.homeId}`);
      const runs = [...groups.values()].map((group) => mergeRuns([group.toSorted(compareEvents)]));
      const pieces = runs.flatMap((run) =>
        Array.from({ length: Math.ceil(run.length / SEGMENT_EVENTS) }, (_, index) =>
          run.slice(index * SEGMENT_EVENTS, (index + 1) * SEGMENT_EVENTS),
        ).flatMap((some) => [...piecesOf(some)]),
      );
      const known = await atOnce(ASKED_AT_ONCE, pieces, newestOf);
      await hot.append(pieces.map((piece, index) => named(piece, known[index] ?? 0)));
    },
  };
}
