import { byText } from "../order.ts";
import { inOrder, type LinesRow } from "./rows.ts";
import { packTokens, type TokenCount, unpackTokens } from "./token-counts.ts";

/** Of sums over weeks: of how many tokens, and of how many triggers each. What stays is chosen by a hash of its name, so that the choice does not hang on the order of merging. */
const MOST_TOKENS = 4000;
const MOST_TRIGGERS = 100;

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function leastByHash<Value>(map: Map<string, Value>, most: number): Map<string, Value> {
  if (map.size <= most) return map;
  const order = [...map.keys()].map((name) => [hashOf(name), name] as const);
  order.sort(([a, m], [b, n]) => a - b || byText(m, n));
  const keep = new Set(order.slice(0, most).map(([, name]) => name));
  return new Map([...map].filter(([name]) => keep.has(name)));
}

interface Tally {
  n: number;
  readonly triggers: Map<string, [number, number, number]>;
}

function add(tallies: Map<string, Tally>, { token, n, triggers, counts: parts }: TokenCount): void {
  const tally = tallies.get(token) ?? { n: 0, triggers: new Map<string, [number, number, number]>() };
  tallies.set(token, tally);
  tally.n += n;
  for (const [index, trigger] of triggers.entries()) {
    const counts = tally.triggers.get(trigger) ?? [0, 0, 0];
    for (let part = 0; part < 3; part++) counts[part] = (counts[part] ?? 0) + (parts[3 * index + part] ?? 0);
    tally.triggers.set(trigger, counts);
  }
}

/** Sums of the tokens; of the lines, those of the newest day. */
export function mergeLines(parts: Iterable<readonly LinesRow[]>): readonly LinesRow[] {
  const tallies = new Map<string, Tally>();
  let lines: LinesRow[] = [];
  let newest = "";
  for (const part of parts)
    for (const row of part) {
      if (row.t === "tokens") {
        for (const token of unpackTokens(row)) add(tallies, token);
      } else if (row.date >= newest) {
        if (row.date > newest) lines = [];
        newest = row.date;
        lines.push(row);
      }
    }
  const tokens = [...leastByHash(tallies, MOST_TOKENS)].map(([token, { n, triggers }]): TokenCount => {
    const names = [...leastByHash(triggers, MOST_TRIGGERS).keys()].sort();
    return { token, n, triggers: names, counts: names.flatMap((name) => triggers.get(name) ?? [0, 0, 0]) };
  });
  return inOrder([...lines, ...packTokens(tokens)]);
}
