import { seededRandom } from "../../base/random.ts";

/** A seed of a text (FNV-1a, 32 bits): what is shuffled by it comes out the same on every machine. */
export function mixText(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** Gives the values in another order at each call (Fisher and Yates), the same orders for the same seed. */
export function seededShuffle(seed: number): <Value>(values: readonly Value[]) => Value[] {
  const random = seededRandom(seed);
  return <Value>(values: readonly Value[]): Value[] => {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      const [a, b] = [shuffled[last], shuffled[other]];
      if (a !== undefined && b !== undefined) [shuffled[last], shuffled[other]] = [b, a];
    }
    return shuffled;
  };
}
