import type { Microseconds } from "../../base/time.ts";
import type { EventStore } from "../../store/ports.ts";
import { isCanary } from "../canary-entity.ts";
import { comparable } from "../consistency/comparable.ts";
import type { OldSystem } from "../ports.ts";

export interface BothSides {
  readonly store: Pick<EventStore, "range">;
  readonly old: Pick<OldSystem, "scan" | "range" | "limits">;
}

export interface NewestFound {
  /** Of what both can hold; absent: there is none of the last time. */
  readonly newUs?: Microseconds;
  readonly oldUs?: Microseconds;
  readonly side: "together" | "old-behind" | "new-behind";
  /** How far apart. */
  readonly seconds: number;
}

/** Among so many of NEW's newest there is one that OLD can hold. */
const NEWEST_MAX = 200;
/** Of so many entities it is asked whether the other side knows them at all: each side leaves out what its owner wanted. */
const ASKED_MAX = 10;

/** The newest rows of the home on both sides, of entities that both know: our own canaries say nothing of who feeds OLD. */
export async function newestOfBoth(
  homeId: string,
  { store, old }: BothSides,
  { nowUs, lagUs }: { readonly nowUs: Microseconds; readonly lagUs: number },
): Promise<NewestFound> {
  const { events } = await store.range({ homeId, toUs: nowUs + lagUs, order: "desc", limit: NEWEST_MAX });
  const inNew = new Map<string, Microseconds>();
  for (const event of events) {
    const row = isCanary(event.entityId) ? undefined : comparable(event, old.limits);
    if (row && !row.mayLack && !inNew.has(row.entityId)) inNew.set(row.entityId, row.atUs);
  }
  const newUs = await firstKnown(inNew, (entityId) => has(old, homeId, entityId));
  // No further back than the row that OLD must have: a quiet home's may be of this morning.
  const sinceUs = Math.min(newUs ?? nowUs, events[0]?.atUs ?? nowUs, nowUs);
  const inOld = await newestByEntity(old, sinceUs - 2 * lagUs, nowUs + lagUs);
  const oldUs = await firstKnown(inOld, async (entityId) => inNew.has(entityId) || has(store, homeId, entityId));
  const apartUs = (newUs ?? Number.NEGATIVE_INFINITY) - (oldUs ?? Number.NEGATIVE_INFINITY);
  const isTogether = Number.isNaN(apartUs) || Math.abs(apartUs) <= lagUs;
  return {
    ...(newUs !== undefined && { newUs }),
    ...(oldUs !== undefined && { oldUs }),
    side: isTogether ? "together" : apartUs > 0 ? "old-behind" : "new-behind",
    seconds: Number.isFinite(apartUs) ? Math.abs(apartUs) / 1e6 : 0,
  };
}

/** How many seconds ago OLD's writer was last done, where NEW has later rows that OLD can hold; undefined: it has none, so OLD has everything. */
export async function lagOfOld(
  homeId: string,
  sides: BothSides,
  at: { readonly nowUs: Microseconds; readonly lagUs: number },
): Promise<number | undefined> {
  const { newUs, oldUs } = await newestOfBoth(homeId, sides, at);
  if (newUs === undefined || (oldUs !== undefined && oldUs >= newUs)) return undefined;
  return (at.nowUs - (oldUs ?? newUs - 2 * at.lagUs)) / 1e6;
}

/** Of what Home Assistant wrote, not of what we did. */
export async function newestByEntity(
  old: Pick<OldSystem, "scan">,
  fromUs: Microseconds,
  toUs: Microseconds,
): Promise<ReadonlyMap<string, Microseconds>> {
  const newest = new Map<string, Microseconds>();
  for await (const rows of old.scan({ fromUs, toUs }))
    for (const { entityId, atUs } of rows)
      if (!isCanary(entityId)) newest.set(entityId, Math.max(atUs, newest.get(entityId) ?? 0));
  return newest;
}

/** The newest of an entity that the other side knows. */
async function firstKnown(
  rows: ReadonlyMap<string, Microseconds>,
  isKnown: (entityId: string) => Promise<boolean>,
): Promise<Microseconds | undefined> {
  const newestFirst = [...rows].toSorted(([, a], [, b]) => b - a);
  for (const [entityId, atUs] of newestFirst.slice(0, ASKED_MAX)) if (await isKnown(entityId)) return atUs;
  return undefined;
}

const has = async (side: Pick<EventStore, "range">, homeId: string, entityId: string): Promise<boolean> =>
  (await side.range({ homeId, entityIds: [entityId], order: "desc", limit: 1 })).events.length > 0;
