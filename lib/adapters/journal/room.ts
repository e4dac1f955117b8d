import type { LossRecord } from "../../event/index.ts";
import { lostRangeOf } from "../../event/index.ts";
import { FLAG_LOSS } from "./format.ts";
import { type JournalOptions, segmentBytesOf } from "./options.ts";
import type { Segment, SegmentFacts, Segments } from "./segment.ts";
import { SegmentWalker } from "./walker.ts";

const MIB = 1_048_576;
/** The disk is asked again after so many bytes, or so long. */
const ASK_EVERY_BYTES = MIB;
const ASK_EVERY_MS = 1_000;

export interface RoomOptions extends JournalOptions {
  readonly segments: Segments;
}

/** What there is to give up, and what must stay. */
export interface RoomQuestion {
  /** A sink has read from it and not acknowledged: what is lost there may arrive all the same. */
  readonly inHand: (segment: Segment) => boolean;
  readonly tail: Segment | undefined;
}

export interface RoomAnswer {
  readonly isFull: boolean;
  readonly victims: readonly Segment[];
  readonly reason: string;
}

/** Decides at the bound: in bytes, and by what the disk has left. */
export interface Room {
  /** What has to go so that `bytes` more may come. */
  make(bytes: number, question: RoomQuestion): Promise<RoomAnswer>;
  wrote(bytes: number): void;
  /** Why there was no room the last time. */
  reason(): string;
  /** What a segment held, of which nothing is in memory. */
  read(segment: Segment): Promise<SegmentFacts>;
}

export function createRoom(options: RoomOptions): Room {
  const { files, segments, clock, log, maxBytes, atBound = "oldest", minFreeBytes = 0 } = options;
  /** Below this the spool grows whatever the disk says: a relay that sends all it gets needs this much. */
  const floorBytes = 2 * segmentBytesOf(maxBytes);
  let freeBytes = Number.POSITIVE_INFINITY;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let writtenBytes = 0;
  let lowLimitBytes: number | undefined;
  let reason = "";

  async function ask(): Promise<void> {
    if (minFreeBytes <= 0) return;
    if (clock.monotonicMs() - askedAtMs < ASK_EVERY_MS && writtenBytes < ASK_EVERY_BYTES) return;
    askedAtMs = clock.monotonicMs();
    writtenBytes = 0;
    try {
      freeBytes = await files.freeBytes();
    } catch (thrown) {
      log.debug("The disk does not say what is free.", { error: thrown });
    }
  }

  async function limitFor(bytes: number): Promise<number> {
    await ask();
    const isLow = freeBytes - writtenBytes - bytes < minFreeBytes;
    reason = isLow
      ? `the disk was nearly full (less than ${Math.round(minFreeBytes / MIB)} MiB free)`
      : `the spool was full (${Math.round(maxBytes / MIB)} MiB)`;
    // As large as it was when the disk became full: what is given up makes room for what comes.
    lowLimitBytes = isLow ? (lowLimitBytes ?? Math.max(floorBytes, segments.bytes)) : undefined;
    return Math.min(maxBytes, lowLimitBytes ?? maxBytes);
  }

  return {
    make: async (bytes, { inHand, tail }) => {
      const limit = await limitFor(bytes);
      let over = segments.bytes + bytes - limit;
      if (over <= 0) return { isFull: false, victims: [], reason };
      if (atBound === "newest") return { isFull: bytes > 0, victims: [], reason };
      const rest = segments.all.filter((segment) => segment !== tail);
      const victims: Segment[] = [];
      for (const segment of [...rest.filter((each) => !inHand(each)), ...rest.filter(inHand)]) {
        if (over <= 0) break;
        victims.push(segment);
        over -= segment.bytes;
      }
      return { isFull: false, victims, reason };
    },
    wrote: (bytes) => {
      writtenBytes += bytes;
    },
    reason: () => reason,
    read: async (segment) => {
      const facts: SegmentFacts = { fromMs: segment.createdMs, toMs: segment.createdMs, losses: [] };
      try {
        // For the last time: what the disk does not give of it is not waited for.
        const walker = await SegmentWalker.open(files, { ...segment, isUnreadable: true });
        try {
          await collect(walker, segments.lastOf(segment) + 1, facts);
        } finally {
          await walker.close();
        }
      } catch (thrown) {
        log.warn("A segment that is given up cannot be read: losses that it told of are not told again.", {
          name: segment.name,
          error: thrown,
        });
      }
      return facts;
    },
  };
}

async function collect(walker: SegmentWalker, bound: number, facts: SegmentFacts): Promise<void> {
  for (let record = await walker.peek(bound); record; record = await walker.peek(bound)) {
    facts.fromMs = Math.min(facts.fromMs, record.atMs);
    facts.toMs = Math.max(facts.toMs, record.atMs);
    if (record.flags & FLAG_LOSS) {
      facts.losses.push({ n: record.n, range: lostRangeOf(JSON.parse(walker.lineOf(record)) as LossRecord) });
    }
    walker.pass(record);
  }
}
