import { DIFFERENCE_CLASSES, type Difference, type DifferenceClass } from "./types.ts";

/** Reads of both sides that are kept of one migration, the newest ones. */
export const PAIRS_MAX = 20_000;
/** Differences that are kept of one migration, the first ones; those after them are counted. */
const EXAMPLES_MAX = 10_000;

/** What was found of one migration, and how much of each class. */
export interface DifferenceBook {
  readonly count: Readonly<Record<DifferenceClass, number>>;
  readonly examples: readonly Difference[];
}

export const emptyDifferenceBook: DifferenceBook = {
  count: Object.fromEntries(DIFFERENCE_CLASSES.map((name) => [name, 0])) as Record<DifferenceClass, number>,
  examples: [],
};

const nameOf = (of: Difference): string => JSON.stringify([of.class, of.entityId, of.atUs]);

/**
 * The book with these added. By class, entity and time: what is there already is brought up to date (it may be repaired meanwhile), and stays found when it was first found.
 * Beyond what is kept, nobody can tell whether one was counted before.
 */
export function withDifferences(book: DifferenceBook, found: readonly Difference[]): DifferenceBook {
  const examples = new Map(book.examples.map((difference) => [nameOf(difference), difference]));
  const count = { ...book.count };
  for (const difference of found) {
    const name = nameOf(difference);
    const known = examples.get(name);
    if (!known) count[difference.class]++;
    if (known || examples.size < EXAMPLES_MAX)
      examples.set(name, known ? { ...difference, foundUs: known.foundUs } : difference);
  }
  return { count, examples: [...examples.values()] };
}
