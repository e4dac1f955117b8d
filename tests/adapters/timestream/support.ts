import { afterAll } from "vitest";
import { createTimestreamEventStore } from "../../../lib/adapters/timestream/event-store.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { EventsRefused, type RefusedEvent } from "../../../lib/event/index.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { SOME_TIME_US } from "../../support/events.ts";
import { type SmallTimestream, startSmallTimestream } from "../../support/small-timestream.ts";

export const DAY_US = 86_400_000_000;

/** An hour after `SOME_TIME_US`; sleeps are over at once and noted. */
export function smallClock(startMs = SOME_TIME_US / 1000 + 3_600_000) {
  const slept: number[] = [];
  const clock = {
    ...systemClock,
    nowMs: () => startMs,
    sleep: async (ms: number) => {
      slept.push(ms);
    },
  };
  return { clock, slept };
}

const smalls: SmallTimestream[] = [];
afterAll(() => Promise.all(smalls.map((small) => small.close())));

/** A store on a small Timestream of its own, not set up yet. */
export async function openSmall({ memoryHours = 6 } = {}) {
  const { clock, slept } = smallClock();
  const small = await startSmallTimestream({ clock });
  smalls.push(small);
  const clients = { writes: small.client("timestream-write", clock), queries: small.client("timestream-query", clock) };
  const store = createTimestreamEventStore({ ...clients, database: "hearthline", clock, memoryHours });
  return { small, store, clients, clock, slept };
}

export async function openReady(options: { memoryHours?: number } = {}) {
  const opened = await openSmall(options);
  await opened.store.setUp({ rawDays: 30 });
  opened.small.requests.length = 0;
  return opened;
}

/** What a write refused; empty: nothing. */
export async function refusedBy(
  store: EventStore,
  events: Parameters<EventStore["write"]>[0],
): Promise<readonly RefusedEvent[]> {
  try {
    await store.write(events);
    return [];
  } catch (thrown) {
    if (thrown instanceof EventsRefused) return thrown.refused;
    throw thrown;
  }
}
