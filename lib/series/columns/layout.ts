import type { DayPart, EventKind, EventSource, Quality } from "../../event/index.ts";

/**
 * What a block is made of. All numbers are part of the format: new ones may be added, none may change its meaning.
 *
 * Header, little-endian: "HB", version, 0 | CRC-32 of all that follows it | count | first and last time in microseconds (doubles) |
 * bytes of the body before and after compression | bytes of the random parts | marks | bytes of the home's id, and the id.
 * Then the body (zstd), then the random halves of the ULIDs, which no compressor makes smaller.
 *
 * Body: tables (names, states, JSON, series), then the columns. A row's `flags` say which columns have a number for it.
 */
export const MAGIC = 0x4248;
export const VERSION = 1;
export const HEADER_BYTES = 45;
/** Marks of a block: its rows are ordered by time; its times stand as they are, not by their differences. */
export const MARK_BY_TIME = 1;
export const MARK_FAR = 2;

export const KINDS = ["change", "attributes", "restore", "snapshot", "removed"] as const satisfies EventKind[];
export const SOURCES = ["live", "backfill", "import", "api"] as const satisfies EventSource[];
export const QUALITIES = ["ok", "unknown", "unavailable"] as const satisfies Quality[];
export const DAY_PARTS = ["night", "morning", "afternoon", "evening"] as const satisfies DayPart[];

type Codes<T extends string> = Readonly<Record<T, number>>;
export const KIND_CODES: Codes<EventKind> = { change: 0, attributes: 1, restore: 2, snapshot: 3, removed: 4 };
export const SOURCE_CODES: Codes<EventSource> = { live: 0, backfill: 1, import: 2, api: 3 };
export const QUALITY_CODES: Codes<Quality> = { ok: 0, unknown: 1, unavailable: 2 };
export const DAY_PART_CODES: Codes<DayPart> = { night: 0, morning: 1, afternoon: 2, evening: 3 };

// `flags`: where each part begins. "Before" is the block's last row of the same entity.
/** Three bits. */
export const KIND_AT = 0;
/** Two bits each up to the value. */
export const SOURCE_AT = 3;
export const QUALITY_AT = 5;
export const DAY_PART_AT = 7;
/** Three bits. */
export const VALUE_AT = 9;
/** Two bits each up to the parent. */
export const STATE_AT = 12;
export const OLD_STATE_AT = 14;
export const LASTED_AT = 16;
export const CHANGED_AT = 18;
export const CONTEXT_AT = 20;
export const PARENT_AT = 22;
/** One bit each. */
export const USER_BIT = 1 << 24;
export const ATTRIBUTES_BIT = 1 << 25;
export const WEATHER_BIT = 1 << 26;
export const OFFSET_BIT = 1 << 27;

/** `fromState`: the state read as a number. */
export const VALUE = { none: 0, fromState: 1, no: 2, yes: 3, column: 4 } as const;
/** `decimal`: by the difference to the one before. */
export const STATE = { before: 0, decimal: 1, table: 2 } as const;
export const OLD_STATE = { none: 0, before: 1, table: 2 } as const;
/** `sinceBefore`: from the last change before to this one. */
export const LASTED = { none: 0, sinceBefore: 1, micros: 2, column: 3 } as const;
export const CHANGED = { now: 0, before: 1, column: 2 } as const;
/** `last`: as the block's last id of this kind, whatever its entity. */
export const CONTEXT = { none: 0, ulid: 1, table: 2, last: 3 } as const;

/** The integer columns, in the order in which they stand in the body. */
export const COLUMNS = [
  "flags",
  "times",
  "series",
  "changed",
  "mantissas",
  "decimals",
  "states",
  "oldStates",
  "lasted",
  "ulidTimes",
  "ids",
  "users",
  "attributes",
  "weather",
  "offsets",
] as const;
export type Column = (typeof COLUMNS)[number];

/** Members of a row of the series table, each a number of the names' table plus one, 0 for none. */
export const SERIES_MEMBERS = 7;
