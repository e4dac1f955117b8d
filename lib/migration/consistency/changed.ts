import type { Microseconds } from "../../base/time.ts";
import { type KeptTile, TILE_US } from "./kept-tiles.ts";
import type { Memory } from "./memory.ts";

/** How many rows each tile holds, ascending, empty ones left out; cheap: no row is read. Errors as of the side. */
type CountRows = (query: {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly widthUs: Microseconds;
}) => Promise<readonly { readonly fromUs: Microseconds; readonly count: number }[]>;

/** The newest tiles are counted at each step, of the older ones a slice. */
const NEWEST_TILES = 48;
const SLICE_TILES = 1_024;
/** Of a side that reads what it counts. */
const READ_TILES = 16;
/** A home's day begins and ends at most so long before and after that of UTC. */
const ZONE_US = 14 * 3_600_000_000;
const DAY_US = 86_400_000_000;

interface Changes {
  readonly tiles: readonly KeptTile[];
  /** Tiles to be read again. */
  readonly pending: Memory["pending"];
  readonly sliceUs: Microseconds;
}

/** Asks OLD to count what has been compared, and says where it counts otherwise than then. (NEW says itself to which days something came late.) */
export async function changedTiles(
  memory: Memory,
  count: { readonly old: CountRows; readonly isRead: boolean },
): Promise<Changes> {
  const fromUs = Math.floor(memory.fromUs / TILE_US) * TILE_US;
  const toUs = Math.floor(memory.doneUs / TILE_US) * TILE_US;
  if (fromUs >= toUs) return { tiles: memory.tiles, pending: [], sliceUs: fromUs };
  const [newest, slice] = count.isRead ? [READ_TILES, READ_TILES] : [NEWEST_TILES, SLICE_TILES];
  const newestUs = Math.max(fromUs, toUs - newest * TILE_US);
  const startUs = memory.sliceUs >= newestUs || memory.sliceUs < fromUs ? fromUs : memory.sliceUs;
  const endUs = Math.min(newestUs, startUs + slice * TILE_US);
  const spans = [wholeTiles(memory.tiles, startUs, endUs), wholeTiles(memory.tiles, newestUs, toUs)];
  let tiles = memory.tiles;
  const pending: (readonly [number, number])[] = [];
  for (const [from, to] of spans) {
    // Of the first tile what lies before the beginning is not compared, and not counted.
    const span = { fromUs: Math.max(from, memory.fromUs), toUs: to, widthUs: TILE_US };
    if (from >= to) continue;
    const changes = against(tiles, { from, to }, byTile(await count.old(span)));
    tiles = changes.tiles;
    pending.push(...changes.pending);
  }
  // Through with all of them: from the first one again, whatever is new by then.
  return { tiles, pending, sliceUs: endUs >= newestUs ? fromUs : endUs };
}

/** Widened to the edges of the tiles at its ends. */
function wholeTiles(tiles: readonly KeptTile[], fromUs: Microseconds, toUs: Microseconds): [number, number] {
  if (fromUs >= toUs) return [fromUs, fromUs];
  const inside = tiles.filter((tile) => tile.fromUs < toUs && tile.fromUs + tile.widthUs > fromUs);
  const last = inside.at(-1);
  return [Math.min(fromUs, inside[0]?.fromUs ?? fromUs), Math.max(toUs, last ? last.fromUs + last.widthUs : toUs)];
}

const byTile = (counts: Awaited<ReturnType<CountRows>>): Map<number, number> =>
  new Map(counts.map(({ fromUs, count }) => [fromUs, count]));

function against(
  known: readonly KeptTile[],
  { from, to }: { readonly from: Microseconds; readonly to: Microseconds },
  counted: Map<number, number>,
): Pick<Changes, "tiles" | "pending"> {
  const pending: (readonly [number, number])[] = [];
  const tiles = known.map((tile): KeptTile => {
    const { oldCount: before, ...read } = tile;
    const { fromUs, widthUs, oldRows } = read;
    if (fromUs < from || fromUs >= to) return tile;
    const oldCount = take(counted, fromUs, widthUs);
    // At the first time it should be what was read; if it is not, what was read is read once more.
    if (oldCount === (before ?? oldRows)) return { ...read, oldCount };
    pending.push([fromUs, fromUs + widthUs]);
    // After a change what will be read is what counts: until then it may have changed back, and once more afterwards.
    return before === undefined ? { ...read, oldCount } : read;
  });
  // What is left was empty when it was compared.
  for (const fromUs of counted.keys()) pending.push([fromUs, fromUs + TILE_US]);
  return { tiles, pending };
}

/** The rows of a tile, and takes them out. */
function take(counts: Map<number, number>, fromUs: Microseconds, widthUs: Microseconds): number {
  let sum = 0;
  for (let at = fromUs; at < fromUs + widthUs; at += TILE_US) {
    sum += counts.get(at) ?? 0;
    counts.delete(at);
  }
  return sum;
}

/** The days that were not seen yet, as spans wide enough for every time zone. */
export function lateSpans(
  seen: readonly string[],
  days: readonly { readonly date: string; readonly mark: string }[],
): { readonly seen: readonly string[]; readonly pending: Memory["pending"] } {
  const known = new Set(seen);
  const fresh = days.filter(({ date, mark }) => !known.has(`${date} ${mark}`));
  return {
    seen: days.map(({ date, mark }) => `${date} ${mark}`).slice(-64),
    pending: fresh.flatMap(({ date }) => {
      const startUs = Date.parse(`${date}T00:00:00Z`) * 1_000;
      return Number.isFinite(startUs) ? [[startUs - ZONE_US, startUs + DAY_US + ZONE_US] as const] : [];
    }),
  };
}
