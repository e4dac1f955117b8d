import { readFileSync } from "node:fs";
import { packPieces, unpack } from "../../lib/adapters/dynamodb/packed.ts";
import type { Aggregate, AggregateStore } from "../../lib/analysis/ports.ts";

/** An aggregate as the store keeps it. */
export interface Kept extends Omit<Aggregate, "rows"> {
  /** base64 */
  readonly pieces: readonly string[];
}

export const keep = ({ rows, ...rest }: Aggregate): Kept => ({
  ...rest,
  pieces: packPieces(rows).map((piece) => Buffer.from(piece).toString("base64")),
});
export const aggregateOf = ({ pieces, ...rest }: Kept): Aggregate => ({
  ...rest,
  rows: pieces.flatMap((piece) => unpack(Buffer.from(piece, "base64"))),
});
export const packedBytes = ({ pieces }: Kept): number =>
  pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece, "base64"), 0);

export const readKept = (path: string): Kept[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Kept]));

/** Reading as from the store, without the way there. */
export function createKept(all: readonly Kept[]): Pick<AggregateStore, "range"> {
  return {
    async *range({ layer, kind, fromDate, toDate }) {
      for (const one of all)
        if (one.layer === layer && one.kind === kind && one.date >= fromDate && one.date < toDate)
          yield aggregateOf(one);
    },
  };
}
