import { inListOrder, type Suggestion, type SuggestionStore } from "../../suggestions/ports.ts";

/** Suggestions that live as long as their process. */
export function createMemorySuggestionStore(): SuggestionStore {
  const homes = new Map<string, readonly Suggestion[]>();
  const all = (homeId: string) => homes.get(homeId) ?? [];
  return {
    list: async (homeId) => inListOrder(all(homeId)),
    get: async (homeId, id) => all(homeId).find((suggestion) => suggestion.id === id),
    async change(homeId, work) {
      const changed = work(all(homeId));
      homes.set(homeId, changed);
      return changed;
    },
  };
}
