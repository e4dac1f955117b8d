import type { HealthMemory } from "../../api/ports.ts";

/** Since when each part is in its state, as long as the process lives. */
export function createMemoryHealthMemory(): HealthMemory {
  const states = new Map<string, { readonly state: string; readonly since: string }>();
  return {
    async note(homeOrFleet, part, state, at) {
      const key = JSON.stringify([homeOrFleet, part]);
      const known = states.get(key);
      if (known?.state === state) return known.since;
      states.set(key, { state, since: at });
      return at;
    },
  };
}
