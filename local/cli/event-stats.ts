import { table } from "./output.ts";
import { allPages } from "./pages.ts";
import type { Tools } from "./tools.ts";

interface EntityStats {
  readonly entity_id: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly bytes: number;
  readonly longest_gap_seconds: number;
}

export interface StatsFlags {
  readonly from?: string;
  readonly to?: string;
  readonly entity?: string;
  readonly limit?: number;
}

/** `events stats`: what fills the disk comes first, and in the end all together. */
export async function showEventStats({ from, to, entity, limit }: StatsFlags, tools: Tools): Promise<void> {
  const { api, output } = tools();
  const query = { from, to, entity_id: entity };
  const entities = await allPages<EntityStats, "entities">(api, "/api/v1/events/stats", "entities", query);
  const largest = [...entities].sort((a, b) => b.bytes - a.bytes || (a.entity_id < b.entity_id ? -1 : 1));
  const shown = largest.slice(0, limit ?? largest.length);
  const total = {
    entities: entities.length,
    count: sumOf(entities, ({ count }) => count),
    bytes: sumOf(entities, ({ bytes }) => bytes),
  };
  const rows = shown.map((each) => [
    each.entity_id,
    each.count,
    each.first,
    each.last,
    Math.round(each.longest_gap_seconds),
    each.bytes,
    shareOf(each.bytes, total.bytes),
  ]);
  const hidden = entities.length - shown.length;
  const name = `TOTAL of ${total.entities}${hidden > 0 ? ` (${hidden} not shown)` : ""}`;
  const last = [name, total.count, "", "", "", total.bytes, shareOf(total.bytes, total.bytes)];
  output.data({ entities: shown, total }, () =>
    table(
      ["ENTITY", "EVENTS", "FIRST", "LAST", "LONGEST GAP s", "BYTES", "SHARE"],
      entities.length === 0 ? [] : [...rows, last],
      "no events",
    ),
  );
}

const sumOf = (entities: readonly EntityStats[], of: (entity: EntityStats) => number): number =>
  entities.reduce((sum, entity) => sum + of(entity), 0);

const shareOf = (bytes: number, all: number): string => `${((100 * bytes) / Math.max(1, all)).toFixed(1)} %`;
