import type { ObjectInfo, ObjectStore } from "../../../lib/adapters/parquet/ports.ts";

/** Objects in this process; `files` is what they are. */
export function memoryObjects(files = new Map<string, Uint8Array>()): ObjectStore {
  return {
    place: 'memory "test"',
    put: async (name, bytes) => void files.set(name, Uint8Array.from(bytes)),
    get: async (name, range) => {
      const bytes = files.get(name);
      return bytes && range ? bytes.slice(range.start, range.end) : bytes?.slice();
    },
    list: async (prefix, { after = "", until } = {}) => {
      const found: ObjectInfo[] = [];
      for (const [name, bytes] of files) {
        if (!name.startsWith(prefix) || name <= after || (until !== undefined && name >= until)) continue;
        found.push({ name, bytes: bytes.length });
      }
      return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    remove: async (names) => names.forEach((name) => void files.delete(name)),
    setUp: async () => {},
    tidy: async () => {},
    check: async () => {},
  };
}
