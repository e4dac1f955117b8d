import type {
  Aggregate,
  AggregateKey,
  AggregateLayer,
  AggregateStore,
  EnforcedRetention,
  KeptAggregate,
  RetentionRecords,
} from "../../analysis/ports.ts";
import { HearthlineError } from "../../base/errors.ts";
import { compareAndSet, isConflict } from "./compare-and-set.ts";
import { aggregateKey, aggregatePieceKey, aggregatesFrom, homePartition, keyParts, retentionKey } from "./keys.ts";
import { packPieces, unpack } from "./packed.ts";
import type { Expression, Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Sorts after every date, and after every kind that begins with the same text. */
const LAST = "\u{10ffff}";
/** Somebody replaced a large aggregate each time between the look at its head and at its pieces. */
const READ_ATTEMPTS = 5;

interface Place {
  readonly layer: AggregateLayer;
  readonly kind: string;
  readonly date: string;
}

const placeOf = ({ sk }: Item): Place => {
  const [, layer, kind = "", date = ""] = keyParts(String(sk));
  return { layer: layer as AggregateLayer, kind, date };
};

/**
 * Aggregates as packed items: a head at (layer, kind, date), which holds the rows itself or, where they fit no item, names the pieces. The pieces of one write
 * have a name of their own, so that a head never meets another write's; the old ones go after the new head is there.
 */
export function createDynamodbAggregateStore(table: Table): AggregateStore {
  const piecesOf = (homeId: string, head: Item) =>
    Array.from({ length: Number(head.pieces ?? 0) }, (_, piece) =>
      aggregatePieceKey(homeId, { write: String(head.write_id), piece }),
    );

  /** undefined: a piece has gone, because the head was replaced meanwhile. */
  async function rowsOf(homeId: string, head: Item): Promise<unknown[] | undefined> {
    if (head.rows !== undefined) return unpack(head.rows);
    const keys = piecesOf(homeId, head);
    const items = new Map((await table.getMany(keys)).map((item) => [item.sk, item]));
    const found = keys.map(({ sk }) => items.get(sk));
    return found.includes(undefined) ? undefined : found.flatMap((item) => unpack(item?.rows));
  }

  async function read(homeId: string, first: Item): Promise<Aggregate | undefined> {
    const { layer, kind, date } = placeOf(first);
    let head: Item | undefined = first;
    for (let attempt = 1; head && attempt <= READ_ATTEMPTS; attempt++) {
      const rows = await rowsOf(homeId, head);
      if (rows) return { homeId, layer, kind, date, fromUs: Number(head.from_us), toUs: Number(head.to_us), rows };
      head = await table.get(aggregateKey(homeId, { layer, kind, date }));
    }
    if (!head) return undefined;
    throw new HearthlineError(
      "conflict",
      `The ${layer} aggregate "${kind}" of "${date}" of home "${homeId}" was replaced each of the ${READ_ATTEMPTS} times that it was read.`,
    );
  }

  async function* heads(homeId: string, layer: AggregateLayer, beforeDate = LAST): AsyncGenerator<Item> {
    for (const kind of await kinds(homeId, layer)) {
      const between = aggregatesFrom(layer, kind, { fromDate: "", toDate: beforeDate });
      yield* table.query({ pk: homePartition(homeId), between, keysOnly: ["pieces", "write_id"] });
    }
  }

  /** Looks for the first of each kind, and then behind it: as many small queries as there are kinds. */
  async function kinds(homeId: string, layer: AggregateLayer): Promise<readonly string[]> {
    const found: string[] = [];
    for (;;) {
      const next = await first(homeId, layer, found.at(-1));
      if (!next) return found;
      found.push(next.kind);
    }
  }

  async function first(homeId: string, layer: AggregateLayer, behindKind?: string): Promise<Place | undefined> {
    const [from] = aggregatesFrom(layer, behindKind ?? "", {
      fromDate: behindKind === undefined ? "" : LAST,
      toDate: LAST,
    });
    const [, to] = aggregatesFrom(layer, LAST, { fromDate: "", toDate: LAST });
    const query = table.query({ pk: homePartition(homeId), between: [from, to], pageSize: 1, keysOnly: [] });
    for await (const item of query) return placeOf(item);
    return undefined;
  }

  async function remove(homeId: string, head: Item): Promise<void> {
    await table.remove({ pk: String(head.pk), sk: String(head.sk) });
    await table.writeMany({ deletes: piecesOf(homeId, head) });
  }

  async function change(key: AggregateKey, work: Parameters<AggregateStore["change"]>[1]): Promise<void> {
    await compareAndSet(table, async () => {
      const head = await table.get(aggregateKey(key.homeId, key));
      const next = work(head && (await read(key.homeId, head)));
      if (next) await replace(head, next);
    });
  }

  /** Writes over the head that was read, and over none that was written since. The new pieces first, the old ones last: a head is never without its own. */
  async function replace(old: Item | undefined, { aggregate, expiresMs }: KeptAggregate): Promise<void> {
    const { homeId, layer, kind, date, fromUs, toUs, rows } = aggregate;
    const ends = expiresMs === undefined ? {} : { expires_at: Math.ceil(expiresMs / 1000) };
    const write = `${layer} ${kind} ${date} ${table.clock.nowMs()} ${Math.floor(table.random() * 2 ** 48)}`;
    const head = { ...aggregateKey(homeId, aggregate), ...ends, from_us: fromUs, to_us: toUs, write_id: write };
    const packed = packPieces(rows);
    const puts =
      packed.length === 1
        ? []
        : packed.map((piece, index) => ({
            ...aggregatePieceKey(homeId, { write, piece: index }),
            ...ends,
            rows: piece,
          }));
    await table.writeMany({ puts });
    try {
      const content = packed.length === 1 ? { rows: packed[0] } : { pieces: packed.length };
      await table.put({ ...head, ...content }, unlessWrittenSince(old, table));
    } catch (thrown) {
      if (isConflict(thrown)) await table.writeMany({ deletes: puts });
      throw thrown;
    }
    if (old) await table.writeMany({ deletes: piecesOf(homeId, old) });
  }

  return {
    kinds,

    change,
    put: (aggregate, expiresMs) =>
      change(aggregate, () => ({ aggregate, ...(expiresMs !== undefined && { expiresMs }) })),

    async *range({ homeId, layer, kind, fromDate, toDate }) {
      if (fromDate >= toDate) return;
      const between = aggregatesFrom(layer, kind, { fromDate, toDate });
      for await (const head of table.query({ pk: homePartition(homeId), between })) {
        const aggregate = await read(homeId, head);
        if (aggregate && aggregate.date < toDate) yield aggregate;
      }
    },

    async dates({ homeId, layer, kind, fromDate, toDate }) {
      const found: string[] = [];
      if (fromDate >= toDate) return found;
      const between = aggregatesFrom(layer, kind, { fromDate, toDate });
      for await (const head of table.query({ pk: homePartition(homeId), between, keysOnly: true }))
        if (placeOf(head).date < toDate) found.push(placeOf(head).date);
      return found;
    },

    async oldest(homeId, layer) {
      let oldest: string | undefined;
      for (const kind of await kinds(homeId, layer)) {
        const between = aggregatesFrom(layer, kind, { fromDate: "", toDate: LAST });
        for await (const item of table.query({ pk: homePartition(homeId), between, pageSize: 1, keysOnly: [] })) {
          const { date } = placeOf(item);
          if (oldest === undefined || date < oldest) oldest = date;
          break;
        }
      }
      return oldest;
    },

    async prune(homeId, layer, beforeDate) {
      let pruned = 0;
      for await (const head of heads(homeId, layer, beforeDate)) {
        if (placeOf(head).date >= beforeDate) continue;
        await remove(homeId, head);
        pruned++;
      }
      return pruned;
    },

    async restamp(homeId, layer, expiresMsOf) {
      for await (const head of heads(homeId, layer)) {
        const expiresAt = Math.ceil(expiresMsOf(placeOf(head).date) / 1000);
        // The pieces first: a head whose pieces have gone could not be read.
        for (const key of [...piecesOf(homeId, head), { pk: String(head.pk), sk: String(head.sk) }])
          await table
            .update(key, { expression: "SET expires_at = :at", values: { ":at": expiresAt } }, "attribute_exists(pk)")
            .catch((thrown: unknown) => {
              // Replaced or pruned meanwhile: whoever replaced it gave it its end.
              if (!isConflict(thrown)) throw thrown;
            });
      }
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

/** One small item a home: what the last nightly job enforced. */
export function createDynamodbRetentionRecords(table: Table): RetentionRecords {
  return {
    async get(homeId) {
      const item = await table.get(retentionKey(homeId));
      return item && (JSON.parse(String(item.data)) as EnforcedRetention);
    },
    put: (homeId, enforced) => table.put({ ...retentionKey(homeId), data: JSON.stringify(enforced) }),
    remove: async (homeId) => void (await table.remove(retentionKey(homeId))),
  };
}
