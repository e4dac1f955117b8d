import type { Pattern, PatternStore } from "../../analysis/ports.ts";

/** Patterns in this process's memory. */
export function createMemoryPatternStore(): PatternStore {
  const homes = new Map<string, readonly Pattern[]>();
  const read = (homeId: string): readonly Pattern[] => structuredClone(homes.get(homeId) ?? []);
  return {
    list: async (homeId) => read(homeId),
    get: async (homeId, id) => read(homeId).find((pattern) => pattern.id === id),
    async change(homeId, work) {
      const next = work(read(homeId)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      homes.set(homeId, structuredClone(next));
      return next;
    },
  };
}
