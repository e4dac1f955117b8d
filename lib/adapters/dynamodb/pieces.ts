import { HearthlineError } from "../../base/errors.ts";
import { isConflict } from "./compare-and-set.ts";
import type { Key } from "./keys.ts";
import { packPieces, unpack } from "./packed.ts";
import type { Expression, Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Somebody replaced a large one each time between the look at its head and at its pieces. */
const READ_ATTEMPTS = 5;

interface Content {
  /** The head's key and its own attributes; with `expires_at` its pieces end as it does. */
  readonly head: Item;
  readonly rows: readonly unknown[];
  /** What the names of its pieces begin with. */
  readonly write: string;
  /** Nothing else of the home has pieces of this name: those that a write left which ended in the middle are cleared away by the next large one, as are those of whoever writes at the same time and is too late. */
  readonly isOnlyOne?: boolean;
}

/** More are the next write's to clear away. */
const LEFT_OVER_MAX = 1_000;
/** What a piece's sort key has behind the name of its write: `#` and its number, here of the first. */
const PIECE_ENDING = "#0";

/**
 * Rows as packed items: a head, which holds the rows itself or, where they fit no item, names the pieces. The pieces of one write have a name of their own, so
 * that a head never meets another write's; the old ones go after the new head is there.
 */
export interface Pieces {
  keysOf(homeId: string, head: Item): Key[];
  /**
   * undefined: the head has gone meanwhile. `key`: where it lies.
   * @throws HearthlineError `conflict` when it was replaced each time that it was read
   */
  read(
    homeId: string,
    first: Item,
    at: { readonly key: Key; readonly name: string },
  ): Promise<{ readonly head: Item; readonly rows: unknown[] } | undefined>;
  /** Writes over the head that was read, and over none that was written since. The new pieces first, the old ones last: a head is never without its own. */
  replace(homeId: string, old: Item | undefined, content: Content): Promise<void>;
  remove(homeId: string, head: Item): Promise<void>;
}

export function createPieces(
  table: Table,
  pieceKey: (homeId: string, at: { write: string; piece: number }) => Key,
): Pieces {
  const keysOf: Pieces["keysOf"] = (homeId, head) =>
    Array.from({ length: Number(head.pieces ?? 0) }, (_, piece) =>
      pieceKey(homeId, { write: String(head.write_id), piece }),
    );

  /** undefined: a piece has gone, because the head was replaced meanwhile. */
  async function rowsOf(homeId: string, head: Item): Promise<unknown[] | undefined> {
    if (head.rows !== undefined) return unpack(head.rows);
    const keys = keysOf(homeId, head);
    const items = new Map((await table.getMany(keys)).map((item) => [item.sk, item]));
    const found = keys.map(({ sk }) => items.get(sk));
    return found.includes(undefined) ? undefined : found.flatMap((item) => unpack(item?.rows));
  }

  /**
   * All that lie there. To be asked before the new head is written: whoever wrote one of them read an earlier head, and is refused by the new one, however slow he is and whatever his clock says.
   * (Afterwards it would be too late: somebody may have begun who has read the new head.)
   */
  async function leftOver(homeId: string, name: string): Promise<Key[]> {
    const { pk, sk } = pieceKey(homeId, { write: `${name} `, piece: 0 });
    const found: Key[] = [];
    for await (const item of table.query({ pk, prefix: sk.slice(0, -PIECE_ENDING.length), keysOnly: true })) {
      found.push({ pk, sk: String(item.sk) });
      if (found.length === LEFT_OVER_MAX) break;
    }
    return found;
  }

  return {
    keysOf,

    async read(homeId, first, { key, name }) {
      let head: Item | undefined = first;
      for (let attempt = 1; head && attempt <= READ_ATTEMPTS; attempt++) {
        const rows = await rowsOf(homeId, head);
        if (rows) return { head, rows };
        head = await table.get(key);
      }
      if (!head) return undefined;
      throw new HearthlineError(
        "conflict",
        `The ${name} of home "${homeId}" was replaced each of the ${READ_ATTEMPTS} times that it was read.`,
      );
    },

    async replace(homeId, old, { head, rows, write: name, isOnlyOne = false }) {
      const write = `${name} ${table.clock.nowMs()} ${Math.floor(table.random() * 2 ** 48)}`;
      const ends = head.expires_at === undefined ? {} : { expires_at: head.expires_at };
      const packed = packPieces(rows);
      const puts =
        packed.length === 1
          ? []
          : packed.map((piece, index) => ({ ...pieceKey(homeId, { write, piece: index }), ...ends, rows: piece }));
      const left = isOnlyOne && packed.length > 1 ? await leftOver(homeId, name) : [];
      await table.writeMany({ puts });
      try {
        const content = packed.length === 1 ? { rows: packed[0] } : { pieces: packed.length };
        await table.put({ ...head, write_id: write, ...content }, unlessWrittenSince(old, table));
      } catch (thrown) {
        if (!isConflict(thrown)) throw thrown;
        // Sent again after its answer was lost, a write meets itself: its pieces are the head's.
        const there = await table.get({ pk: String(head.pk), sk: String(head.sk) });
        if (there?.write_id !== write) {
          await table.writeMany({ deletes: puts });
          throw thrown;
        }
      }
      const deletes = [...(old ? keysOf(homeId, old) : []), ...left];
      // The old ones are among both, and a key may be in one request once.
      await table.writeMany({ deletes: [...new Map(deletes.map((key) => [key.sk, key])).values()] });
    },

    async remove(homeId, head) {
      await table.remove({ pk: String(head.pk), sk: String(head.sk) });
      await table.writeMany({ deletes: keysOf(homeId, head) });
    },
  };
}

/** An item that is over, but not deleted yet by the table, is as good as none. */
const unlessWrittenSince = (old: Item | undefined, { clock }: Table): Expression =>
  old
    ? { expression: "write_id = :write", values: { ":write": old.write_id } }
    : {
        expression: "attribute_not_exists(pk) OR expires_at <= :now",
        values: { ":now": Math.floor(clock.nowMs() / 1000) },
      };
