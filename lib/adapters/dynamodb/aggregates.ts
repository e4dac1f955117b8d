import type {
  Aggregate,
  AggregateKey,
  AggregateLayer,
  AggregateStore,
  EnforcedRetention,
  KeptAggregate,
  RetentionRecords,
} from "../../analysis/ports.ts";
import { compareAndSet, isConflict } from "./compare-and-set.ts";
import { aggregateKey, aggregatePieceKey, aggregatesFrom, homePartition, keyParts, retentionKey } from "./keys.ts";
import { createPieces } from "./pieces.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Sorts after every date, and after every kind that begins with the same text. */
const LAST = "\u{10ffff}";

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
  const pieces = createPieces(table, aggregatePieceKey);

  async function read(homeId: string, first: Item): Promise<Aggregate | undefined> {
    const { layer, kind, date } = placeOf(first);
    const name = `${layer} aggregate "${kind}" of "${date}"`;
    const found = await pieces.read(homeId, first, { key: aggregateKey(homeId, { layer, kind, date }), name });
    if (!found) return undefined;
    const { head, rows } = found;
    return { homeId, layer, kind, date, fromUs: Number(head.from_us), toUs: Number(head.to_us), rows };
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

  async function change(key: AggregateKey, work: Parameters<AggregateStore["change"]>[1]): Promise<void> {
    await compareAndSet(table, async () => {
      const head = await table.get(aggregateKey(key.homeId, key));
      const next = work(head && (await read(key.homeId, head)));
      if (next) await replace(head, next);
    });
  }

  function replace(old: Item | undefined, { aggregate, expiresMs }: KeptAggregate): Promise<void> {
    const { homeId, layer, kind, date, fromUs, toUs, rows } = aggregate;
    const ends = expiresMs === undefined ? {} : { expires_at: Math.ceil(expiresMs / 1000) };
    const head = { ...aggregateKey(homeId, aggregate), ...ends, from_us: fromUs, to_us: toUs };
    return pieces.replace(homeId, old, { head, rows, write: `${layer} ${kind} ${date}` });
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
        await pieces.remove(homeId, head);
        pruned++;
      }
      return pruned;
    },

    async restamp(homeId, layer, expiresMsOf) {
      for await (const head of heads(homeId, layer)) {
        const expiresAt = Math.ceil(expiresMsOf(placeOf(head).date) / 1000);
        // The pieces first: a head whose pieces have gone could not be read.
        for (const key of [...pieces.keysOf(homeId, head), { pk: String(head.pk), sk: String(head.sk) }])
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
