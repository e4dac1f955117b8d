import type { BatchOrigin, HomePresence } from "./ports.ts";

const nameOf = ({ homeId, keyId }: BatchOrigin): string => JSON.stringify([homeId, keyId]);

/**
 * Asks for each home of a batch once. `of` gives true or false, or rejects with what the question met: a message whose home cannot be asked for comes again.
 * What is sent to a home that has been removed is of nobody: it is dropped.
 */
export function presenceOfBatch(presence: HomePresence): { of(origin: BatchOrigin): Promise<boolean> } {
  const asked = new Map<string, Promise<boolean>>();
  return {
    of(origin) {
      const name = nameOf(origin);
      const known = asked.get(name) ?? presence.isThere(origin.homeId, origin.keyId);
      asked.set(name, known);
      return known;
    },
  };
}
