import type { OldLimits, OldRow, OldScan, OldSystem } from "../../../lib/migration/ports.ts";
import { eventOf, type Happened } from "./happened.ts";
import type { Life } from "./scheduler.ts";
import type { World } from "./world.ts";

const LIMITS: OldLimits = {
  precisionUs: 1,
  statesLeftOut: [],
  isNumberTextLost: false,
  isFiniteOnly: false,
  hasRemovals: true,
  attributes: "none",
  words: {},
};

const byPlace = (a: Happened, b: Happened): number =>
  a.atUs - b.atUs || (a.entityId < b.entityId ? -1 : a.entityId > b.entityId ? 1 : 0);

/** In pieces of a few rows, none of which ends within a moment. */
function* pieces(rows: readonly OldRow[]): Generator<readonly OldRow[]> {
  for (let at = 0; at < rows.length; ) {
    let end = Math.min(rows.length, at + 4);
    while (rows[end] && rows[end]?.atUs === rows[end - 1]?.atUs) end += 1;
    yield rows.slice(at, end);
    at = end;
  }
}

/** OLD as one process asks it. `onRead`: by a user. */
export function oldSystem(world: World, life: Life, onRead: () => void = () => {}): OldSystem {
  const { call } = world;
  const found = ({ fromUs, toUs, entityIds }: OldScan): Happened[] =>
    world.oldRows
      .filter(({ atUs, entityId }) => atUs >= fromUs && atUs < toUs && (entityIds?.includes(entityId) ?? true))
      .sort(byPlace);
  const rowOf = ({ entityId, atUs, id }: Happened): OldRow => ({ entityId, atUs, state: String(id), attributes: {} });
  return {
    kind: "http",
    name: "old",
    limits: LIMITS,
    describe: () =>
      call(life, "old-read", () => {
        const times = world.oldRows.map(({ atUs }) => atUs);
        const span = { oldestUs: Math.min(...times), newestUs: Math.max(...times) };
        return { product: "Old 1", schema: "1", ...(times.length > 0 && span) };
      }),
    async *scan(query) {
      yield* pieces(await call(life, "old-read", () => found(query).map(rowOf)));
    },
    counts: ({ widthUs, ...query }) =>
      call(life, "old-read", () => {
        const tiles = Map.groupBy(found(query), ({ atUs }) => Math.floor(atUs / widthUs) * widthUs);
        return [...tiles].sort(([a], [b]) => a - b).map(([fromUs, rows]) => ({ fromUs, count: rows.length }));
      }),
    range: ({ order, after, limit, entityIds, fromUs = 0, toUs = Number.MAX_SAFE_INTEGER }) => {
      onRead();
      return call(life, "old-read", () => {
        const sign = order === "asc" ? 1 : -1;
        const behind = after && { id: 0, ...after };
        const events = [...new Set(found({ fromUs, toUs, ...(entityIds && { entityIds }) }))]
          .sort((a, b) => sign * byPlace(a, b))
          .filter((each) => !behind || sign * byPlace(each, behind) > 0)
          .slice(0, limit)
          .map((each) => eventOf(each));
        const last = events.length === limit ? events.at(-1) : undefined;
        return { events, ...(last && { next: { atUs: last.atUs, entityId: last.entityId, removed: false } }) };
      });
    },
    write: (events) =>
      call(life, "old", () => {
        for (const { state } of events) {
          const each = world.byId(state);
          if (each) world.writeOld(each);
        }
        return { taken: events.length, refused: [] };
      }),
    close: async () => {},
  };
}
