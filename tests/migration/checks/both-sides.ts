import { createMemoryDeviceIndex } from "../../../lib/adapters/memory/device-index.ts";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { CheckContext, Migration, OldLimits, OldSystem } from "../../../lib/migration/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";

export const HOME = "home";

/** An OLD that holds everything. */
export const WHOLE: OldLimits = {
  precisionUs: 1,
  statesLeftOut: [],
  isNumberTextLost: false,
  isFiniteOnly: false,
  hasRemovals: true,
  attributes: "full",
  hasLastChanged: true,
  words: {},
};

/** Both sides in memory; `asOld` is what OLD makes of an event, undefined: it does not have it. */
export async function bothSides(
  events: readonly HomeEvent[],
  {
    asOld = (event) => event,
    limits = WHOLE,
  }: { asOld?: (event: HomeEvent) => HomeEvent | undefined; limits?: OldLimits } = {},
) {
  const [there, fresh] = [createMemoryEventStore(), createMemoryEventStore()];
  const index = createMemoryDeviceIndex();
  const lastUs = events.at(-1)?.atUs ?? 0;
  const clock = manualClock(Math.floor(lastUs / 1000) + 60_000);
  await there.write(events.flatMap((event) => asOld(event) ?? []));
  await fresh.write(events);
  await index.applySeen(HOME, new Map(events.map(({ entityId, atUs, state }) => [entityId, { atUs, state }])));
  const old: OldSystem = {
    kind: "http",
    name: "old",
    limits,
    describe: async () => ({ product: "Old 1", schema: "1", oldestUs: events[0]?.atUs ?? 0 }),
    range: (query) => there.range(query),
    async *scan({ fromUs, toUs }) {
      for await (const piece of there.scan({ homeId: HOME, fromUs, toUs })) yield piece;
    },
    counts: ({ fromUs, toUs, widthUs }) => there.tiles({ homeId: HOME, fromUs, toUs, widthUs }),
    write: async () => ({ taken: 0, refused: [] }),
    close: async () => {},
  };
  const context = (migration: Migration, memory?: unknown): CheckContext => ({
    migration,
    nowUs: clock.nowMs() * 1000,
    memory: memory === undefined ? undefined : JSON.parse(JSON.stringify(memory)),
    signal: new AbortController().signal,
  });
  return { old, there, fresh, index, clock, context };
}
