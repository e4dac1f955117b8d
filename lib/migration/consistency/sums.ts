/** How many rows, and two sums modulo 2^64 of their hashes, each as two halves. Sums add up: parts merge in any order, and a part can be taken away again. */
export interface Sums {
  count: number;
  aLow: number;
  aHigh: number;
  bLow: number;
  bHigh: number;
}

const LIMIT = 2 ** 32;

export const noSums = (): Sums => ({ count: 0, aLow: 0, aHigh: 0, bLow: 0, bHigh: 0 });

/** Adds one row's lanes (`RowHasher.lanes`). */
export function addRow(to: Sums, lanes: Uint32Array): void {
  to.count += 1;
  const a = to.aLow + (lanes[0] as number);
  to.aLow = a >>> 0;
  to.aHigh = (to.aHigh + (lanes[1] as number) + (a >= LIMIT ? 1 : 0)) >>> 0;
  const b = to.bLow + (lanes[2] as number);
  to.bLow = b >>> 0;
  to.bHigh = (to.bHigh + (lanes[3] as number) + (b >= LIMIT ? 1 : 0)) >>> 0;
}

const one = new Uint32Array(4);

export function addSums(to: Sums, from: Readonly<Sums>): void {
  one.set([from.aLow, from.aHigh, from.bLow, from.bHigh]);
  addRow(to, one);
  to.count += from.count - 1;
}

/** What is left of `whole` when `part`, which is in it, is taken away. */
export function without(whole: Readonly<Sums>, part: Readonly<Sums>): Sums {
  return {
    count: whole.count - part.count,
    aLow: (whole.aLow - part.aLow) >>> 0,
    aHigh: (whole.aHigh - part.aHigh - (whole.aLow < part.aLow ? 1 : 0)) >>> 0,
    bLow: (whole.bLow - part.bLow) >>> 0,
    bHigh: (whole.bHigh - part.bHigh - (whole.bLow < part.bLow ? 1 : 0)) >>> 0,
  };
}

export const areEqual = (a: Readonly<Sums>, b: Readonly<Sums>): boolean =>
  a.count === b.count && a.aLow === b.aLow && a.aHigh === b.aHigh && a.bLow === b.bLow && a.bHigh === b.bHigh;

/** For reports: 32 hexadecimal digits. */
export const digestOf = ({ aHigh, aLow, bHigh, bLow }: Readonly<Sums>): string =>
  [aHigh, aLow, bHigh, bLow].map((half) => half.toString(16).padStart(8, "0")).join("");
