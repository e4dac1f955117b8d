import { type LossRecord, lostRangeOf } from "../../event/index.ts";
import { FLAG_GROUP, FLAG_LOSS, FLAG_REVISION, HEADER_MAX_BYTES } from "./format.ts";
import { isReadError } from "./lenient-file.ts";
import type { JournalOptions } from "./options.ts";
import { setAside } from "./read-segments.ts";
import type { Segment, SegmentFacts } from "./segment.ts";
import { isTorn, recordsIn } from "./tear.ts";
import { SegmentWalker } from "./walker.ts";

export interface TailFound {
  /** All segments that count. */
  readonly segments: readonly Segment[];
  /** The last number that is there, or that a header tells. */
  readonly last: number;
  readonly revision: number;
  /** By the newest header. */
  readonly losses: number;
  /** Of the newest segment. */
  readonly facts: SegmentFacts;
  /** The newest segment may be written on. */
  readonly canGoOn: boolean;
  /** The segment that was written to is gone. */
  readonly isActiveGone: boolean;
  /** Behind `last` lies what was whole once and is not any more. */
  readonly doubt?: Doubt;
}

/** Records that were on the disk, and perhaps at a sink, and cannot be read: at least `seen`, with numbers up to `last` at most. */
interface Doubt {
  readonly last: number;
  readonly seen: number;
}

export interface TailQuestion {
  readonly found: readonly Segment[];
  /** This number was given and written for sure. */
  readonly knownLast: number;
  /** The last run ended in order: what lies beyond that number had been refused and could not be cut off. */
  readonly isClean: boolean;
  readonly active: number | undefined;
}

/** Reads the newest segment whole and cuts off the group that a crash tore. One without any record does not count. */
export async function readTail(
  options: JournalOptions,
  { found, knownLast, isClean, active }: TailQuestion,
): Promise<TailFound> {
  const segments = [...found];
  const isActiveGone = active !== undefined && !found.some(({ first }) => first === active);
  let told = 0;
  let doubt: Doubt | undefined;
  for (let newest = segments.at(-1); newest; newest = segments.at(-1)) {
    if (newest.header) told = Math.max(told, newest.first - 1);
    const read = await readPatiently(options, newest, {
      knownLast,
      bound: isClean ? knownLast + 1 : Number.POSITIVE_INFINITY,
    });
    if (read.doubt && read.doubt.last > (doubt?.last ?? 0)) doubt = read.doubt;
    if (read.last !== undefined) {
      const { header } = newest;
      return {
        segments,
        last: Math.max(told, read.last),
        revision: Math.max(read.revision, header?.revision ?? 0),
        losses: header?.losses ?? 0,
        facts: read.facts,
        canGoOn: !newest.isDamaged && read.last >= told,
        isActiveGone,
        ...(doubt && { doubt }),
      };
    }
    segments.pop();
    // Never named as written to, or begun only: a crash came before its first group was whole.
    if (read.doubt || (newest.first === active && newest.bytes > newest.headerBytes))
      await setAside(options.files, newest.name, options);
    else await options.files.remove(newest.name).catch(() => {});
  }
  const facts = { fromMs: 0, toMs: 0, losses: [] };
  return {
    segments,
    last: told,
    revision: 0,
    losses: 0,
    facts,
    canGoOn: false,
    isActiveGone: isActiveGone || (active !== undefined && found.length > 0),
    ...(doubt && { doubt }),
  };
}

interface WholeRead {
  readonly last?: number;
  readonly revision: number;
  readonly facts: SegmentFacts;
  readonly doubt?: Doubt;
}

interface ReadBounds {
  readonly knownLast: number;
  /** Numbers from here on do not count. */
  readonly bound: number;
}

/** What the disk does not read the second time either counts as damaged. */
async function readPatiently(options: JournalOptions, segment: Segment, bounds: ReadBounds): Promise<WholeRead> {
  for (let tries = 1; ; tries++) {
    try {
      return await readWhole(options, segment, bounds);
    } catch (thrown) {
      if (!isReadError(thrown)) throw thrown;
      options.log.error("The disk cannot read the newest segment.", { name: segment.name, error: thrown });
      if (tries >= 2) segment.isUnreadable = true;
    }
  }
}

async function readWhole(
  { files, log }: JournalOptions,
  segment: Segment,
  { knownLast, bound }: ReadBounds,
): Promise<WholeRead> {
  const facts: SegmentFacts = { fromMs: segment.createdMs, toMs: segment.createdMs, losses: [] };
  let revision = 0;
  let last: number | undefined;
  const isHeaderGood = segment.header !== undefined;
  const walker = await SegmentWalker.open(files, segment);
  try {
    const beyond: (() => void)[] = [];
    let isGroupBeyond = false;
    let wholeUpTo = segment.headerBytes;
    for (let record = await walker.peek(bound); record; record = await walker.peek(bound)) {
      const { n, atMs, flags } = record;
      const line = flags & (FLAG_LOSS | FLAG_REVISION) ? walker.lineOf(record) : "";
      const note = () => {
        last = n;
        facts.fromMs = Math.min(facts.fromMs, atMs);
        facts.toMs = Math.max(facts.toMs, atMs);
        if (flags & FLAG_LOSS) facts.losses.push({ n, range: lostRangeOf(JSON.parse(line) as LossRecord) });
        if (flags & FLAG_REVISION) revision = Math.max(revision, (JSON.parse(line) as { revision: number }).revision);
      };
      if (walker.damage && isHeaderGood) beyond.push(note);
      else note();
      isGroupBeyond ||= walker.damage !== undefined && (flags & FLAG_GROUP) !== 0;
      walker.pass(record);
      wholeUpTo = walker.offset;
    }
    const { damage } = walker;
    const isCrash =
      damage !== undefined &&
      isHeaderGood &&
      damage.n > knownLast &&
      !isGroupBeyond &&
      !segment.isUnreadable &&
      isTorn(await walker.rest(damage.offset), damage.offset);
    if (isCrash) {
      // The group that was being written when the machine stopped: nobody was told that it is safe.
      log.warn("The spool's last group was torn by a crash and cut off.", {
        name: segment.name,
        bytes: segment.bytes - damage.offset,
      });
      segment.bytes = damage.offset;
      segment.isDamaged = false;
    } else {
      for (const note of beyond) note();
      segment.bytes = walker.offset;
    }
    if (last !== undefined) segment.last = last;
    segment.facts = facts;
    const doubt =
      isCrash || !damage ? undefined : await doubtIn(walker, { wholeUpTo, after: last ?? segment.first - 1 });
    return { ...(last !== undefined && { last }), revision, facts, ...(doubt && { doubt }) };
  } finally {
    await walker.close();
  }
}

/** What lies behind the last whole record, unless a crash left it so. */
async function doubtIn(
  walker: SegmentWalker,
  { wholeUpTo, after }: { wholeUpTo: number; after: number },
): Promise<Doubt | undefined> {
  const { segment } = walker;
  const isHeaderOnly = wholeUpTo === 0 && segment.bytes <= HEADER_MAX_BYTES;
  if (wholeUpTo >= segment.bytes || isHeaderOnly) return undefined;
  const rest = await walker.rest(wholeUpTo);
  if (!segment.isUnreadable && isTorn(rest, wholeUpTo)) return undefined;
  const { seen, most } = recordsIn(rest);
  return { last: after + most, seen };
}
