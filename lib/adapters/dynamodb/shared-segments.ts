import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { NewSegment, ObjectStore } from "../parquet/ports.ts";
import type { Item } from "./wire-item.ts";

/**
 * Segments of several homes in one object: a request costs as much as eight write units, whatever it carries. Each is sealed with a key of its own, which stands in the item that
 * says where it lies. So a home's reader sees nothing of the others, and what was removed is gone with its item at once, although the object stays until the bucket's rule
 * deletes it: nothing ever has to be written again because one home of many is removed.
 */
export interface SharedSegments {
  /** What stands in the item of each segment that went into the object; the others are not in it. */
  put(segments: readonly NewSegment[]): Promise<ReadonlyMap<NewSegment, Place>>;
  /** undefined: the object is gone. @throws HearthlineError `store_damaged` */
  get(item: Item, where: string): Promise<Uint8Array | undefined>;
  /** Whether the object is older than the bucket's rule, which may have been shortened since the item was written, keeps any. */
  isGone(item: Item, keptDays: number): boolean;
  drop(): Promise<void>;
}

/** Members of an item. */
interface Place extends Readonly<Record<string, unknown>> {
  readonly object: string;
  readonly start: number;
  readonly end: number;
  readonly key: Uint8Array;
}

export interface SharedSegmentsOptions {
  readonly objects: ObjectStore;
  /** 32 bytes that nobody can guess. */
  readonly newKey: () => Uint8Array;
  readonly clock: { nowMs(): number };
}

/** Beside the homes' own folders, where nobody looks for segments. */
const ROOT = "hot/shared/";
const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;
/** A key seals one segment, once. */
const NONCE = Buffer.alloc(12);
/** A rule is carried out at the midnight after an object's last day. Source: Amazon S3 user guide, "Lifecycle expiration"; read 2026-09. */
const RULE_DAYS = 2;
const KIB = 1024;
/** What an item has beside its segment. */
const ITEM_BYTES = 200;
/** In write units, of which a segment takes one a kilobyte, and again when it is removed: what it takes to put an object and to get a part of it. Prices: bench/cost/prices.ts. */
const PUT_UNITS = 8;
const GET_UNITS = 0.64;

/** What is saved by not having the segment in its item. */
const savedUnits = ({ bytes }: NewSegment): number =>
  2 * (Math.ceil((bytes.length + ITEM_BYTES) / KIB) - 1) - GET_UNITS;
const isLarge = (segment: NewSegment): boolean => savedUnits(segment) > 0;

/** Whether an object for those of them that are large costs less than items. */
export const isWorthSharing = (segments: readonly NewSegment[]): boolean =>
  segments.filter(isLarge).reduce((sum, segment) => sum + savedUnits(segment), 0) > PUT_UNITS;

export function createSharedSegments({ objects, newKey, clock }: SharedSegmentsOptions): SharedSegments {
  return {
    put: async (segments) => {
      const large = segments.filter(isLarge);
      const sealed = large.map(({ bytes }) => {
        const key = newKey();
        return { key, bytes: seal(key, bytes) };
      });
      const whole = Buffer.concat(sealed.map(({ bytes }) => bytes));
      const hash = createHash("sha256").update(whole).digest("hex").slice(0, 32);
      const object = `${ROOT}day=${new Date(clock.nowMs()).toISOString().slice(0, 10)}/${hash}.seg`;
      await objects.put(object, new Uint8Array(whole));
      const places = new Map<NewSegment, Place>();
      let start = 0;
      for (const [index, segment] of large.entries()) {
        const { key = new Uint8Array(), bytes = new Uint8Array() } = sealed[index] ?? {};
        places.set(segment, { object, start, end: start + bytes.length, key });
        start += bytes.length;
      }
      return places;
    },
    get: async (item, where) => {
      const { object, start, end, key } = item as unknown as Place;
      const bytes = await objects.get(object, { start, end });
      if (!bytes) return undefined;
      try {
        return open(key, bytes);
      } catch (thrown) {
        const what = `${where} cannot be opened in the object "${object}": ${messageOf(thrown)}`;
        throw new HearthlineError("store_damaged", what, { cause: thrown });
      }
    },
    isGone: ({ object }, keptDays) => {
      const [, day = ""] = /\/day=([\d-]+)\//.exec(typeof object === "string" ? object : "") ?? [];
      return Date.parse(day) < clock.nowMs() - (keptDays + RULE_DAYS) * 86_400_000;
    },
    drop: async () => objects.remove((await objects.list(ROOT)).map(({ name }) => name)),
  };
}

function seal(key: Uint8Array, bytes: Uint8Array): Buffer {
  const cipher = createCipheriv(CIPHER, key, NONCE);
  return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const end = bytes.length - TAG_BYTES;
  const cipher = createDecipheriv(CIPHER, key, NONCE);
  cipher.setAuthTag(bytes.subarray(end));
  return new Uint8Array(Buffer.concat([cipher.update(bytes.subarray(0, end)), cipher.final()]));
}
