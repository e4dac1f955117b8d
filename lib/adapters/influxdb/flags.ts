import {
  DAY_PARTS,
  EVENT_KINDS,
  EVENT_SOURCES,
  type HomeEvent,
  type Quality,
  STATISTICS_ORIGIN,
} from "../../event/index.ts";

/** The field `flags`: an event's small members, and marks. From the lowest bit; new members take new bits: rows of older programs must keep their meaning. */

const QUALITIES: readonly Quality[] = ["ok", "unknown", "unavailable"];
const VALUE_KINDS = { none: 0, number: 1, false: 2, true: 3 } as const;

const SOURCE_SHIFT = 3;
const QUALITY_SHIFT = 5;
const DAY_PART_SHIFT = 7;
const VALUE_SHIFT = 9;
/** `state` holds JSON, because the state has characters that line protocol does not take in every version. */
export const CODED_STATE = 1 << 11;
/** The event was pruned where the server cannot delete. */
export const GONE = 1 << 12;
/** An hour of long-term statistics: windows must know, and do not read `more`. */
const STATISTICS = 1 << 13;
/** Into how many fields more than `more` a long text goes: `more_2`, `more_3`... A longer one that was there before leaves fields behind. */
const EXTRA_SHIFT = 16;
const EXTRA_MAX = 255;
/** Above all: the characters of the line, so that `stats` reads nothing else. */
const SIZE_FACTOR = 2 ** 24;

export const withSizes = (flags: number, { extra, characters }: { extra: number; characters: number }): number =>
  (flags | (extra << EXTRA_SHIFT)) + characters * SIZE_FACTOR;
export const extraIn = (flags: number): number => (flags >> EXTRA_SHIFT) & EXTRA_MAX;
export const charactersIn = (flags: number): number => Math.floor(flags / SIZE_FACTOR);

export const flagsOf = (event: HomeEvent): number =>
  EVENT_KINDS.indexOf(event.kind) |
  (EVENT_SOURCES.indexOf(event.source) << SOURCE_SHIFT) |
  (QUALITIES.indexOf(event.quality) << QUALITY_SHIFT) |
  (DAY_PARTS.indexOf(event.dayPart) << DAY_PART_SHIFT) |
  (valueKindOf(event.value) << VALUE_SHIFT) |
  (event.origin === STATISTICS_ORIGIN ? STATISTICS : 0);

function valueKindOf(value: number | boolean | undefined): number {
  if (value === undefined) return VALUE_KINDS.none;
  if (typeof value === "number") return VALUE_KINDS.number;
  return value ? VALUE_KINDS.true : VALUE_KINDS.false;
}

/** The members that are in the flags; `origin` only where windows look at it. */
export function membersOf(flags: number) {
  return {
    kind: EVENT_KINDS[flags & 7] ?? "change",
    source: EVENT_SOURCES[(flags >> SOURCE_SHIFT) & 3] ?? "live",
    quality: QUALITIES[(flags >> QUALITY_SHIFT) & 3] ?? "ok",
    dayPart: DAY_PARTS[(flags >> DAY_PART_SHIFT) & 3] ?? "night",
    origin: flags & STATISTICS ? STATISTICS_ORIGIN : "",
  } as const;
}

/** @param column the field `value`, which may be a leftover of an event that was written again without one */
export function valueIn(flags: number, column: unknown): number | boolean | undefined {
  const kind = (flags >> VALUE_SHIFT) & 3;
  if (kind === VALUE_KINDS.none) return undefined;
  return kind === VALUE_KINDS.number ? Number(column) : kind === VALUE_KINDS.true;
}
