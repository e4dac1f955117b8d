import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { AggregateQuery, EventPage, RangeQuery } from "../../store/ports.ts";
import type { OldLimits, ReadPair } from "../ports.ts";
import { areEqual } from "./compare.ts";
import type { ReadSide } from "./old-side.ts";

/** One read, and how its answers are compared. */
export interface Asked<T = unknown> {
  readonly homeId: string;
  readonly entityIds?: readonly string[];
  /** Of a pair. */
  readonly query: ReadPair["query"];
  /** OLD has what is asked for. It knows no areas and no devices: nobody who read OLD has ever asked for them. */
  readonly isOldable: boolean;
  /** It goes on behind a page that the other side may have given. */
  readonly isContinued: boolean;
  ask(side: ReadSide): Promise<T>;
  rowsOf(answer: T): number;
  /** The oldest moment that it told of; undefined: of none. */
  oldestUs(answer: T): number | undefined;
  areEqual(answers: { readonly old: T; readonly new: T }, context: CompareContext): Promise<boolean>;
}

export interface CompareContext {
  readonly limits: OldLimits;
  readonly settledUs: number;
  readonly sides: { readonly old: ReadSide; readonly new: ReadSide };
}

export function askedRange(query: RangeQuery): Asked<EventPage> {
  const { homeId, entityIds, areaId, deviceId, limit } = query;
  return {
    homeId,
    ...(entityIds && { entityIds }),
    query: limit === 1 && entityIds?.length === 1 ? "latest" : "range",
    isOldable: areaId === undefined && deviceId === undefined,
    isContinued: query.after !== undefined,
    ask: (side) => side.range(query),
    rowsOf: ({ events }) => events.length,
    oldestUs: ({ events }) => (query.order === "asc" ? events[0] : events.at(-1))?.atUs,
    areEqual: async (pages, context) => areEqual(query, pages, context),
  };
}

type Aggregates = Awaited<ReturnType<ReadSide["aggregate"]>>;
const ROWS_COMPARED = 200;

/**
 * Windows are not compared, but a page of the rows that they are made of: what OLD cannot hold (an `unavailable`, a restart's restored state, a canonical unit) moves every figure of a window.
 * That NEW makes the right windows of its rows is for its own tests.
 */
export function askedAggregate(query: AggregateQuery): Asked<Aggregates> {
  const { homeId, entityIds, edges } = query;
  const [fromUs = 0] = edges;
  const rows: RangeQuery = {
    homeId,
    entityIds,
    fromUs,
    toUs: edges.at(-1) ?? fromUs,
    order: "asc",
    limit: ROWS_COMPARED,
  };
  return {
    homeId,
    entityIds,
    query: "aggregate",
    isOldable: true,
    isContinued: false,
    ask: (side) => side.aggregate(query),
    oldestUs: () => edges[0],
    rowsOf: (entities) => entities.reduce((sum, { windows }) => sum + windows.length, 0),
    areEqual: async (_answers, { sides, ...options }) => {
      const [old, found] = await Promise.all([sides.old.range(rows), sides.new.range(rows)]);
      return areEqual(rows, { old, new: found }, options);
    },
  };
}

export type Timed<T> =
  | { readonly ms: number; readonly answer: T }
  | { readonly ms: number; readonly error: unknown; readonly answer?: undefined };

export async function timed<T>(clock: Pick<Clock, "monotonicMs">, ask: () => Promise<T>): Promise<Timed<T>> {
  const startedMs = clock.monotonicMs();
  try {
    const answer = await ask();
    return { ms: clock.monotonicMs() - startedMs, answer };
  } catch (error) {
    return { ms: clock.monotonicMs() - startedMs, error };
  }
}

export interface PairOf {
  readonly atUs: number;
  readonly by: ReadPair["by"];
  readonly query: string;
  readonly old: Timed<unknown>;
  readonly new: Timed<unknown>;
  readonly rows: number;
  readonly backSeconds?: number;
  readonly isEqual?: boolean;
}

/** Of an error only its code is kept: messages are for the log. */
export function pairOf({ old, new: found, isEqual, ...rest }: PairOf): ReadPair {
  return {
    ...rest,
    ...("error" in old ? { oldError: codeOf(old.error) } : { oldMs: old.ms }),
    ...("error" in found ? { newError: codeOf(found.error) } : { newMs: found.ms }),
    ...(isEqual !== undefined && { isEqual }),
  };
}

const codeOf = (error: unknown): string =>
  error instanceof HearthlineError ? error.code : error instanceof Error ? error.name : "unknown";
