import { HearthlineError } from "../../base/errors.ts";
import {
  type AuditEntry,
  ENDED,
  emptyDifferenceBook,
  knownMigration,
  type Migration,
  type MigrationStore,
  type OldRead,
  PAIRS_MAX,
  type Pointer,
  type ReadPair,
  withDifferences,
} from "../../migration/ports.ts";

interface Kept {
  row: Migration;
  isSettled: boolean;
  /** Of all migrations of its home: 1, 2, 3... */
  readonly ordinal: number;
  readonly memories: Map<string, string>;
  readonly audit: Map<number, AuditEntry>;
  pairs: ReadPair[];
  oldRead?: OldRead;
  book: typeof emptyDifferenceBook;
}

/** A pointer that no step of the migration that set it can set again. */
const BEYOND = Number.MAX_SAFE_INTEGER;

/** Migrations that live as long as their process. */
export function createMemoryMigrationStore(): MigrationStore {
  const homes = new Map<string, Kept[]>();
  const pointers = new Map<string, { ordinal: number; epoch: number; pointer: Pointer | undefined }>();
  const all = (homeId: string) => homes.get(homeId) ?? [];
  const find = (homeId: string, id: string) => all(homeId).find(({ row }) => row.id === id);
  const note = (kept: Kept) => {
    const { lastChange } = kept.row;
    if (lastChange) kept.audit.set(lastChange.epoch, lastChange);
  };

  function sure(homeId: string, id: string): Kept {
    const kept = find(homeId, id);
    if (!kept) throw new HearthlineError("not_found", `There is no migration "${id}" of home "${homeId}".`);
    return kept;
  }

  return {
    async create(row) {
      const before = all(row.homeId);
      const open = before.find((kept) => !ENDED.has(kept.row.state));
      if (open)
        throw new HearthlineError(
          "migration_exists",
          `The home "${row.homeId}" has the migration "${open.row.id}" under way (${open.row.state}); wanted is none, or one that has ended.`,
        );
      const kept: Kept = {
        ...{ row, isSettled: false, ordinal: before.length + 1, memories: new Map(), audit: new Map() },
        ...{ pairs: [], book: emptyDifferenceBook },
      };
      homes.set(row.homeId, [...before, kept]);
      note(kept);
    },

    async get(homeId, id) {
      const kept = find(homeId, id);
      return kept && knownMigration(kept.row);
    },
    list: async (homeId) =>
      all(homeId)
        .map(({ row }) => knownMigration(row))
        .reverse(),
    underWay: async () =>
      [...homes].flatMap(([homeId, kept]) =>
        kept.flatMap(({ row, isSettled }) => (isSettled ? [] : [{ homeId, id: row.id }])),
      ),
    async settle(homeId, id) {
      const kept = find(homeId, id);
      if (kept && ENDED.has(kept.row.state)) kept.isSettled = true;
    },

    async commit(next, { expected, memories = {} }) {
      const kept = all(next.homeId).at(-1);
      if (kept?.row.id !== next.id || kept.row.revision !== expected || next.revision !== expected + 1)
        throw new HearthlineError(
          "migration_stale",
          `The migration "${next.id}" ${kept?.row.id === next.id ? `is at revision ${kept.row.revision}` : "is not the home's newest any more"}; revision ${next.revision} was made from ${expected}. Wanted is one made from what is there.`,
        );
      kept.row = next;
      for (const [name, memory] of Object.entries(memories)) kept.memories.set(name, JSON.stringify(memory));
      note(kept);
    },

    async memory(homeId, id, name) {
      const text = find(homeId, id)?.memories.get(name);
      return text === undefined ? undefined : JSON.parse(text);
    },
    audit: async (homeId, id) => [...(find(homeId, id)?.audit.values() ?? [])].sort((a, b) => a.epoch - b.epoch),

    pointer: async (homeId) => pointers.get(homeId)?.pointer,
    async setPointer(homeId, pointer) {
      const there = pointers.get(homeId);
      if (!pointer) {
        if (there) pointers.set(homeId, { ...there, epoch: BEYOND, pointer });
        return;
      }
      const { epoch } = pointer;
      const ordinal = find(homeId, pointer.migrationId)?.ordinal ?? 0;
      if (there && (there.ordinal > ordinal || (there.ordinal === ordinal && there.epoch > epoch))) return;
      pointers.set(homeId, { ordinal, epoch, pointer });
    },

    async addPairs(homeId, id, pairs) {
      const kept = sure(homeId, id);
      kept.pairs = [...kept.pairs, ...pairs].sort((a, b) => a.atUs - b.atUs).slice(-PAIRS_MAX);
    },
    pairs: async (homeId, id, afterUs) => (find(homeId, id)?.pairs ?? []).filter(({ atUs }) => atUs > afterUs),
    async noteOldRead(homeId, id, read) {
      sure(homeId, id).oldRead = read;
    },
    oldRead: async (homeId, id) => find(homeId, id)?.oldRead,
    async addDifferences(homeId, id, found) {
      const kept = sure(homeId, id);
      kept.book = withDifferences(kept.book, found);
    },
    differences: async (homeId, id) => find(homeId, id)?.book ?? emptyDifferenceBook,
  };
}
