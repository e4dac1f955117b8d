import {
  type ConflictRow,
  type ConflictStore,
  emptyConflictRow,
  noteInRow,
  pageOfConflicts,
  settleInConflicts,
} from "../../devices/ports.ts";

/** Conflicts that live as long as their process. */
export function createMemoryConflictStore(): ConflictStore {
  const homes = new Map<string, ConflictRow>();
  const rowOf = (homeId: string): ConflictRow => homes.get(homeId) ?? emptyConflictRow;
  return {
    async note(homeId, comparison) {
      const { row, tally } = noteInRow(rowOf(homeId), comparison);
      homes.set(homeId, row);
      return tally;
    },
    list: async (homeId, query) => pageOfConflicts(rowOf(homeId), query),
    async settle(homeId, id, choice) {
      const { row, conflict } = settleInConflicts(rowOf(homeId), id, choice);
      homes.set(homeId, row);
      return conflict;
    },
  };
}
