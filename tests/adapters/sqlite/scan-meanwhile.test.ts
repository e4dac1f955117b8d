import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import { compareEvents, type HomeEvent } from "../../../lib/event/index.ts";
import { manyEvents } from "../../support/events.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scan-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const DAY_US = 86_400_000_000;
/** Two days. */
const EVENTS = manyEvents(30_000, { stepUs: (2 * DAY_US) / 30_000 });
const LAST_US = EVENTS.at(-1)?.atUs ?? 0;
const keyOf = ({ atUs, entityId, kind }: HomeEvent): string => `${atUs} ${entityId} ${kind}`;

type Meanwhile = (store: ReturnType<typeof createSqliteEventStore>, seenUs: number) => Promise<void>;

async function scanned(meanwhile: Meanwhile, entityIds?: readonly string[]): Promise<HomeEvent[]> {
  const path = join(folder, "events.db");
  const [store, other] = [createSqliteEventStore({ path }), createSqliteEventStore({ path })];
  try {
    // Entity by entity, as an import writes: each segment reaches through all of its day.
    for (const events of Map.groupBy(EVENTS, ({ entityId }) => entityId).values()) await store.write(events);
    const found: HomeEvent[] = [];
    for await (const events of store.scan({ homeId: "home", ...(entityIds && { entityIds }) })) {
      found.push(...events);
      await meanwhile(other, events.at(-1)?.atUs ?? 0);
    }
    return found;
  } finally {
    await Promise.all([store.close(), other.close()]);
  }
}

describe("a scan, while others work in the file", () => {
  const ids: readonly (readonly string[] | undefined)[] = [undefined, ["sensor.part_0", "light.part_1"]];
  const wanted = (entityIds: (typeof ids)[number]) =>
    EVENTS.filter(({ entityId }) => !entityIds || entityIds.includes(entityId)).toSorted(compareEvents);

  it.each(ids)("gives every event once and in order when the days are merged at each step: %s", async (entityIds) => {
    const found = await scanned((other) => other.compact("home", LAST_US + DAY_US), entityIds);
    expect(found.map(keyOf)).toEqual(wanted(entityIds).map(keyOf));
  });

  it.each(ids)("gives what is written ahead of it, and the newest of what is written again: %s", async (entityIds) => {
    let steps = 0;
    const late = new Map<string, HomeEvent>();
    const found = await scanned(async (other, seenUs) => {
      if (++steps > 3) return;
      const ahead = EVENTS.filter(({ atUs }) => atUs > seenUs);
      const some = ahead.filter((_, at) => at % 97 === 0).map((event) => ({ ...event, state: `again ${steps}` }));
      const more = ahead.filter((_, at) => at % 89 === 0).map((event) => ({ ...event, atUs: event.atUs + steps }));
      for (const event of [...some, ...more]) late.set(keyOf(event), event);
      await other.write([...some, ...more]);
      if (steps === 2) await other.compact("home", LAST_US + DAY_US);
    }, entityIds);
    expect(steps).toBeGreaterThan(entityIds ? 0 : 3);
    const isWanted = ({ entityId }: HomeEvent) => !entityIds || entityIds.includes(entityId);
    const all = new Map(wanted(entityIds).map((event) => [keyOf(event), event]));
    for (const [key, event] of late) if (isWanted(event)) all.set(key, event);
    const stateOf = (events: Iterable<HomeEvent>) =>
      [...events].toSorted(compareEvents).map((event) => `${keyOf(event)} ${event.state}`);
    expect(found.map((event) => `${keyOf(event)} ${event.state}`)).toEqual(stateOf(all.values()));
  });

  it("gives what a prune leaves, and ends when all is gone", async () => {
    const cutUs = EVENTS[20_000]?.atUs ?? 0;
    const found = await scanned((other) => other.prune("home", cutUs).then(() => {}));
    expect(found.map(keyOf)).toEqual([...new Set(found.map(keyOf))]);
    expect(found.filter(({ atUs }) => atUs >= cutUs).map(keyOf)).toEqual(EVENTS.slice(20_000).map(keyOf));
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), "scan-"));
    const few = await scanned((other) => other.prune("home", LAST_US + DAY_US).then(() => {}));
    expect(few.length).toBeLessThan(EVENTS.length);
  });
});
