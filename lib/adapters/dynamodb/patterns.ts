import type { Pattern, PatternStore } from "../../analysis/ports.ts";
import { compareAndSet } from "./compare-and-set.ts";
import { patternPieceKey, patternsKey } from "./keys.ts";
import { createPieces } from "./pieces.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** A home's patterns as one packed item, in pieces when they are many: they are read together, and written once a night. */
export function createDynamodbPatternStore(table: Table): PatternStore {
  const pieces = createPieces(table, patternPieceKey);

  async function read(homeId: string): Promise<{ readonly item: Item | undefined; readonly patterns: Pattern[] }> {
    const key = patternsKey(homeId);
    const item = await table.get(key);
    const found = item && (await pieces.read(homeId, item, { key, name: "patterns" }));
    return { item: found?.head, patterns: (found?.rows ?? []) as Pattern[] };
  }

  return {
    list: async (homeId) => (await read(homeId)).patterns,
    get: async (homeId, id) => (await read(homeId)).patterns.find((pattern) => pattern.id === id),
    change: (homeId, work) =>
      compareAndSet(table, async () => {
        const { item, patterns } = await read(homeId);
        const next = work(patterns).toSorted((a, b) => (a.id < b.id ? -1 : 1));
        if (JSON.stringify(next) !== JSON.stringify(patterns))
          await pieces.replace(homeId, item, {
            head: { ...patternsKey(homeId) },
            rows: next,
            write: "patterns",
            isOnlyOne: true,
          });
        return next;
      }),
  };
}
