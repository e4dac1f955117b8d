import type { Microseconds } from "../../base/time.ts";
import { type Finding, type FindingKind, join } from "./join.ts";
import type { ReadOptions, Sides, Span, Tally } from "./sides.ts";
import { areEqual, noSums, type Sums, without } from "./sums.ts";
import { type Digest, digest, type Tile, tilesOf } from "./tiles.ts";

/** A tile is divided into so many parts. */
export const PARTS = 32;
/** More entities are not asked for by name. */
const ENTITIES_MAX = 100;

export interface CompareOptions extends Omit<ReadOptions, "tally"> {
  /** A multiple of `PARTS` times OLD's precision. */
  readonly tileUs: Microseconds;
  /** So many differences are given as rows; all are counted. */
  readonly examplesMax: number;
}

/** What the comparison of a span found. */
export interface Comparison {
  /** NEW's, which are OLD's too but for what `findings` and `counts` say. Ascending. */
  readonly tiles: readonly Tile[];
  /** Rows of the side that has more. */
  readonly compared: number;
  readonly counts: Readonly<Record<FindingKind, number>>;
  /** The first ones by time, those that count before those that do not. */
  readonly findings: readonly Finding[];
  readonly limits: readonly Finding[];
  /** Rows read for the sums, and rows read again to find the differences. */
  readonly read: { readonly old: Tally; readonly new: Tally; readonly again: Tally };
}

/** Kinds that count; the others are limits of OLD. */
export const COUNTED: readonly FindingKind[] = ["missing-in-new", "missing-in-old", "different"];

export const noCounts = (): Record<FindingKind, number> => ({
  "missing-in-new": 0,
  "missing-in-old": 0,
  different: 0,
  duplicate: 0,
  "one-stamp": 0,
  secret: 0,
  start: 0,
});

export const countedOf = (counts: Readonly<Record<FindingKind, number>>): number =>
  COUNTED.reduce((sum, kind) => sum + counts[kind], 0);

/**
 * Reads each side once and makes sums of it, 32 a tile and one for each entity; where they differ, the rows of these parts and these entities are read again, and only they. All bounds are half-open.
 * Errors as of `forEachRow`.
 */
export async function compare(sides: Sides, span: Span, options: CompareOptions): Promise<Comparison> {
  const partUs = options.tileUs / PARTS;
  const gridUs = Math.floor(span.fromUs / partUs) * partUs;
  const query = { ...sides, span, partUs, gridUs };
  const [old, ours] = await Promise.all([
    digest({ ...query, side: sides.old }, options),
    digest({ ...query, side: sides.new }, options),
  ]);
  const found = collector(options.examplesMax);
  const again = { rows: 0, leftOut: 0 };
  const { entityIds, lacking } = differingEntities(old, ours);
  for (const run of entityIds.length === 0 ? [] : differingRuns(old, ours)) {
    const part = {
      fromUs: Math.max(span.fromUs, gridUs + run.first * partUs),
      toUs: Math.min(span.toUs, gridUs + (run.last + 1) * partUs),
      ...(span.entityIds && { entityIds: span.entityIds }),
      ...(entityIds.length <= ENTITIES_MAX && { entityIds }),
    };
    await join(sides, part, { ...options, tally: again, onFinding: found.add });
  }
  found.lack(entityIds.length <= ENTITIES_MAX ? lacking : 0);
  return {
    tiles: tilesOf({ old, ours }, { gridUs, partUs, widthUs: options.tileUs }),
    compared: Math.max(countOf(old), countOf(ours)),
    ...found.finish(),
    read: { old: old.tally, new: ours.tally, again },
  };
}

const countOf = ({ parts }: Digest): number => parts.reduce((sum, part) => sum + (part?.count ?? 0), 0);

/** Ascending stretches of neighbouring parts that are not equal. */
function differingRuns(old: Digest, ours: Digest): { readonly first: number; last: number }[] {
  const runs: { readonly first: number; last: number }[] = [];
  for (let index = 0; index < ours.parts.length; index++) {
    if (agree(old.parts[index], ours.parts[index], ours.optionalParts[index])) continue;
    const before = runs.at(-1);
    if (before?.last === index - 1) before.last = index;
    else runs.push({ first: index, last: index });
  }
  return runs;
}

/** An entity that agrees over the whole span has no difference in any part of it. `lacking`: rows of those that OLD may lack, and does. */
function differingEntities(
  old: Digest,
  ours: Digest,
): { readonly entityIds: readonly string[]; readonly lacking: number } {
  const entityIds: string[] = [];
  let lacking = 0;
  for (const entityId of new Set([...old.entities.keys(), ...ours.entities.keys()])) {
    const [a, b] = [old.entities.get(entityId), ours.entities.get(entityId)];
    const optional = ours.optionalEntities.get(entityId);
    if (!agree(a, b, optional)) entityIds.push(entityId);
    else lacking += (b?.count ?? 0) - (a?.count ?? 0);
  }
  return { entityIds, lacking };
}

/** OLD has all rows of NEW, or all but those that it may lack. */
function agree(old: Sums | undefined, ours: Sums | undefined, optional: Sums | undefined): boolean {
  const [a, b] = [old ?? noSums(), ours ?? noSums()];
  return areEqual(a, b) || (optional !== undefined && areEqual(a, without(b, optional)));
}

function collector(max: number) {
  const counts = noCounts();
  const findings: Finding[] = [];
  const limits: Finding[] = [];
  return {
    add: (finding: Finding): void => {
      counts[finding.kind] += 1;
      const list = COUNTED.includes(finding.kind) ? findings : limits;
      if (list.length < max) list.push(finding);
    },
    lack: (count: number): void => {
      counts.start += count;
    },
    finish: () => ({ counts, findings, limits }),
  };
}
