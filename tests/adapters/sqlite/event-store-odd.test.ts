import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteEventStore } from "../../../lib/adapters/sqlite/event-store.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import type { EventStore } from "../../../lib/store/ports.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
const DAY_START_US = Math.floor(SOME_TIME_US / DAY_US) * DAY_US;
const ALL = { homeId: "home", order: "asc", limit: 100_000 } as const;

describe("the event store in odd company", () => {
  let folder: string;
  const opened: EventStore[] = [];
  /** `onPause`: whenever it lets others have the thread. */
  const open = (onPause: () => Promise<void> = async () => {}): EventStore => {
    const clock = { ...systemClock, sleep: onPause };
    const store = createSqliteEventStore({ path: join(folder, "store.db"), clock });
    opened.push(store);
    return store;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hearthline-store-odd-"));
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    rmSync(folder, { recursive: true });
  });
  const hours = (from: number, count: number) =>
    Array.from({ length: count }, (_, hour) =>
      buildEvent({
        entityId: "sensor.a",
        atUs: DAY_START_US + (from + hour) * HOUR_US,
        state: String(hour),
        value: hour,
      }),
    );

  it("counts what is left of a day that is pruned while it aggregates", async () => {
    let isPruned = true;
    const other = open();
    const store = open(async () => {
      if (isPruned) return;
      isPruned = true;
      await other.prune("home", DAY_START_US + 36 * HOUR_US);
    });
    await store.write(hours(0, 72));
    await store.compact("home", DAY_START_US + 3 * DAY_US);
    const edges = Array.from({ length: 7 }, (_, half) => DAY_START_US + half * 12 * HOUR_US);
    isPruned = false;
    const [answer] = await store.aggregate({ homeId: "home", entityIds: ["sensor.a"], edges });
    expect(isPruned).toBe(true);
    expect(answer?.windows.slice(3).map(({ count }) => count)).toEqual([12, 12, 12]);
  });

  it("finds what was held before the first edge in a day that is pruned meanwhile", async () => {
    let isPruned = true;
    const other = open();
    const store = open(async () => {
      if (isPruned) return;
      isPruned = true;
      await other.prune("home", DAY_START_US + 12 * HOUR_US);
    });
    await store.write(hours(0, 24));
    await store.write(hours(24, 24).map((event) => ({ ...event, entityId: "sensor.b" })));
    await store.compact("home", DAY_START_US + 2 * DAY_US);
    isPruned = false;
    const edges = [DAY_START_US + 2 * DAY_US, DAY_START_US + 2 * DAY_US + HOUR_US];
    const found = await store.aggregate({ homeId: "home", entityIds: ["sensor.a", "sensor.b"], edges });
    expect(isPruned).toBe(true);
    expect(found.map(({ windows }) => windows[0]?.timeMean)).toEqual([23, 23]);
  });

  it("comes to an end with pruning a day that somebody writes to all the time", async () => {
    const other = open();
    let written = 0;
    const store = open(async () => {
      written++;
      await other.write([buildEvent({ atUs: DAY_START_US + DAY_US / 2 + written })]);
    });
    await store.write(hours(0, 30));
    const before = written;
    const pruned = await store.prune("home", DAY_START_US + DAY_US);
    expect(written - before).toBeGreaterThan(4);
    expect(written - before).toBeLessThan(40);
    const left = (await store.range({ ...ALL, toUs: DAY_START_US + DAY_US })).events.length;
    expect(pruned + left).toBe(24 + written);
    expect(left).toBeLessThan(3);
  });

  it("keeps entities apart that UTF-8 cannot tell apart", async () => {
    const ids = ["sensor.a\ud800", "sensor.a\ufffd", "sensor.a\ud801", "sensor.a\0b", "sensor.a\0c", "__proto__", ""];
    const store = open();
    const query = { homeId: "home", edges: [SOME_TIME_US - 5, SOME_TIME_US + 50] };
    for (const late of [0, 10]) {
      await store.write(
        ids.map((entityId, at) => buildEvent({ entityId, atUs: SOME_TIME_US + late, value: at + late })),
      );
      for (const isCompacted of [false, true]) {
        if (isCompacted) await store.compact("home", SOME_TIME_US + 2 * DAY_US);
        const found = await store.aggregate({ ...query, entityIds: ids });
        expect(found.map(({ windows }) => windows[0]?.max)).toEqual(ids.map((_, at) => at + late));
        for (const entityId of ids) {
          const { events } = await store.range({ ...ALL, entityIds: [entityId] });
          expect(events.map((event) => event.entityId)).toEqual(late ? [entityId, entityId] : [entityId]);
        }
      }
    }
  });

  it("aggregates a compacted day of states longer than any of Home Assistant's", async () => {
    const store = open();
    const events = hours(0, 24).flatMap((event) => [
      { ...event, state: "€".repeat(20_000) },
      { ...event, atUs: event.atUs + 1, state: `x${"€".repeat(20_000)}` },
    ]);
    await store.write(events);
    await store.compact("home", DAY_START_US + DAY_US);
    const edges = [DAY_START_US, DAY_START_US + DAY_US];
    const [answer] = await store.aggregate({ homeId: "home", entityIds: ["sensor.a"], edges });
    expect(answer?.windows[0]).toMatchObject({ count: 48, last: { state: events.at(-1)?.state } });
    expect((await store.range(ALL)).events).toEqual(events);
  });

  it("gives the very last moment that a double holds", async () => {
    const store = open();
    const events = [Number.MIN_SAFE_INTEGER, 2 ** 51 + 1, Number.MAX_SAFE_INTEGER].map((atUs) =>
      buildEvent({ atUs, lastChangedUs: 0, localTime: "" }),
    );
    await store.write(events);
    expect((await store.range(ALL)).events).toEqual(events);
    await store.compact("home", Number.MAX_SAFE_INTEGER);
    expect((await store.range({ ...ALL, order: "desc" })).events).toEqual(events.toReversed());
    expect((await store.stats({ homeId: "home" }))[0]).toMatchObject({ count: 3, lastUs: Number.MAX_SAFE_INTEGER });
  });
});
