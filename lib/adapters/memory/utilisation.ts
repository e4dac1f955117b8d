import type { UtilisationStore } from "../../analysis/ports.ts";
import type { AbilityStore } from "../../devices/ports.ts";

/** One value a home, which nobody outside can change. */
function createRecords<T>() {
  const homes = new Map<string, T>();
  return {
    get: async (homeId: string): Promise<T | undefined> => structuredClone(homes.get(homeId)),
    put: async (homeId: string, value: T): Promise<void> => {
      homes.set(homeId, structuredClone(value));
    },
  };
}

/** Utilisation in this process's memory. */
export const createMemoryUtilisationStore = (): UtilisationStore => createRecords();

/** What entities said that they can do, in this process's memory. */
export const createMemoryAbilityStore = (): AbilityStore => createRecords();
