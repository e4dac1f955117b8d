import { HearthlineError } from "../../base/errors.ts";
import { type Commit, ENDED, knownMigration, type Migration, type MigrationStore } from "../../migration/ports.ts";
import { isConflict } from "./compare-and-set.ts";
import {
  endedMigrationKey,
  homePartition,
  keyParts,
  MIGRATIONS_PARTITION,
  migrationAuditKey,
  migrationKey,
  migrationMemoryKey,
  migrationUnderWayKey,
  prefixOf,
} from "./keys.ts";
import { createMigrationNotes } from "./migration-notes.ts";
import { createPointers } from "./migration-pointer.ts";
import { pack, unpack } from "./packed.ts";
import type { Expression, Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

const READ_ATTEMPTS = 5;
/** An entry of the directory whose row is not there is one of a migration that is just being made, or of one whose maker was killed, or of a home that was removed. */
const UNMADE_KEPT_MS = 3_600_000;

type Named = Readonly<Record<string, string>>;
const namesOf = (item: Item): Named => (item.memories ?? {}) as Named;
const rowOf = (item: Item): Migration => knownMigration(unpack(item.packed)[0]);
/** The newest migration of a home may end; only then does another take its place. */
const unlessWrittenSince = (item: Item | undefined): Expression =>
  item
    ? { expression: "write_id = :write", values: { ":write": item.write_id } }
    : { expression: "attribute_not_exists(pk)" };

/**
 * A home's newest migration is one item, so that there cannot be two under way; it names the memories that belong to it, which are written before it and under names of their own: they change together or not
 * at all. Those before it lie beside it, and never change. What is done after the item has been written (audit, directory, clearing up) is done again by whoever comes next.
 */
export function createDynamodbMigrationStore(table: Table): MigrationStore {
  const uniqueName = (): string => `${table.clock.nowMs()}-${Math.floor(table.random() * 2 ** 48).toString(36)}`;

  async function find(homeId: string, id: string): Promise<Item | undefined> {
    const newest = await table.get(migrationKey(homeId));
    if (newest?.migration_id === id) return newest;
    const ended = await table.get(endedMigrationKey(homeId, id));
    if (ended) return ended;
    // It may have been moved aside between the two looks.
    const again = await table.get(migrationKey(homeId));
    return again?.migration_id === id ? again : undefined;
  }

  /** By epoch: who writes it again writes the same. */
  async function noteChange({ homeId, id, lastChange }: Migration): Promise<void> {
    if (!lastChange) return;
    await table.put({
      ...migrationAuditKey(homeId, { id, epoch: lastChange.epoch }),
      packed: pack([lastChange]),
    });
  }

  /** @throws HearthlineError `conflict` when somebody else was first; a write that was answered late and sent again is ours */
  async function putRow(row: Migration, more: Readonly<Record<string, unknown>>, before: Item | undefined) {
    const write_id = uniqueName();
    const key = migrationKey(row.homeId);
    const item: Item = {
      ...{ ...key, ...more, write_id },
      ...{ migration_id: row.id, revision: row.revision, is_ended: ENDED.has(row.state) },
      packed: pack([row]),
    };
    try {
      await table.put(item, unlessWrittenSince(before));
    } catch (thrown) {
      if (!isConflict(thrown) || (await table.get(key))?.write_id !== write_id) throw thrown;
    }
  }

  async function clearUp(before: Item, names: Named, next: Migration): Promise<void> {
    const { homeId, id } = next;
    const isNewEpoch = next.lastChange !== undefined && next.lastChange.epoch !== rowOf(before).lastChange?.epoch;
    if (isNewEpoch) await noteChange(next);
    const replaced = Object.entries(namesOf(before)).filter(([name, write]) => names[name] !== write);
    await table.writeMany({
      deletes: replaced.map(([name, write]) => migrationMemoryKey(homeId, { id, name, write })),
    });
    if (isNewEpoch) await table.writeMany({ deletes: await orphans(next, names) });
  }

  /** Memories of steps that were killed, or that came second: made for a revision that is there, and not named by it. */
  async function orphans({ homeId, id, revision }: Migration, names: Named): Promise<readonly Item[]> {
    const found: Item[] = [];
    const prefix = prefixOf("MIGRATIONMEMORY", id);
    for await (const item of table.query({ pk: homePartition(homeId), prefix, keysOnly: ["revision"] })) {
      const [, , name = "", write] = keyParts(item.sk);
      if (names[name] !== write && Number(item.revision) <= revision) found.push(item);
    }
    return found;
  }

  async function commit(next: Migration, { expected, memories = {} }: Commit): Promise<void> {
    const { homeId, id, revision } = next;
    const before = await table.get(migrationKey(homeId));
    if (!before || before.migration_id !== id || before.revision !== expected || revision !== expected + 1)
      throw stale(next, expected, before);
    const current = rowOf(before);
    if (current.lastChange?.epoch !== next.lastChange?.epoch) await noteChange(current);
    const write = uniqueName();
    const puts = Object.entries(memories).map(([name, memory]) => ({
      ...migrationMemoryKey(homeId, { id, name, write }),
      revision,
      packed: pack([memory]),
    }));
    await table.writeMany({ puts });
    const names = { ...namesOf(before), ...Object.fromEntries(Object.keys(memories).map((name) => [name, write])) };
    try {
      await putRow(next, { ordinal: before.ordinal, memories: names }, before);
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
      await table.writeMany({ deletes: puts });
      throw stale(next, expected, await table.get(migrationKey(homeId)));
    }
    await leftToTheNext(clearUp(before, names, next));
  }

  async function create(row: Migration): Promise<void> {
    const { homeId, id } = row;
    const before = await table.get(migrationKey(homeId));
    if (before && before.is_ended !== true) throw exists(homeId, before);
    if (before) {
      await noteChange(rowOf(before));
      await table.put({ ...before, ...endedMigrationKey(homeId, String(before.migration_id)) });
    }
    await table.put({ ...migrationUnderWayKey(homeId, id), made_ms: table.clock.nowMs() });
    try {
      await putRow(row, { ordinal: Number(before?.ordinal ?? 0) + 1, memories: {} }, before);
    } catch (thrown) {
      if (!isConflict(thrown)) throw thrown;
      await table.remove(migrationUnderWayKey(homeId, id));
      throw exists(homeId, await table.get(migrationKey(homeId)));
    }
    await leftToTheNext(noteChange(row));
  }

  return {
    create,
    commit,

    async get(homeId, id) {
      const item = await find(homeId, id);
      return item && rowOf(item);
    },

    async list(homeId) {
      const items = new Map<string, Item>();
      for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("MIGRATION") }))
        items.set(String(item.migration_id), item);
      const newest = await table.get(migrationKey(homeId));
      if (newest) items.set(String(newest.migration_id), newest);
      return [...items.values()].sort((a, b) => Number(b.ordinal) - Number(a.ordinal)).map(rowOf);
    },

    async underWay() {
      const found: { readonly homeId: string; readonly id: string }[] = [];
      for await (const entry of table.query({ pk: MIGRATIONS_PARTITION })) {
        const [homeId = "", id = ""] = keyParts(entry.sk);
        if (await find(homeId, id)) found.push({ homeId, id });
        else if (table.clock.nowMs() - Number(entry.made_ms) > UNMADE_KEPT_MS) await table.remove(entry);
      }
      return found;
    },

    async settle(homeId, id) {
      if ((await find(homeId, id))?.is_ended !== false) await table.remove(migrationUnderWayKey(homeId, id));
    },

    async memory(homeId, id, name) {
      for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
        const item = await find(homeId, id);
        const write = item && namesOf(item)[name];
        if (write === undefined) return undefined;
        const memory = await table.get(migrationMemoryKey(homeId, { id, name, write }));
        if (memory) return unpack(memory.packed)[0];
      }
      throw new HearthlineError(
        "conflict",
        `What "${name}" of migration "${id}" keeps was replaced each of the ${READ_ATTEMPTS} times that it was read.`,
      );
    },

    async audit(homeId, id) {
      const item = await find(homeId, id);
      const last = item && rowOf(item).lastChange;
      const entries = new Map(last && [[last.epoch, last]]);
      for await (const { packed } of table.query({
        pk: homePartition(homeId),
        prefix: prefixOf("MIGRATIONAUDIT", id),
      })) {
        const [entry] = unpack(packed) as NonNullable<typeof last>[];
        if (entry) entries.set(entry.epoch, entry);
      }
      return [...entries.values()].sort((a, b) => a.epoch - b.epoch);
    },

    ...createPointers(table, async (homeId, id) => Number((await find(homeId, id))?.ordinal ?? 0)),
    ...createMigrationNotes(table, uniqueName),
  };
}

/** The row is written, and that is the change: what is left to do does not make it fail, and is done by the next one. */
async function leftToTheNext(work: Promise<void>): Promise<void> {
  await work.catch(() => {});
}

const stale = (next: Migration, expected: number, item: Item | undefined) =>
  new HearthlineError(
    "migration_stale",
    `The migration "${next.id}" ${item?.migration_id === next.id ? `is at revision ${item.revision}` : "is not the home's newest any more"}; revision ${next.revision} was made from ${expected}. Wanted is one made from what is there.`,
  );

const exists = (homeId: string, item: Item | undefined) =>
  new HearthlineError(
    "migration_exists",
    `The home "${homeId}" has the migration "${item?.migration_id}" under way; wanted is none, or one that has ended.`,
  );
