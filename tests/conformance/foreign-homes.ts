import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isHearthlineError } from "../../lib/base/errors.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import type { EventStore, RangeQuery } from "../../lib/store/ports.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";
import { nastyTexts } from "../tenancy/nasty.ts";
import { type EventStoreUnderTest, readAll } from "./event-store-support.ts";

const HOME = "home";
const ENTITY = "light.a";
const MINUTE_US = 60_000_000;
const EDGES = [SOME_TIME_US - MINUTE_US, SOME_TIME_US + MINUTE_US];
const TILE = {
  widthUs: 86_400_000_000,
  fromUs: Math.floor(SOME_TIME_US / 86_400_000_000) * 86_400_000_000,
  toUs: (Math.floor(SOME_TIME_US / 86_400_000_000) + 1) * 86_400_000_000,
};

export interface ForeignHomesTraits {
  /** Every so many-th text alone, for a store at the end of a wire. Default 1: all. */
  readonly every?: number;
  /** False: `prune` deletes nothing and says 0. Default: it deletes. */
  readonly isPruned?: boolean;
}

/** What a store may answer to an id that it cannot hold; anything else of ours or of others is a fault. */
async function orRefused<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (isHearthlineError(thrown) && thrown.fate !== "retry") return otherwise;
    throw thrown;
  }
}

/** Every way in which a store tells what a home has, as text. */
async function everything(store: EventStore, homeId: string, entityId = ENTITY): Promise<string> {
  const order = { order: "asc", limit: 1_000 } as const;
  const told = [
    await readAll(store, { homeId, ...order }),
    await store.stats({ homeId }),
    await store.aggregate({ homeId, entityIds: [entityId], edges: EDGES }),
    await store.tiles({ homeId, ...TILE }),
    (await store.retention(homeId)).oldestUs ?? null,
  ];
  return JSON.stringify(told, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}

/**
 * That no home's events can be reached, changed or deleted under another home's id, nor any entity's by what is no id of it. Every method of the port is called with ids as
 * bad as they come; ids that a store cannot hold may be refused.
 */
export function foreignHomesConformance(
  name: string,
  open: () => Promise<Pick<EventStoreUnderTest, "store" | "dispose">>,
  { every = 1, isPruned = true }: ForeignHomesTraits = {},
): void {
  const some = (texts: readonly string[]) => texts.filter((text, at) => at % every === 0 && text.isWellFormed());
  const homes = some(nastyTexts(HOME));
  const own = [0, 1, 2].map((at) =>
    buildEvent({
      ...{ homeId: HOME, entityId: at === 2 ? "light.b" : ENTITY, atUs: SOME_TIME_US + at * 1_000_000 },
      ...{ state: `secret ${at}`, value: at, areaId: "kitchen", deviceId: "lamp" },
    }),
  );

  describe(`foreign homes: ${name}`, () => {
    let store: EventStore;
    let dispose: () => Promise<void>;
    beforeEach(async () => {
      ({ store, dispose } = await open());
      await store.write(own);
    });
    afterEach(() => dispose());

    it("finds nothing under a text that only looks like the home's id, by any method", async () => {
      const nothing = await everything(store, "nobody");
      for (const homeId of homes)
        expect([homeId, await orRefused(() => everything(store, homeId), nothing)]).toEqual([homeId, nothing]);
      expect(await everything(store, HOME)).toContain("secret 0");
    });

    it("prunes and compacts nothing under such a text", async () => {
      const before = await everything(store, HOME);
      const later = SOME_TIME_US + 60 * MINUTE_US;
      for (const homeId of homes) {
        expect([homeId, await orRefused(() => store.prune(homeId, later), 0)]).toEqual([homeId, 0]);
        await orRefused(() => store.compact(homeId, later), undefined);
      }
      expect(await everything(store, HOME)).toBe(before);
    });

    it("keeps apart what is written under such a text, whatever it is asked for, and prunes it alone", async () => {
      const before = await everything(store, HOME);
      const eventsOf = (homeId: string): HomeEvent[] =>
        own.slice(0, 2).map((event, at) => ({ ...event, homeId, state: `theirs ${at}` }));
      const held: string[] = [];
      for (const homeId of homes)
        if (await orRefused(() => store.write(eventsOf(homeId)).then(() => true), false)) held.push(homeId);
      expect(held.length).toBeGreaterThan(homes.length / 2);
      expect(await everything(store, HOME)).toBe(before);
      for (const homeId of held) {
        const events = await readAll(store, { homeId, order: "asc", limit: 1 });
        expect([homeId, events]).toEqual([homeId, eventsOf(homeId)]);
        expect((await store.stats({ homeId })).map(({ entityId, count }) => [entityId, count])).toEqual([[ENTITY, 2]]);
      }
      const [first, ...others] = held;
      if (first === undefined || !isPruned) return;
      expect(await store.prune(first, SOME_TIME_US + 60 * MINUTE_US)).toBe(2);
      expect(await readAll(store, { homeId: first, order: "asc", limit: 10 })).toEqual([]);
      for (const homeId of others)
        expect([homeId, (await store.range({ homeId, order: "asc", limit: 10 })).events.length]).toEqual([homeId, 2]);
      expect(await everything(store, HOME)).toBe(before);
    });

    it("finds nothing by a filter that is none of its ids, nor by a page's end that was made up", async () => {
      const queries: ((text: string) => Partial<RangeQuery>)[] = [
        (text) => ({ entityIds: [text] }),
        (text) => ({ areaId: text }),
        (text) => ({ deviceId: text }),
        (text) => ({ domain: text }),
      ];
      const known = new Set(["light", "kitchen", "lamp", ENTITY, "light.b"]);
      const texts = some(nastyTexts(ENTITY, "light", "kitchen", "lamp")).filter((text) => !known.has(text));
      for (const text of texts) {
        for (const query of queries) {
          const page = await orRefused(() => store.range({ homeId: HOME, ...query(text), order: "asc", limit: 10 }), {
            events: [],
          });
          expect([text, page.events]).toEqual([text, []]);
        }
        const asked = { homeId: HOME, entityIds: [text] };
        expect([text, await orRefused(() => store.stats(asked), [])]).toEqual([text, []]);
        const windows = await orRefused(() => store.aggregate({ ...asked, edges: EDGES }), []);
        expect([
          text,
          windows.flatMap((one) => one.windows.map(({ count }) => count)).filter((count) => count > 0),
        ]).toEqual([text, []]);
        const after = { atUs: SOME_TIME_US - 1, entityId: text, removed: false };
        const page = await orRefused(() => store.range({ homeId: "nobody", order: "asc", limit: 10, after }), {
          events: [],
        });
        expect([text, page.events]).toEqual([text, []]);
      }
    });

    it("keeps apart entities whose ids only look alike", async () => {
      const texts = some(nastyTexts(ENTITY)).filter((text) => text.length <= 255);
      const held: string[] = [];
      for (const entityId of texts) {
        const event = buildEvent({
          homeId: HOME,
          entityId,
          atUs: SOME_TIME_US,
          state: `state of ${entityId}`.slice(0, 250),
        });
        if (await orRefused(() => store.write([event]).then(() => true), false)) held.push(entityId);
      }
      expect(held.length).toBeGreaterThan(texts.length / 2);
      for (const entityId of held) {
        const { events } = await store.range({ homeId: HOME, entityIds: [entityId], order: "asc", limit: 10 });
        expect(events.map((event) => [event.entityId, event.state])).toEqual([
          [entityId, `state of ${entityId}`.slice(0, 250)],
        ]);
      }
      const { events } = await store.range({ homeId: HOME, entityIds: [ENTITY], order: "asc", limit: 10 });
      expect(events.map(({ state }) => state)).toEqual(["secret 0", "secret 1"]);
    });
  });
}
