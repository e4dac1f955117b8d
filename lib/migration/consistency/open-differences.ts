import type { Microseconds } from "../../base/time.ts";
import type { Difference, DifferenceClass } from "../ports.ts";
import { classify, type LossAccount } from "./classify.ts";
import { compare } from "./compare.ts";
import { TILE_US } from "./kept-tiles.ts";
import { readMemory } from "./memory.ts";
import type { Crowd } from "./open-list.ts";
import type { Sides } from "./sides.ts";

export interface OpenOptions {
  /** What the check `consistency` keeps. */
  readonly memory: unknown;
  /** Differences that were told. */
  readonly examples: readonly Difference[];
  readonly classes: ReadonlySet<DifferenceClass>;
  readonly sides: Sides;
  readonly account: LossAccount;
  readonly nowUs: Microseconds;
  /** No more than so many are named. */
  readonly max: number;
  readonly signal?: AbortSignal;
}

export interface OpenDifferences {
  /** Ascending by entity, then time. */
  readonly differences: readonly Difference[];
  /** False: there are more than were asked for. */
  readonly isAll: boolean;
}

const keyOf = ({ class: kind, entityId, atUs }: Difference): string => `${kind} ${atUs} ${entityId}`;

/**
 * Every row that differed when it was last looked at: those that were told and were not repaired since, and those of stretches in which there were too many to keep each, which are read again here.
 * Errors as of `compare`.
 */
export async function openDifferences(options: OpenOptions): Promise<OpenDifferences> {
  const { classes, examples, max } = options;
  const memory = readMemory(options.memory);
  const found = new Map<string, Difference>();
  let isAll = true;
  const add = (difference: Difference): void => {
    if (difference.isRepaired || !classes.has(difference.class) || found.has(keyOf(difference))) return;
    if (found.size < max) found.set(keyOf(difference), difference);
    else isAll = false;
  };
  for (const difference of examples) add(difference);
  for (const { difference, isCounted } of memory?.open.rows ?? []) if (isCounted) add(difference);
  for (const crowd of memory?.open.crowds ?? []) {
    if (!crowd.isCounted) continue;
    for (let fromUs = crowd.fromUs; isAll && fromUs < crowd.toUs; fromUs += TILE_US) {
      const { differences, isWhole } = await inPiece(crowd, fromUs, options);
      for (const difference of differences) add(difference);
      isAll &&= isWhole;
    }
  }
  const differences = [...found.values()].sort(
    (a, b) => (a.entityId < b.entityId ? -1 : a.entityId > b.entityId ? 1 : 0) || a.atUs - b.atUs,
  );
  return { differences, isAll };
}

/** A tile's width of a crowd. */
async function inPiece(
  crowd: Crowd,
  fromUs: Microseconds,
  { sides, account, nowUs, max, signal }: OpenOptions,
): Promise<{ readonly differences: readonly Difference[]; readonly isWhole: boolean }> {
  const span = { fromUs, toUs: Math.min(crowd.toUs, fromUs + TILE_US) };
  const { findings, counts } = await compare(sides, span, { tileUs: TILE_US, examplesMax: max, signal });
  const all = counts["missing-in-new"] + counts["missing-in-old"] + counts.different;
  const differences = findings.map((finding) => classify(finding, { limits: sides.limits, account, foundUs: nowUs }));
  return { differences, isWhole: findings.length === all };
}
