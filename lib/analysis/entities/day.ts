import { setImmediate as nextTurn } from "node:timers/promises";
import type { HomeEvent } from "../../event/index.ts";
import { createRollup, type Rollup, type RollupBuilder } from "../../series/index.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Period } from "../periods.ts";
import { byEntity, rebase, rowOf } from "./merge.ts";
import { type EntityRow, leftBy } from "./rows.ts";

/** Then others get the thread. */
const EVENTS_A_TURN = 1_000;

export interface DayOptions {
  readonly store: EventStore;
  readonly homeId: string;
  readonly period: Pick<Period, "fromUs" | "toUs">;
  /** The rows of the day before; undefined: there is no aggregate of it, so the store is asked what was there before. */
  readonly previous: readonly EntityRow[] | undefined;
}

/** Reads the events of one day once, in order. Memory grows with entities, not with events. */
export async function aggregateDay(
  options: DayOptions,
): Promise<{ readonly rows: EntityRow[]; readonly events: number }> {
  const { store, homeId, period, previous } = options;
  const builders = new Map<string, RollupBuilder>();
  let events = 0;
  for await (const piece of store.scan({ homeId, fromUs: period.fromUs, toUs: period.toUs })) {
    for (const [index, event] of piece.entries()) {
      events++;
      builderOf(builders, event).add(event);
      if (index % EVENTS_A_TURN === EVENTS_A_TURN - 1) await nextTurn();
    }
  }
  const rows: EntityRow[] = [];
  for (const [entityId, builder] of builders) {
    const before = previous ? undefined : await lastBefore(entityId, options);
    rows.push(rowOf(entityId, before, builder.finish()));
  }
  return { rows: previous ? rebase(rows, previous) : rows.sort(byEntity), events };
}

function builderOf(builders: Map<string, RollupBuilder>, event: HomeEvent): RollupBuilder {
  const there = builders.get(event.entityId) ?? createRollup();
  builders.set(event.entityId, there);
  return there;
}

/** The entity's last event before the day, as a part of its own. */
async function lastBefore(entityId: string, { store, homeId, period }: DayOptions): Promise<Rollup | undefined> {
  const query = { homeId, entityIds: [entityId], toUs: period.fromUs, order: "desc", limit: 1 } as const;
  const [event] = (await store.range(query)).events;
  if (!event) return undefined;
  const builder = createRollup();
  builder.add(event);
  const before = builder.finish();
  return before && leftBy({ entityId, before });
}
