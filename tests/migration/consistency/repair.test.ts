import { beforeEach, describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { createRepair, type RepairSource } from "../../../lib/migration/consistency/repair.ts";
import type { Difference } from "../../../lib/migration/ports.ts";
import { buildEvent, manyEvents } from "../../support/events.ts";
import { type FakeOld, fakeOld, NO_LIMITS, rowOf } from "./support.ts";

const PAST = manyEvents(500);
const eventAt = (at: number): HomeEvent => PAST[at] as HomeEvent;
const missing = (side: "old" | "new", at: number): Difference => ({
  class: `missing-in-${side}`,
  entityId: eventAt(at).entityId,
  atUs: eventAt(at).atUs,
  ...(side === "old" && { new: eventAt(at).state }),
  foundUs: 1,
  explanation: "",
});

describe("repair", () => {
  let old: FakeOld;
  let events: ReturnType<typeof createMemoryEventStore>;
  let given: HomeEvent[];
  let spool: HomeEvent[];

  beforeEach(async () => {
    [old, events, given, spool] = [fakeOld(PAST.map(rowOf)), createMemoryEventStore(), [], []];
    await events.write(PAST);
  });

  const repair = () => {
    const source: RepairSource = {
      name: "spool",
      find: async (entityId, atUs) => spool.find((event) => event.entityId === entityId && event.atUs === atUs),
    };
    return createRepair({
      ...{ homeId: "home", old, events, limits: NO_LIMITS, sources: [source] },
      eventOfRow: ({ entityId, atUs, state }) => buildEvent({ entityId, atUs, state: state ?? "", source: "import" }),
      giveToNew: async (all) => {
        given.push(...all);
        await events.write(all);
      },
    });
  };
  const loseInNew = async (...lost: number[]) => {
    events = createMemoryEventStore();
    await events.write(PAST.filter((_, at) => !lost.includes(at)));
  };

  it("plans without changing anything: from the best source that has it, and says why not", async () => {
    await loseInNew(1, 2, 3);
    spool = [eventAt(1)];
    old.rows = old.rows.filter(({ atUs }) => atUs !== eventAt(3).atUs && atUs !== eventAt(4).atUs);
    const different: Difference = { ...missing("new", 9), class: "different" };
    const plan = await repair().plan([
      missing("new", 1),
      missing("new", 2),
      missing("new", 3),
      missing("old", 4),
      different,
    ]);
    expect(plan.actions.map(({ to, from, event }) => [to, from, event.atUs])).toEqual([
      ["new", "spool", eventAt(1).atUs],
      ["new", "old", eventAt(2).atUs],
      ["old", "new", eventAt(4).atUs],
    ]);
    expect(plan.left.map(({ difference }) => difference.class)).toEqual(["missing-in-new", "different"]);
    expect(plan.words).toContain("1 events are sent again from spool to new.");
    expect(given).toEqual([]);
    expect(old.rows.length).toBe(498);
  });

  it("sends both ways in bounded batches, looks again, and changes nothing when it is done twice", async () => {
    const lost = Array.from({ length: 250 }, (_, at) => at);
    await loseInNew(...lost);
    old.rows = old.rows.filter(({ atUs }) => atUs !== eventAt(400).atUs);
    const { plan, apply } = repair();
    const planned = await plan([...lost.map((at) => missing("new", at)), missing("old", 400)]);
    const first = await apply(planned);
    expect([first.repaired.length, first.open.length, first.next]).toEqual([200, 0, 200]);
    const second = await apply(planned, first.next);
    expect([second.repaired.length, second.next]).toEqual([51, undefined]);
    expect(second.repaired.every(({ isRepaired }) => isRepaired === true)).toBe(true);
    const pages = [...(await events.range({ homeId: "home", order: "asc", limit: 1_000 })).events];
    await apply(planned);
    expect((await events.range({ homeId: "home", order: "asc", limit: 1_000 })).events).toEqual(pages);
    expect([pages.length, old.rows.length]).toEqual([500, 500]);
  });

  it("looks, and tells what is there by now from what differs still", async () => {
    await loseInNew(1);
    const { look } = repair();
    const looked = await look([missing("new", 1), missing("new", 2), missing("old", 4)]);
    expect(looked.open).toEqual([missing("new", 1)]);
    expect(looked.there).toEqual([missing("new", 2), missing("old", 4)].map((one) => ({ ...one, isRepaired: true })));
    expect(given).toEqual([]);
  });

  it("says of what was refused, or is not there afterwards, that it is open", async () => {
    await loseInNew(1);
    old.rows = old.rows.filter(({ atUs }) => atUs !== eventAt(4).atUs);
    old.write = async (all) => ({ taken: 0, refused: all.map((event) => ({ event, reason: "full" })) });
    const { plan, apply } = repair();
    const planned = await plan([missing("old", 4), missing("new", 1)]);
    events.write = async () => {};
    const outcome = await apply(planned);
    expect(outcome.repaired).toEqual([]);
    expect(outcome.open.map(({ reason }) => reason)).toEqual(["full", "sent, and not there yet"]);
  });
});
