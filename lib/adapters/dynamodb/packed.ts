import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { HearthlineError } from "../../base/errors.ts";
import { DYNAMODB_ITEM_MAX_BYTES } from "../../limits.ts";

/** Packed bytes of one item at most: room is left for its key and its other attributes. */
export const PACKED_MAX_BYTES = DYNAMODB_ITEM_MAX_BYTES - 16_384;
/** What one item may unfold to. Ours are far below; only a damaged one meets it. */
const UNPACKED_MAX_BYTES = 64 * 1024 * 1024;

/** Rows as zstd of JSON: a write costs by the kilobyte, and rows of one home pack to about a tenth. */
export const pack = (rows: readonly unknown[]): Uint8Array =>
  zstdCompressSync(JSON.stringify(rows), { params: { [constants.ZSTD_c_compressionLevel]: 3 } });

export const unpack = (packed: unknown): unknown[] => {
  if (!(packed instanceof Uint8Array)) return [];
  return JSON.parse(zstdDecompressSync(packed, { maxOutputLength: UNPACKED_MAX_BYTES }).toString("utf8")) as unknown[];
};

/**
 * Rows in as many pieces as it takes for each to fit an item; at least one piece, so that "no rows" is something too.
 * @throws HearthlineError `record_malformed` for one row that fits no item
 */
export function packPieces(rows: readonly unknown[]): Uint8Array[] {
  const packed = pack(rows);
  if (packed.length <= PACKED_MAX_BYTES) return [packed];
  if (rows.length <= 1)
    throw new HearthlineError(
      "record_malformed",
      `A row of ${packed.length} packed bytes fits no item; at most ${PACKED_MAX_BYTES} do.`,
    );
  const middle = rows.length >> 1;
  return [...packPieces(rows.slice(0, middle)), ...packPieces(rows.slice(middle))];
}
