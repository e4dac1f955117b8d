import type { Microseconds } from "../../base/time.ts";
import { createRowHasher } from "./row-hash.ts";
import { forEachRow, type ReadOptions, type Side, type Sides, type Span, type Tally } from "./sides.ts";
import { addRow, addSums, noSums, type Sums } from "./sums.ts";

/** The comparable rows of one home in one stretch of time. */
export interface Tile {
  readonly fromUs: Microseconds;
  readonly sums: Sums;
  /** OLD's rows, comparable or not: what its own count of them should be. */
  readonly oldRows: number;
}

/** What one reading of one side makes: sums by time and by entity at once, so that where they cross few rows are left to be looked at. */
export interface Digest {
  /** One for each part of the span; absent: no rows. */
  readonly parts: readonly (Sums | undefined)[];
  readonly entities: ReadonlyMap<string, Sums>;
  /** The same over the rows that the other side may lack; they are in the others too. */
  readonly optionalParts: readonly (Sums | undefined)[];
  readonly optionalEntities: ReadonlyMap<string, Sums>;
  /** All rows of each part, comparable or not. */
  readonly rows: Uint32Array;
  readonly tally: Tally;
}

export interface DigestQuery extends Pick<Sides, "limits" | "isLeftOut"> {
  readonly side: Side;
  readonly span: Span;
  /** Of a part; a whole multiple of OLD's precision. The last part may be shorter. */
  readonly partUs: Microseconds;
  /** Where the first part begins: at the span's beginning or before it. */
  readonly gridUs: Microseconds;
}

/** Hashes know no other row: one hasher serves all. */
const hasher = createRowHasher();

/** Reads a side once. Memory: one sum for each part and each entity, whatever the number of rows. Errors as of `forEachRow`. */
export async function digest(query: DigestQuery, options: ReadOptions = {}): Promise<Digest> {
  const { span, partUs, gridUs } = query;
  const count = Math.ceil((span.toUs - gridUs) / partUs);
  const rows = new Uint32Array(count);
  const partOf = (atUs: Microseconds): number => Math.floor((atUs - gridUs) / partUs);
  const parts: (Sums | undefined)[] = Array.from({ length: count });
  const optionalParts: (Sums | undefined)[] = Array.from({ length: count });
  const entities = new Map<string, Sums>();
  const optionalEntities = new Map<string, Sums>();
  const tally = { rows: 0, leftOut: 0 };
  const { lanes } = hasher;
  await forEachRow(
    query,
    ({ entityId, atUs, text, mayLack }) => {
      hasher.hash(entityId, atUs, text);
      const part = partOf(atUs);
      addRow(at(parts, part), lanes);
      addRow(of(entities, entityId), lanes);
      if (mayLack === undefined) return;
      addRow(at(optionalParts, part), lanes);
      addRow(of(optionalEntities, entityId), lanes);
    },
    {
      ...options,
      tally,
      onRow: ({ atUs }) => {
        rows[partOf(atUs)] = (rows[partOf(atUs)] ?? 0) + 1;
      },
    },
  );
  return { parts, entities, optionalParts, optionalEntities, rows, tally };
}

function at(list: (Sums | undefined)[], index: number): Sums {
  const known = list[index];
  if (known) return known;
  const made = noSums();
  list[index] = made;
  return made;
}

function of(map: Map<string, Sums>, key: string): Sums {
  const known = map.get(key);
  if (known) return known;
  const made = noSums();
  map.set(key, made);
  return made;
}

/** Tiles, ascending, none empty. `widthUs`: a tile begins at a multiple of it; parts do not reach over its edges. */
export function tilesOf(
  { old, ours }: { readonly old: Digest; readonly ours: Digest },
  { gridUs, partUs, widthUs }: { readonly gridUs: number; readonly partUs: number; readonly widthUs: number },
): Tile[] {
  const tiles: Tile[] = [];
  for (const [index, oldRows] of old.rows.entries()) {
    const sums = ours.parts[index];
    if (!sums && oldRows === 0) continue;
    const fromUs = Math.floor((gridUs + index * partUs) / widthUs) * widthUs;
    const before = tiles.at(-1);
    if (before?.fromUs !== fromUs) tiles.push({ fromUs, oldRows, sums: { ...(sums ?? noSums()) } });
    else {
      if (sums) addSums(before.sums, sums);
      tiles[tiles.length - 1] = { ...before, oldRows: before.oldRows + oldRows };
    }
  }
  return tiles;
}
