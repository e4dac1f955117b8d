import type { Microseconds } from "../../base/time.ts";
import { addSums, noSums, type Sums } from "./sums.ts";
import type { Tile } from "./tiles.ts";

/** The width of a new tile: 4,096 s, so that it halves to whole seconds, and a thirty-second of it is 128 s. */
export const TILE_US = 4_096_000_000;

/** A tile that has been compared. Wider ones are merged from older ones. */
export interface KeptTile extends Tile {
  /** A multiple of `TILE_US`, as is `fromUs`. */
  readonly widthUs: Microseconds;
  /** What OLD said of its number of rows when it was compared; absent: it has not been asked yet. */
  readonly oldCount?: number;
}

/** More are merged: about 35 characters each in a check's memory. */
const TILES_MAX = 2_400;
/** The newest keep their width. */
const FINE_TILES = 512;

/** Puts what was read of a span in the place of what was known of it; where it only continues a tile, adds to it. Both ascend. Pure. */
export function keep(
  known: readonly KeptTile[],
  { fromUs, toUs, isNew }: { readonly fromUs: Microseconds; readonly toUs: Microseconds; readonly isNew: boolean },
  read: readonly Tile[],
): readonly KeptTile[] {
  const tiles = new Map(known.map((tile) => [tile.fromUs, tile]));
  const ends = ({ fromUs: start, widthUs }: KeptTile) => start + widthUs;
  if (!isNew) for (const tile of known) if (tile.fromUs < toUs && ends(tile) > fromUs) tiles.delete(tile.fromUs);
  for (const tile of read) {
    const before = tiles.get(tile.fromUs);
    const old = before ?? known.find((each) => each.fromUs === tile.fromUs && each.widthUs === TILE_US);
    tiles.set(tile.fromUs, {
      fromUs: tile.fromUs,
      widthUs: TILE_US,
      sums: before ? sumOf(before.sums, tile.sums) : tile.sums,
      oldRows: (before?.oldRows ?? 0) + tile.oldRows,
      ...(old?.oldCount !== undefined && { oldCount: old.oldCount }),
    });
  }
  return coarsen([...tiles.values()].sort((a, b) => a.fromUs - b.fromUs));
}

function sumOf(a: Readonly<Sums>, b: Readonly<Sums>): Sums {
  const sum = noSums();
  addSums(sum, a);
  addSums(sum, b);
  return sum;
}

/** So that memory does not grow with the past: neighbours among the old ones become one, as wide as is needed for half of them to go. Pure. */
export function coarsen(tiles: readonly KeptTile[], max = TILES_MAX): readonly KeptTile[] {
  if (tiles.length <= max) return tiles;
  const fine = Math.min(FINE_TILES, max >> 1);
  const old = tiles.slice(0, tiles.length - fine);
  const room = Math.max(1, (max - fine) >> 1);
  for (let widthUs = 2 * TILE_US; ; widthUs *= 2) {
    const few = merged(old, widthUs);
    if (few.length <= room) return [...few, ...tiles.slice(old.length)];
  }
}

/** Neighbours that lie within the width become one; what was empty between them stays so. */
function merged(tiles: readonly KeptTile[], widthUs: Microseconds): KeptTile[] {
  const out: KeptTile[] = [];
  for (const tile of tiles) {
    const before = out.at(-1);
    if (before && tile.fromUs + tile.widthUs - before.fromUs <= widthUs) out[out.length - 1] = together(before, tile);
    else out.push(tile);
  }
  return out;
}

function together(a: KeptTile, b: KeptTile): KeptTile {
  const { oldCount: oldA } = a;
  const { oldCount: oldB } = b;
  return {
    fromUs: a.fromUs,
    widthUs: b.fromUs + b.widthUs - a.fromUs,
    sums: sumOf(a.sums, b.sums),
    oldRows: a.oldRows + b.oldRows,
    ...(oldA !== undefined && oldB !== undefined && { oldCount: oldA + oldB }),
  };
}

/** Everything that has been compared, as one sum: equal on both sides but for what is listed. */
export function totalOf(tiles: readonly KeptTile[]): Sums {
  const total = noSums();
  for (const { sums } of tiles) addSums(total, sums);
  return total;
}

const SUM_BYTES = 16;

/** As text: numbers of seven bits a byte, sums as they are, base64. */
export function packTiles(tiles: readonly KeptTile[]): string {
  const bytes: number[] = [];
  const put = (value: number): void => {
    let left = value;
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
    bytes.push(left);
  };
  let endUs = 0;
  for (const { fromUs, widthUs, sums, oldRows, oldCount } of tiles) {
    put((fromUs - endUs) / TILE_US);
    put(widthUs / TILE_US);
    // The last one: a place of earlier versions.
    for (const count of [sums.count, oldRows, (oldCount ?? -1) + 1, 0]) put(count);
    const halves = Uint32Array.of(sums.aLow, sums.aHigh, sums.bLow, sums.bHigh);
    bytes.push(...new Uint8Array(halves.buffer));
    endUs = fromUs + widthUs;
  }
  return Buffer.from(bytes).toString("base64");
}

/** undefined: it was not written by `packTiles`. */
export function unpackTiles(text: string): KeptTile[] | undefined {
  const bytes = Buffer.from(text, "base64");
  const tiles: KeptTile[] = [];
  let at = 0;
  const take = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  let endUs = 0;
  while (at < bytes.length) {
    const fromUs = endUs + take() * TILE_US;
    const widthUs = TILE_US * take();
    const [count, oldRows, oldCount] = [take(), take(), take(), take()];
    if (at + SUM_BYTES > bytes.length) return undefined;
    const half = (index: number): number => bytes.readUInt32LE(at + 4 * index);
    const sums = { count, aLow: half(0), aHigh: half(1), bLow: half(2), bHigh: half(3) };
    at += SUM_BYTES;
    tiles.push({
      ...{ fromUs, widthUs, sums, oldRows },
      ...(oldCount > 0 && { oldCount: oldCount - 1 }),
    });
    endUs = fromUs + widthUs;
  }
  return tiles;
}
