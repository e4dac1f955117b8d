import type { Microseconds } from "../../base/time.ts";
import type { MigrationStore, ReadPair } from "../ports.ts";
import { markOf } from "./sample.ts";

/**
 * Which pairs were counted already. Those of users are written some seconds after they were made, so a step looks back a little and knows again what it has seen; what comes later than that is not
 * counted, and nothing is counted twice.
 */
export interface Cursor {
  /** Nothing up to here is looked at again. */
  readonly floorUs: Microseconds;
  /** Those after it that were counted. */
  readonly seen: readonly number[];
}

export const FROM_THE_START: Cursor = { floorUs: 0, seen: [] };

/** Longer than pairs wait before they are written (reads/pairs.ts), with a retry. */
const LOOK_BACK_US = 15_000_000;
const SEEN_MAX = 2_000;

export interface MarkedRead {
  readonly pair: ReadPair;
  readonly mark: number;
}

/** What has come since `cursor`, from the store. */
export const arrivalsSince = async (
  store: Pick<MigrationStore, "pairs">,
  { homeId, id }: { readonly homeId: string; readonly id: string },
  cursor: Cursor,
): Promise<ReturnType<typeof arrivals>> => arrivals(cursor, await store.pairs(homeId, id, cursor.floorUs));

/** What is new among `pairs`, ascending by time, which are those after `cursor.floorUs`. */
export function arrivals(
  cursor: Cursor,
  pairs: readonly ReadPair[],
): { readonly fresh: readonly MarkedRead[]; readonly cursor: Cursor } {
  const seen = new Set(cursor.seen);
  const all = pairs.filter(({ atUs }) => atUs > cursor.floorUs).map((pair) => ({ pair, mark: markOfPair(pair) }));
  const fresh: MarkedRead[] = [];
  for (const one of all) {
    if (seen.has(one.mark)) continue;
    seen.add(one.mark);
    fresh.push(one);
  }
  const newestUs = all.reduce((newest, { pair }) => Math.max(newest, pair.atUs), cursor.floorUs);
  // The floor is raised where more came than can be remembered.
  const floorUs = Math.max(cursor.floorUs, newestUs - LOOK_BACK_US, all.at(-SEEN_MAX - 1)?.pair.atUs ?? 0);
  const kept = all.filter(({ pair }) => pair.atUs > floorUs).map(({ mark }) => mark);
  return { fresh, cursor: { floorUs, seen: [...new Set(kept)] } };
}

const markOfPair = ({ atUs, by, query, oldMs, newMs, oldError, newError, rows }: ReadPair): number =>
  markOf(JSON.stringify([atUs, by, query, oldMs, newMs, oldError, newError, rows]));

export const isCursor = (value: unknown): value is Cursor =>
  typeof value === "object" &&
  value !== null &&
  "floorUs" in value &&
  typeof value.floorUs === "number" &&
  "seen" in value &&
  Array.isArray(value.seen);

/** Which stage this is; evidence of another one is past. A state that is entered again is another one. */
export const stageKeyOf = ({
  state,
  stage,
  sinceUs,
}: {
  readonly state: string;
  readonly stage: number;
  readonly sinceUs: Microseconds;
}): string => `${state}/${stage}/${sinceUs}`;
