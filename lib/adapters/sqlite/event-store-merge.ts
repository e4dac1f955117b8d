/** Where a cursor stands: the key of an event within its series. */
export interface SeriesKey {
  readonly atUs: number;
  readonly removed: number;
}

/** The events of one series, in order. */
export interface Cursor {
  readonly entity: number;
  /** The entity's place among events of the same moment. */
  readonly sort: Uint8Array;
  /** The next `count` keys beyond `last`; fewer only at the end. */
  read(last: SeriesKey | undefined, count: number): readonly (readonly [atUs: number, removed: number])[];
}

export interface MergedKey extends SeriesKey {
  readonly entity: number;
}

interface Source {
  readonly cursor: Cursor;
  keys: readonly (readonly [number, number])[];
  index: number;
  count: number;
}

/** Of each series at least so many keys are read at once, so that a busy one is not asked for every single event. */
const READ_MIN = 4;

/** Merges the cursors in the order of `compareEvents` (or its reverse) and gives the first `limit` keys. */
export function mergeCursors(cursors: readonly Cursor[], { up, limit }: { up: boolean; limit: number }): MergedKey[] {
  const sign = up ? 1 : -1;
  const isBefore = (a: Source, b: Source): boolean => sign * compareHeads(a, b) < 0;
  const count = Math.max(READ_MIN, Math.ceil((2 * limit) / cursors.length));
  const heap: Source[] = [];
  for (const cursor of cursors) {
    const keys = cursor.read(undefined, count);
    if (keys.length > 0) pushUp(heap, { cursor, keys, index: 0, count }, isBefore);
  }
  const merged: MergedKey[] = [];
  while (merged.length < limit) {
    const [source] = heap;
    const head = source?.keys[source.index];
    if (!source || !head) break;
    const [atUs, removed] = head;
    merged.push({ atUs, removed, entity: source.cursor.entity });
    if (!advance(source, { atUs, removed })) {
      const last = heap.pop();
      if (!last || heap.length === 0) break;
      if (last !== source) heap[0] = last;
    }
    sinkDown(heap, isBefore);
  }
  return merged;
}

/** False when the source is used up. */
function advance(source: Source, last: SeriesKey): boolean {
  source.index++;
  if (source.index < source.keys.length) return true;
  if (source.keys.length < source.count) return false;
  source.count *= 2;
  source.keys = source.cursor.read(last, source.count);
  source.index = 0;
  return source.keys.length > 0;
}

function compareHeads(a: Source, b: Source): number {
  const [aUs = 0, aRemoved = 0] = a.keys[a.index] ?? [];
  const [bUs = 0, bRemoved = 0] = b.keys[b.index] ?? [];
  return aUs - bUs || Buffer.compare(a.cursor.sort, b.cursor.sort) || aRemoved - bRemoved;
}

type IsBefore = (a: Source, b: Source) => boolean;

function pushUp(heap: Source[], source: Source, isBefore: IsBefore): void {
  let at = heap.push(source) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up];
    if (!parent || !isBefore(source, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = source;
}

/** Puts the first source where it belongs. */
function sinkDown(heap: Source[], isBefore: IsBefore): void {
  const [source] = heap;
  if (!source) return;
  let at = 0;
  for (;;) {
    let down = 2 * at + 1;
    let child = heap[down];
    if (!child) break;
    const right = heap[down + 1];
    if (right && isBefore(right, child)) {
      child = right;
      down++;
    }
    if (!isBefore(child, source)) break;
    heap[at] = child;
    at = down;
  }
  heap[at] = source;
}
