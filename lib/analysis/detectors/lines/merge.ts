import { byText } from "../order.ts";
import { inOrder, type LinesRow } from "./rows.ts";
import { packTokens, type TokenCount } from "./token-counts.ts";
import { createTokenSums } from "./token-sums.ts";

/** Of sums over weeks: of how many tokens, and of how many triggers each. What stays is chosen by a hash of its name, so that the choice does not hang on the order of merging. */
const MOST_TOKENS = 4000;
const MOST_TRIGGERS = 100;

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function leastByHash<Value>(
  values: readonly Value[],
  most: number,
  nameOf: (value: Value) => string,
): readonly Value[] {
  if (values.length <= most) return values;
  return values
    .map((value) => ({ value, name: nameOf(value), hash: hashOf(nameOf(value)) }))
    .sort((a, b) => a.hash - b.hash || byText(a.name, b.name))
    .slice(0, most)
    .map(({ value }) => value);
}

/** Sums of the tokens; of the lines, those of the newest day. */
export function mergeLines(parts: Iterable<readonly LinesRow[]>): readonly LinesRow[] {
  const sums = createTokenSums();
  let lines: LinesRow[] = [];
  let newest = "";
  for (const part of parts)
    for (const row of part) {
      if (row.t === "tokens") sums.add(row);
      else if (row.date >= newest) {
        if (row.date > newest) lines = [];
        newest = row.date;
        lines.push(row);
      }
    }
  const pairs = Map.groupBy(sums.pairs(), ({ target }) => target);
  const tokens = leastByHash([...sums.counts], MOST_TOKENS, ([token]) => token).map(([token, n]): TokenCount => {
    const triggers = leastByHash(pairs.get(token) ?? [], MOST_TRIGGERS, ({ trigger }) => trigger);
    return {
      token,
      n,
      triggers: triggers.map(({ trigger }) => trigger),
      counts: triggers.flatMap(({ near, far, automated }) => [near, far, automated]),
    };
  });
  return inOrder([...lines, ...packTokens(tokens)]);
}
