import { adjustFalseDiscovery } from "./statistics.ts";
import type { DetectorHistory } from "./types.ts";

/** Something of which it was worked out how likely it is by chance. */
interface Test {
  readonly p: number;
}

export interface Tests<One extends Test> {
  readonly tests: readonly One[];
  /** How many hypotheses could have been reported. */
  readonly family: number;
}

/** A q is never below its p but for the last bit of a division. */
const ROUNDING = 1e-9;

/** Of looks at a whole history, while somebody holds it: a history that is its beginning has a family that is no larger. */
const families = new WeakMap<object, number>();

/**
 * The tests whose q is at most `mostQ`, with their q. Where only some keys are asked for, only their tests are worked out, if that tells it: what others there
 * are can only make a q smaller, a smaller family too, and no q is smaller than its p. Which tests are given is the same either way; a q may then be too large.
 * `testsOf`: all tests, or at least those of some keys; what else it needs to be exact about them it takes from the history.
 */
export function significant<One extends Test>(
  history: Pick<DetectorHistory<unknown>, "whole" | "asked">,
  { mostQ, testsOf }: SignificantOptions<One>,
): readonly (readonly [One, q: number])[] {
  const { whole, asked } = history;
  const most = whole && families.get(whole);
  if (asked && most !== undefined) {
    const { tests } = testsOf(asked);
    const qs = adjusted(tests, most);
    if (tests.every(({ p }, index) => (qs[index] ?? 1) <= mostQ || p > mostQ * (1 + ROUNDING)))
      return told(tests, qs, mostQ);
  }
  const { tests, family } = testsOf();
  families.set(history, family);
  return told(tests, adjusted(tests, family), mostQ);
}

interface SignificantOptions<One extends Test> {
  readonly mostQ: number;
  readonly testsOf: (asked?: ReadonlySet<string>) => Tests<One>;
}

const adjusted = (tests: readonly Test[], family: number): number[] =>
  adjustFalseDiscovery(
    tests.map(({ p }) => p),
    family,
  );

const told = <One extends Test>(tests: readonly One[], qs: readonly number[], mostQ: number) =>
  tests.flatMap((test, index): (readonly [One, number])[] => {
    const q = qs[index] ?? 1;
    return q <= mostQ ? [[test, q]] : [];
  });
