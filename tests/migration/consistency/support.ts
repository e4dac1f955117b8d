import type { HomeEvent } from "../../../lib/event/index.ts";
import type { ComparableLimits, SideRow } from "../../../lib/migration/consistency/comparable.ts";
import type { SideName, Sides } from "../../../lib/migration/consistency/sides.ts";
import type { OldRow, OldScan, OldSystem } from "../../../lib/migration/ports.ts";

/** OLD holds everything that NEW does. */
export const NO_LIMITS: ComparableLimits = {
  precisionUs: 1,
  statesLeftOut: [],
  isNumberTextLost: false,
  isFiniteOnly: false,
  hasRemovals: true,
  attributes: "none",
  words: {},
};

export { INFLUX_LIMITS } from "../../../lib/adapters/legacy/old-influx-limits.ts";

export const rowOf = ({ entityId, atUs, kind, state, attributes }: HomeEvent): OldRow => ({
  entityId,
  atUs,
  state: kind === "removed" ? null : state,
  attributes,
});

const order = (a: SideRow, b: SideRow): number =>
  a.atUs - b.atUs || (a.entityId < b.entityId ? -1 : a.entityId > b.entityId ? 1 : 0);

/** What was read of each side. */
export interface Reads {
  old: number;
  new: number;
}

/** Both sides over arrays, in pieces of some rows; counts what is read. */
export function sidesOf(
  rows: { readonly old: readonly SideRow[]; readonly new: readonly SideRow[] },
  limits: ComparableLimits = NO_LIMITS,
): Sides & { readonly reads: Reads } {
  const reads: Reads = { old: 0, new: 0 };
  const side = (name: SideName) => {
    const sorted = rows[name].toSorted(order);
    return {
      name,
      read: async function* ({
        fromUs,
        toUs,
        entityIds,
      }: {
        fromUs: number;
        toUs: number;
        entityIds?: readonly string[];
      }) {
        const wanted = entityIds && new Set(entityIds);
        const from = firstFrom(sorted, fromUs);
        const found = sorted
          .slice(from, firstFrom(sorted, toUs))
          .filter(({ entityId }) => !wanted || wanted.has(entityId));
        for (let at = 0; at < found.length; at += 1_000) {
          const piece = found.slice(at, at + 1_000);
          reads[name] += piece.length;
          yield piece;
        }
      },
    };
  };
  return { old: side("old"), new: side("new"), limits, reads };
}

function firstFrom(rows: readonly SideRow[], atUs: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.atUs ?? 0) < atUs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An OLD over an array that a test changes. */
export interface FakeOld extends OldSystem {
  rows: OldRow[];
  newestUs: number | undefined;
  /** Rows read, and calls of `counts`. */
  readonly read: { rows: number; counts: number };
}

export function fakeOld(rows: readonly OldRow[], limits: ComparableLimits = NO_LIMITS): FakeOld {
  const read = { rows: 0, counts: 0 };
  const found = (self: FakeOld, { fromUs, toUs, entityIds }: OldScan): OldRow[] =>
    self.rows
      .filter((row) => row.atUs >= fromUs && row.atUs < toUs && (!entityIds || entityIds.includes(row.entityId)))
      .sort(order);
  const old: FakeOld = {
    rows: [...rows],
    newestUs: undefined,
    read,
    kind: "influxdb",
    name: "fake",
    limits,
    describe: async () => {
      const times = old.rows.map(({ atUs }) => atUs);
      const oldestUs = times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
      const newestUs = old.newestUs ?? (times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b)));
      return {
        product: "fake",
        schema: "1",
        ...(oldestUs !== undefined && { oldestUs }),
        ...(newestUs !== undefined && { newestUs }),
      };
    },
    scan: async function* (query) {
      const all = found(old, query);
      for (let at = 0; at < all.length; at += 500) {
        const piece = all.slice(at, at + 500);
        read.rows += piece.length;
        yield piece;
      }
    },
    counts: async (query) => {
      read.counts += 1;
      const tiles = Map.groupBy(found(old, query), ({ atUs }) => Math.floor(atUs / query.widthUs) * query.widthUs);
      return [...tiles].sort(([a], [b]) => a - b).map(([fromUs, all]) => ({ fromUs, count: all.length }));
    },
    range: async () => ({ events: [] }),
    write: async (events) => {
      for (const event of events) {
        const row = rowOf(event);
        old.rows = old.rows.filter((there) => there.atUs !== row.atUs || there.entityId !== row.entityId);
        old.rows.push(row);
      }
      return { taken: events.length, refused: [] };
    },
    close: async () => {},
  };
  return old;
}
