import { createHash } from "node:crypto";
import type { Microseconds } from "../../base/time.ts";

/*
 * Names of objects. Only small ASCII letters, digits and `. _ = ~ -`: names mean the same on file systems that ignore case or normalise Unicode, on Windows, in S3 and in
 * a URL, however often it is decoded; folders are written `name=value`, which Athena, Spark and DuckDB take for columns.
 */

export const DAY_US = 86_400_000_000;
export const EVENTS = "events/";
export const HOT = "hot/";
export const ROLLUPS = "rollups/";
export const MARKER = "hearthline-store.json";

/** A file name may have 255 bytes. */
const ESCAPED_MAX = 200;
const ORDER_DIGITS = 16;

/** Any id as part of a name: others have other names. What would be too long, or is not well-formed, becomes its SHA-256. */
export function escapeId(id: string): string {
  if (id === "") return "~~";
  const escaped = [...Buffer.from(id)].map(escapeByte).join("");
  if (escaped.length <= ESCAPED_MAX && id.isWellFormed()) return escaped;
  return `~~${createHash("sha256").update(Buffer.from(id, "utf16le")).digest("hex")}`;
}

const PLAIN = /[a-z0-9_-]/;
function escapeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : `~${byte.toString(16).padStart(2, "0")}`;
}

/** The UTC day of a moment: `2026-11-22`. */
export const dayOf = (atUs: Microseconds): string =>
  new Date(Math.floor(atUs / DAY_US) * 86_400_000).toISOString().slice(0, 10);
/** Where that day begins. */
export const dayStartUs = (day: string): Microseconds => Date.parse(`${day}T00:00:00Z`) * 1000;

/** Everything of a home below one of the three roots. */
export const homePrefix = (root: string, homeId: string): string => `${root}home=${escapeId(homeId)}/`;
export const dayPrefix = (root: string, homeId: string, day: string): string =>
  `${homePrefix(root, homeId)}day=${day}/`;

/** A day file: which writes are in it, and what its footer is. */
export interface PartName {
  /** The object's own name. */
  readonly name: string;
  readonly bytes: number;
  /** The newest write that is in it. */
  readonly upTo: number;
  /** The first 16 hex digits of the SHA-256 of its ending, which holds the checksums of the rest. */
  readonly endingHash: string;
}

/** Directly in its day's folder: what somebody has put deeper is his own. */
const PART = /^events\/home=[^/]+\/day=(\d{4}-\d\d-\d\d)\/part-(\d{16})-([0-9a-f]{16})\.parquet$/;

export const partName = (prefix: string, upTo: number, endingHash: string): string =>
  `${prefix}part-${orderText(upTo)}-${endingHash}.parquet`;

/** undefined: some other object. */
export function readPartName(name: string, bytes: number): (PartName & { readonly day: string }) | undefined {
  const [, day, order, endingHash] = PART.exec(name) ?? [];
  if (day === undefined || endingHash === undefined) return undefined;
  return { name, bytes, day, upTo: Number(order), endingHash };
}

/** Beside a day file. */
export const rollupName = (prefix: string, { upTo, endingHash }: Pick<PartName, "upTo" | "endingHash">): string =>
  `${prefix}part-${orderText(upTo)}-${endingHash}.rollup`;

const ROLLUP = /^rollups\/home=[^/]+\/day=\d{4}-\d\d-\d\d\/part-\d{16}-[0-9a-f]{16}\.rollup$/;
/** False: some other object. */
export const isRollupName = (name: string): boolean => ROLLUP.test(name);

/** What a segment's name tells without a look inside. */
export interface Segment {
  readonly name: string;
  /** Orders the writes to one home and day. */
  readonly order: number;
  readonly minUs: Microseconds;
  readonly maxUs: Microseconds;
  readonly count: number;
}

export function segmentName(
  { order, minUs, maxUs, count }: Omit<Segment, "name">,
  { day, writer, hash }: { readonly day: string; readonly writer: string; readonly hash: string },
): string {
  const startUs = dayStartUs(day);
  const times = [minUs - startUs, maxUs - startUs, count].map((number) => number.toString(36)).join("-");
  return `${orderText(order)}-${writer}-${hash}-${times}`;
}

const SEGMENT = /^(\d{16})-[0-9a-f]+-[0-9a-f]+-([0-9a-z]+)-([0-9a-z]+)-([0-9a-z]+)$/;

/** undefined: some other thing. */
export function readSegmentName(day: string, name: string): Segment | undefined {
  const [, order, min, max, count] = SEGMENT.exec(name) ?? [];
  if (min === undefined || max === undefined || count === undefined) return undefined;
  const startUs = dayStartUs(day);
  const number = (text: string) => Number.parseInt(text, 36);
  return {
    name,
    order: Number(order),
    minUs: startUs + number(min),
    maxUs: startUs + number(max),
    count: number(count),
  };
}

/** Under which a day file remembers what it replaces: 8 bytes of SHA-256. Two names of one day and home meet by chance of 2^-64. */
export const digestOf = (name: string): string =>
  createHash("sha256").update(name).digest().subarray(0, 8).toString("base64url");

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

const orderText = (order: number): string => String(order).padStart(ORDER_DIGITS, "0");
