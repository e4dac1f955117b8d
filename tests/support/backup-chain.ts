import { expect } from "vitest";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { readAll } from "../conformance/event-store-support.ts";
import { backUp, memoryHomeTable, restore } from "./backups.ts";
import { buildEvent, fullEvent, manyEvents, SOME_TIME_US } from "./events.ts";

const OLDEST = { homeId: "home", order: "asc", limit: 1000 } as const;
const DAY_US = 86_400_000_000;

/** What stores of different kinds could each keep in another way. */
const EVENTS: readonly HomeEvent[] = [
  ...manyEvents(3_000),
  { ...fullEvent, atUs: SOME_TIME_US - 3 * DAY_US },
  buildEvent({ atUs: SOME_TIME_US - 2 * DAY_US, kind: "removed", state: "" }),
  buildEvent({ atUs: SOME_TIME_US - 2 * DAY_US, state: "on" }),
  ...["", "🏠", "ü".repeat(255), "a\u0000b", "'; DROP--", "%_\\", "line\nbreak", '"quoted"', "a,b=c d"].map(
    (state, n) => buildEvent({ atUs: SOME_TIME_US - DAY_US + n, state, oldState: state, attributes: { text: state } }),
  ),
  ...[0, 1, -3e-7, 1e21, 2 ** 53, 5e-324, 1.7976931348623157e308, true, false, undefined].map((value, n) =>
    buildEvent({ atUs: SOME_TIME_US - DAY_US + 100 + n, state: "x", ...(value !== undefined && { value }) }),
  ),
  ...["light.turns", "light.turns"].map((entityId, n) =>
    buildEvent({
      entityId,
      atUs: SOME_TIME_US + 1e9 + n,
      ...(n === 0 ? { state: "21", value: 21 } : { state: "text" }),
    }),
  ),
];

/** A home in the first store, from each by a file into the next. Each store is closed. */
export async function expectSameThrough(stores: readonly EventStore[]): Promise<void> {
  const [first, ...others] = stores;
  if (!first) throw new Error("A chain has stores.");
  await first.setUp({ rawDays: 36_500 });
  await first.write(EVENTS);
  const wanted = await readAll(first, OLDEST);
  expect(wanted).toHaveLength(EVENTS.length);
  let from = first;
  for (const store of others) {
    const { bytes } = await backUp(from);
    const { restored } = await restore(bytes, { store, table: memoryHomeTable().table, options: { rawDays: 36_500 } });
    expect(restored).toMatchObject({
      comparison: { days: 4, sameDays: 4, missing: 0, different: 0 },
      refused: { count: 0 },
    });
    expect(await readAll(store, OLDEST)).toEqual(wanted);
    from = store;
  }
  for (const store of stores) await store.close();
}
