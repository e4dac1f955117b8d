import * as z from "zod";
import type { Microseconds } from "../../base/time.ts";
import type { Difference } from "../types.ts";
import { type KeptTile, packTiles, unpackTiles } from "./kept-tiles.ts";
import { NOTHING_OPEN, type OpenList } from "./open-list.ts";

/** What the check knows from step to step. As JSON at most 300 KB, whatever the length of the past and the number of differences. */
export interface Memory {
  /** Which run it is: the ordinary one, or the cold one of a final validation. Another one begins anew. */
  readonly run: string;
  readonly fromUs: Microseconds;
  /** Everything before it has been compared at least once; absent: nothing yet. */
  readonly doneUs: Microseconds;
  readonly tiles: readonly KeptTile[];
  /** Spans to be read again, ascending: something has changed in them. */
  readonly pending: readonly (readonly [fromUs: Microseconds, toUs: Microseconds])[];
  readonly open: OpenList;
  /** Where the next slice of old tiles begins that both sides are asked to count. */
  readonly sliceUs: Microseconds;
  /** How much time is read at once: as much as holds neither too few rows nor too many. */
  readonly stretchUs: Microseconds;
  /** The newest row of either side, and since when it has been that one. */
  readonly newestUs: Microseconds;
  readonly newestSinceUs: Microseconds;
  /** Late days that have been seen, as date and mark. */
  readonly lateDays: readonly string[];
  readonly late: number;
  readonly repaired: number;
  /** Differences that are limits of OLD, by kind. */
  readonly limits: Readonly<Record<string, number>>;
}

/** The name of a cold run: of the final validation that began then. */
export const coldRunOf = (sinceUs: Microseconds): string => `final ${sinceUs}`;
export const coldSinceOf = ({ run }: Pick<Memory, "run">): Microseconds | undefined =>
  run.startsWith("final ") ? Number(run.slice(6)) : undefined;

const PENDING_MAX = 200;

const us = z.int();
const crowd = z.object({
  ...{ fromUs: us, toUs: us, foundUs: us },
  ...{ count: z.int(), lackedByOld: z.int().optional(), lackedByNew: z.int().optional() },
  ...{ lookedUs: us, isCounted: z.boolean() },
});
const named = z.looseObject({
  class: z.string(),
  entityId: z.string(),
  atUs: us,
  foundUs: us,
  explanation: z.string(),
});
/** Written by us: what says which row it is must be there, the rest is as it was. */
const difference = z.custom<Difference>((value) => named.safeParse(value).success);
const row = z.object({ difference, isCounted: z.boolean() });
const schema = z.object({
  v: z.literal(1),
  run: z.string(),
  ...{ fromUs: us, doneUs: us, sliceUs: us, stretchUs: us, newestUs: us, newestSinceUs: us },
  tiles: z.string(),
  pending: z.array(z.tuple([us, us])),
  open: z.object({ rows: z.array(row), crowds: z.array(crowd) }),
  lateDays: z.array(z.string()),
  ...{ late: z.int(), repaired: z.int() },
  limits: z.record(z.string(), z.int()),
});

/** undefined: none, or of another version. */
export function readMemory(memory: unknown): Memory | undefined {
  const { data } = schema.safeParse(memory);
  const tiles = data && unpackTiles(data.tiles);
  if (!data || !tiles) return undefined;
  const { v: _, ...known } = data;
  return { ...known, tiles };
}

export const writeMemory = ({ tiles, ...memory }: Memory): unknown => ({ v: 1, ...memory, tiles: packTiles(tiles) });

export const newMemory = (run: string, fromUs: Microseconds, stretchUs: Microseconds): Memory => ({
  ...{ run, fromUs, doneUs: fromUs, sliceUs: fromUs, stretchUs, newestUs: 0, newestSinceUs: 0 },
  ...{ tiles: [], pending: [], open: NOTHING_OPEN, lateDays: [], late: 0, repaired: 0, limits: {} },
});

/** One list of spans, ascending, none touching another; too many become fewer and wider. */
export function withPending(
  pending: Memory["pending"],
  added: Memory["pending"],
  { fromUs, toUs }: { readonly fromUs: Microseconds; readonly toUs: Microseconds },
): Memory["pending"] {
  const spans: [number, number][] = [];
  for (const [start, end] of [...pending, ...added].toSorted(([a], [b]) => a - b)) {
    const span: [number, number] = [Math.max(start, fromUs), Math.min(end, toUs)];
    const before = spans.at(-1);
    if (span[0] >= span[1]) continue;
    if (before && before[1] >= span[0]) before[1] = Math.max(before[1], span[1]);
    else spans.push(span);
  }
  while (spans.length > PENDING_MAX) {
    let [best, gap] = [1, Number.POSITIVE_INFINITY];
    for (let i = 1; i < spans.length; i++) {
      const between = (spans[i]?.[0] ?? 0) - (spans[i - 1]?.[1] ?? 0);
      if (between < gap) [best, gap] = [i, between];
    }
    const [a, b] = spans.splice(best - 1, 2);
    if (a && b) spans.splice(best - 1, 0, [a[0], b[1]]);
  }
  return spans;
}
