import type { LastKnownImage, LastKnownStore } from "../../relay/ports.ts";

/** A last-known table in memory: for tests, and for looking around. It survives the relay, not the process. */
export function createMemoryLastKnown(): LastKnownStore {
  let kept: LastKnownImage | undefined;
  return {
    load: async () => kept,
    save: async (image) => {
      kept = { ...image, entities: [...image.entities] };
    },
  };
}
