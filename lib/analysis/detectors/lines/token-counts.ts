import type { TokensRow } from "./rows.ts";

/** A token's count, and what fired before it: of each trigger, how often within the near and the far window, and how often an automation made the token then. */
export interface TokenCount {
  readonly token: string;
  readonly n: number;
  readonly triggers: readonly string[];
  /** Three for each trigger: near, far (near ones included), by automation. */
  readonly counts: readonly number[];
}

const PART = 3;
const PAIR = 2 + PART;

/** No row for no tokens. */
export function packTokens(tokens: readonly TokenCount[]): TokensRow[] {
  if (tokens.length === 0) return [];
  const names = [...new Set(tokens.flatMap(({ token, triggers }) => [token, ...triggers]))].sort();
  const places = new Map(names.map((name, place) => [name, place]));
  const byToken = new Map(tokens.map((token) => [token.token, token]));
  return [
    {
      t: "tokens",
      names,
      n: names.map((name) => byToken.get(name)?.n ?? 0),
      pairs: names.flatMap((name, target) => {
        const { triggers = [], counts = [] } = byToken.get(name) ?? {};
        const order = triggers.map((trigger, index) => [places.get(trigger) ?? 0, index] as const);
        order.sort(([a], [b]) => a - b);
        return order.flatMap(([trigger, index]) => [
          target,
          trigger,
          ...counts.slice(PART * index, PART * (index + 1)),
        ]);
      }),
    },
  ];
}

export function unpackTokens({ names, n, pairs }: TokensRow): TokenCount[] {
  const tokens = names.map((token, place) => ({
    token,
    n: n[place] ?? 0,
    triggers: [] as string[],
    counts: [] as number[],
  }));
  for (let index = 0; index < pairs.length; index += PAIR) {
    const target = tokens[pairs[index] ?? 0];
    target?.triggers.push(names[pairs[index + 1] ?? 0] ?? "");
    for (let part = 2; part < PAIR; part++) target?.counts.push(pairs[index + part] ?? 0);
  }
  return tokens;
}
