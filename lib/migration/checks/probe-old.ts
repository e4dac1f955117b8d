import type { Clock } from "../../base/clock.ts";
import type { EventStore } from "../../store/ports.ts";
import type { CheckContext, OldSystem } from "../ports.ts";

export interface Probed {
  readonly p95Ms: number;
  readonly samples: number;
}

export interface ProbeDeps {
  readonly store: Pick<EventStore, "range">;
  readonly old: Pick<OldSystem, "range">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

const PROBES = 20;
const HOUR_US = 3_600_000_000;
const PAGE = 100;

/** How fast OLD answers what a reader asks: the last hours of entities that have just been heard of. undefined: there was nothing to ask, or no time. @throws what OLD throws */
export async function probe(
  { migration, nowUs, signal }: CheckContext,
  { store, old, clock }: ProbeDeps,
): Promise<Probed | undefined> {
  const { homeId } = migration;
  const { events } = await store.range({ homeId, order: "desc", limit: 200 });
  const entities = [...new Set(events.map(({ entityId }) => entityId))];
  if (entities.length === 0) return undefined;
  const tookMs: number[] = [];
  for (let at = 0; at < PROBES && !signal.aborted; at++) {
    const entityIds = [entities[at % entities.length] ?? ""];
    const beganMs = clock.monotonicMs();
    await old.range({ homeId, entityIds, fromUs: nowUs - 24 * HOUR_US, toUs: nowUs, order: "desc", limit: PAGE });
    tookMs.push(clock.monotonicMs() - beganMs);
  }
  if (tookMs.length < PROBES) return undefined;
  tookMs.sort((a, b) => a - b);
  return { p95Ms: tookMs[Math.ceil(tookMs.length * 0.95) - 1] ?? 0, samples: tookMs.length };
}
