import type {
  Aggregate,
  AggregateKey,
  AggregateLayer,
  AggregateQuery,
  AggregateStore,
  RetentionRecords,
} from "../../analysis/ports.ts";
import type { Clock } from "../../base/clock.ts";

interface Kept {
  readonly aggregate: Aggregate;
  expiresMs: number;
}

/** Aggregates in this process's memory. */
export function createMemoryAggregateStore({ clock }: { readonly clock: Pick<Clock, "nowMs"> }): AggregateStore {
  const kept = new Map<string, Kept>();
  const keyOf = ({ homeId, layer, kind, date }: AggregateKey): string => JSON.stringify([homeId, layer, kind, date]);

  const live = (homeId: string, layer: AggregateLayer): Kept[] =>
    [...kept.values()].filter(
      ({ aggregate, expiresMs }) =>
        aggregate.homeId === homeId && aggregate.layer === layer && expiresMs > clock.nowMs(),
    );

  const found = ({ homeId, layer, kind, fromDate, toDate }: AggregateQuery): Aggregate[] =>
    live(homeId, layer)
      .map(({ aggregate }) => aggregate)
      .filter((aggregate) => aggregate.kind === kind && aggregate.date >= fromDate && aggregate.date < toDate)
      .sort((a, b) => (a.date < b.date ? -1 : 1));

  const change: AggregateStore["change"] = async (key, work) => {
    const there = kept.get(keyOf(key));
    const next = work(there && there.expiresMs > clock.nowMs() ? structuredClone(there.aggregate) : undefined);
    if (!next) return;
    const { aggregate, expiresMs = Number.POSITIVE_INFINITY } = next;
    kept.set(keyOf(key), { aggregate: structuredClone(aggregate), expiresMs });
  };

  return {
    change,
    put: (aggregate, expiresMs = Number.POSITIVE_INFINITY) => change(aggregate, () => ({ aggregate, expiresMs })),
    range: async function* (query) {
      yield* structuredClone(found(query));
    },
    dates: async (query) => found(query).map(({ date }) => date),
    kinds: async (homeId, layer) => [...new Set(live(homeId, layer).map(({ aggregate }) => aggregate.kind))].sort(),
    oldest: async (homeId, layer) =>
      live(homeId, layer)
        .map(({ aggregate }) => aggregate.date)
        .sort()[0],
    prune: async (homeId, layer, beforeDate) => {
      const old = live(homeId, layer).filter(({ aggregate }) => aggregate.date < beforeDate);
      for (const { aggregate } of old) kept.delete(keyOf(aggregate));
      return old.length;
    },
    restamp: async (homeId, layer, expiresMsOf) => {
      for (const each of live(homeId, layer)) each.expiresMs = expiresMsOf(each.aggregate.date);
    },
  };
}

/** What was enforced last, in this process's memory. */
export function createMemoryRetentionRecords(): RetentionRecords {
  const records = new Map<string, Awaited<ReturnType<RetentionRecords["get"]>>>();
  return {
    get: async (homeId) => records.get(homeId),
    put: async (homeId, enforced) => void records.set(homeId, enforced),
    remove: async (homeId) => void records.delete(homeId),
  };
}
