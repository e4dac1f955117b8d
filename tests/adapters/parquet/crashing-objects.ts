import type { ObjectStore } from "../../../lib/adapters/parquet/ports.ts";

export class PowerCut extends Error {}

/**
 * Objects of a process that ends in the middle of its step number `lastStep` (from 1): a put or get is one step, a removal one for each name. An even half of the steps
 * happens before it ends, of an odd one nothing: `steps` counts two for each. After that nothing happens any more.
 */
export function crashingObjects(objects: ObjectStore, lastStep: number) {
  let steps = 0;

  async function step<T>(work: () => Promise<T>): Promise<T> {
    steps += 1;
    if (steps >= lastStep) throw new PowerCut(`before step ${steps}`);
    const result = await work();
    steps += 1;
    if (steps >= lastStep) throw new PowerCut(`behind step ${steps}`);
    return result;
  }

  const crashing: ObjectStore = {
    ...objects,
    put: (name, bytes) => step(() => objects.put(name, bytes)),
    get: (name, range) => step(() => objects.get(name, range)),
    list: (prefix, bounds) => step(() => objects.list(prefix, bounds)),
    remove: async (names) => {
      for (const name of names) await step(() => objects.remove([name]));
    },
  };
  return { objects: crashing, steps: () => steps };
}
