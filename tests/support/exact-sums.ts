import { addTo, createSum, type ExactSum, quotientOf } from "../../lib/series/exact-sum.ts";

/**
 * The same value with each exact sum in its one greedy form: the double nearest to it, the double nearest to what is left, and so on. The same exact sum may be kept as different doubles, by the
 * order of the additions; what may not differ is what they add up to.
 */
export function withCanonicalSums(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withCanonicalSums);
  if (typeof value !== "object" || value === null) return value;
  if (isSum(value)) return { small: greedy(value.small), large: greedy(value.large) };
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withCanonicalSums(member)]));
}

const isSum = (value: object): value is ExactSum => "small" in value && "large" in value;

function greedy(parts: readonly number[]): number[] {
  const rest = createSum();
  for (const part of parts) addTo(rest, part);
  const doubles: number[] = [];
  for (let next = quotientOf(rest); next !== 0; next = quotientOf(rest)) {
    doubles.push(next);
    addTo(rest, -next);
  }
  return doubles;
}
