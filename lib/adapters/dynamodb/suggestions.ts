import { inListOrder, type Suggestion, type SuggestionStore } from "../../suggestions/ports.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { suggestionsKey } from "./keys.ts";
import { pack, unpack } from "./packed.ts";
import type { Table } from "./table.ts";

/** One packed item holds a home's suggestions: at most a few hundred, read together, changed by a night or a person. */
export function createDynamodbSuggestionStore(table: Table): SuggestionStore {
  async function read(homeId: string) {
    const item = await table.get(suggestionsKey(homeId));
    return { item, all: unpack(item?.packed) as Suggestion[] };
  }

  return {
    list: async (homeId) => inListOrder((await read(homeId)).all),
    get: async (homeId, id) => (await read(homeId)).all.find((suggestion) => suggestion.id === id),
    change: (homeId, work) =>
      compareAndSet(table, async () => {
        const { item, all } = await read(homeId);
        const changed = work(all);
        if (JSON.stringify(changed) === JSON.stringify(all)) return all;
        const row = { ...suggestionsKey(homeId), packed: pack(changed), version: nextVersion(item) };
        await table.put(row, unchangedSince(item));
        return changed;
      }),
  };
}
