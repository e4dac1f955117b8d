import type { Microseconds } from "../../base/time.ts";
import type { HaSession, HistoryQuery, HistoryRow } from "../ports.ts";

/** Entities in one question. */
const BATCH_ENTITIES = 50;
/** The first span that is asked for; the next ones follow from how many rows came. Fifty meters that speak once a second have 30,000 rows in it. */
const SPAN_US = 600_000_000;
const SPAN_MIN_US = 1_000_000;
const SPAN_MAX_US = 30 * 86_400_000_000;
/** About so many rows make one answer: some megabytes at the most. */
const ROWS_WANTED = 4_000;

/** One entity and its window. */
export interface Wanted {
  readonly entityId: string;
  readonly fromUs: Microseconds;
  readonly untilUs: Microseconds;
}

type Ask = (query: HistoryQuery) => Promise<ReadonlyMap<string, readonly HistoryRow[]>>;

/** Entities whose windows lie beside each other are asked for together. */
export function batchesOf<T extends Wanted>(wanted: readonly T[]): T[][] {
  const sorted = wanted.toSorted((a, b) => a.fromUs - b.fromUs || a.untilUs - b.untilUs);
  return Array.from({ length: Math.ceil(sorted.length / BATCH_ENTITIES) }, (_, at) =>
    sorted.slice(at * BATCH_ENTITIES, (at + 1) * BATCH_ENTITIES),
  );
}

/**
 * The rows of one batch, span after span, ascending in time; of each entity only those of its own window. Spans grow and shrink with the answers, so that none is huge.
 * Errors as `HaSession.getHistory`.
 */
export async function* historyPages(
  ask: HaSession["getHistory"] | Ask,
  batch: readonly Wanted[],
): AsyncGenerator<ReadonlyMap<string, readonly HistoryRow[]>> {
  const windows = new Map(batch.map((wanted) => [wanted.entityId, wanted]));
  const endUs = Math.max(...batch.map(({ untilUs }) => untilUs));
  let spanUs = SPAN_US;
  for (let fromUs = Math.min(...batch.map((wanted) => wanted.fromUs)); fromUs < endUs; ) {
    const toUs = Math.min(endUs, fromUs + spanUs);
    const entityIds = batch.filter((one) => one.fromUs < toUs && one.untilUs > fromUs).map(({ entityId }) => entityId);
    const answer = entityIds.length > 0 ? await ask({ entityIds, fromUs, toUs }) : new Map<string, HistoryRow[]>();
    let count = 0;
    const page = new Map<string, readonly HistoryRow[]>();
    for (const [entityId, rows] of answer) {
      count += rows.length;
      const own = windows.get(entityId);
      const inside = rows.filter(({ lastUpdatedUs: at }) => own && at >= own.fromUs && at < own.untilUs);
      if (inside.length > 0) page.set(entityId, inside);
    }
    if (page.size > 0) yield page;
    const factor = Math.min(8, Math.max(0.1, ROWS_WANTED / Math.max(1, count)));
    spanUs = Math.round(Math.min(SPAN_MAX_US, Math.max(SPAN_MIN_US, spanUs * factor)));
    fromUs = toUs;
  }
}
