import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareEvents, naturalKey } from "../../lib/event/index.ts";
import type { EventStore } from "../../lib/store/ports.ts";
import { buildEvent, manyEvents, SOME_TIME_US } from "../support/events.ts";
import {
  type EventStoreTraits,
  type EventStoreUnderTest,
  type OpenEventStore,
  readAll,
  scanAll,
} from "./event-store-support.ts";

const DAY_US = 86_400_000_000;

/** Everything of a span, read as it lies. */
export function scanConformance(name: string, open: OpenEventStore, { share = 1 }: EventStoreTraits): void {
  describe(`event store: ${name}: scan`, () => {
    let under: EventStoreUnderTest;
    let store: EventStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    const count = Math.max(300, Math.round(12_000 * share));
    /** Of three days. */
    const events = manyEvents(count, { entities: 11, stepUs: Math.floor((3 * DAY_US) / count) });

    it("gives every event of a span once and in order, as the pages do, of open days and of compacted ones", async () => {
      for (let at = 0; at < count; at += 1_000) await store.write(events.slice(at, at + 1_000));
      await store.write(manyEvents(50, { homeId: "home2" }));
      const [fromUs, toUs] = [events[7]?.atUs ?? 0, events[count - 9]?.atUs ?? 0];
      const entityIds = [events[0]?.entityId ?? "", events[1]?.entityId ?? "", "sensor.none"];
      const check = async (): Promise<void> => {
        expect(await scanAll(store, { homeId: "home" })).toEqual(events);
        expect(await scanAll(store, { homeId: "home", fromUs, toUs })).toEqual(events.slice(7, count - 9));
        expect(await scanAll(store, { homeId: "home", fromUs })).toEqual(events.slice(7));
        expect(await scanAll(store, { homeId: "home", toUs })).toEqual(events.slice(0, count - 9));
        const some = events.filter(({ entityId }) => entityIds.includes(entityId));
        expect(await scanAll(store, { homeId: "home", entityIds })).toEqual(some);
      };
      await check();
      await store.compact("home", SOME_TIME_US + 2 * DAY_US);
      store = await under.reopen();
      await check();
      expect(await scanAll(store, { homeId: "home2" })).toEqual(manyEvents(50, { homeId: "home2" }));
    }, 120_000);

    it("gives nothing for an unknown home, no entities, and a span without events", async () => {
      await store.write(manyEvents(10));
      expect(await scanAll(store, { homeId: "nobody" })).toEqual([]);
      expect(await scanAll(store, { homeId: "home", entityIds: [] })).toEqual([]);
      expect(await scanAll(store, { homeId: "home", toUs: SOME_TIME_US })).toEqual([]);
      expect(await scanAll(store, { homeId: "home", fromUs: SOME_TIME_US, toUs: SOME_TIME_US })).toEqual([]);
      expect(await scanAll(store, { homeId: "home", fromUs: SOME_TIME_US + 1, toUs: SOME_TIME_US })).toEqual([]);
    });

    it("gives of one moment a state and its removal, many entities, and of two writes the one that knows more", async () => {
      const moment = Array.from({ length: 40 }, (_, index) => buildEvent({ entityId: `light.l${index}` }));
      const removal = buildEvent({ entityId: "light.l3", kind: "removed", state: "", attributes: {} });
      await store.write(moment.map((event) => ({ ...event, kind: "snapshot" as const, areaId: "old" })));
      await store.write([removal, ...moment]);
      expect(await scanAll(store, { homeId: "home" })).toEqual([...moment, removal].sort(compareEvents));
    });

    it("ends when nobody asks for more, and leaves nothing open", async () => {
      await store.write(events.slice(0, 300));
      for await (const piece of store.scan({ homeId: "home" })) {
        expect(piece[0]).toEqual(events[0]);
        break;
      }
      const unread = store.scan({ homeId: "home" });
      await store.write(events.slice(300, 301));
      expect(await scanAll(store, { homeId: "home" })).toEqual(events.slice(0, 301));
      expect(unread).toBeDefined();
    });

    it("misses nothing that was there before, whatever is written and compacted meanwhile", async () => {
      for (let at = 0; at < count; at += 1_000) await store.write(events.slice(at, at + 1_000));
      const found: string[] = [];
      let pieces = 0;
      for await (const piece of store.scan({ homeId: "home" })) {
        found.push(...piece.map(naturalKey));
        pieces++;
        const late = buildEvent({ entityId: "light.late", atUs: SOME_TIME_US + pieces * 1_000_003 });
        await Promise.all([store.write([late]), store.compact("home", SOME_TIME_US + (pieces % 4) * DAY_US)]);
      }
      const late = new Set(found.filter((key) => key.includes("light.late")));
      expect(found.filter((key) => !late.has(key))).toEqual(events.map(naturalKey));
      const all = await readAll(store, { homeId: "home", order: "asc", limit: 1_000 });
      expect(await scanAll(store, { homeId: "home" })).toEqual(all);
    }, 120_000);
  });
}
