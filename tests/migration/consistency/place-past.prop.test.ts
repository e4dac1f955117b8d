import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventOfRow } from "../../../lib/adapters/legacy/old-row.ts";
import { createMemoryEventStore } from "../../../lib/adapters/memory/event-store.ts";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { lackingIn } from "../../../lib/migration/checks/lacking.ts";
import { comparable } from "../../../lib/migration/consistency/comparable.ts";
import { compare, countedOf } from "../../../lib/migration/consistency/compare.ts";
import { placePast, type ScanNew } from "../../../lib/migration/consistency/place-past.ts";
import type { OldLimits, OldRow } from "../../../lib/migration/ports.ts";
import { tickOf } from "../../../lib/migration/precision.ts";
import { runs } from "../../support/depth.ts";
import { buildEvent } from "../../support/events.ts";
import { NO_LIMITS, sidesOf } from "./support.ts";

const HOME = "home";
const BEGIN_US = 1_790_000_000_000_000;
const SPAN = { fromUs: BEGIN_US - 2_000_000, toUs: BEGIN_US + 10_000_000 };

/** What has happened: at most one state of an entity at a microsecond; often several in a tick. */
const happened = fc
  .uniqueArray(
    fc.record({
      entityId: fc.constantFrom("sensor.a", "sensor.b"),
      atUs: fc
        .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 9 }))
        .map(([second, ms, us]) => BEGIN_US + second * 1_000_000 + ms * 1_000 + us * 7),
      state: fc.constantFrom("1", "2", "12.50", "on"),
      isHeard: fc.boolean(),
    }),
    { selector: ({ entityId, atUs }) => `${entityId} ${atUs}`, maxLength: 25 },
  )
  .map((all) => all.toSorted((a, b) => a.atUs - b.atUs));

const limitsOf = (precisionUs: number, keepsAllOfOneStamp: boolean): OldLimits => ({
  ...NO_LIMITS,
  ...{ precisionUs, keepsAllOfOneStamp },
});

/** As OLD keeps them: stamps cut; of one stamp all, or the last alone. */
function keptByOld(
  all: readonly { readonly entityId: string; readonly atUs: number; readonly state: string }[],
  { precisionUs, keepsAllOfOneStamp = false }: OldLimits,
): OldRow[] {
  const rows = all.map(({ entityId, atUs, state }) => ({ entityId, atUs: tickOf(atUs, precisionUs), state }));
  if (keepsAllOfOneStamp) return rows;
  return [...new Map(rows.map((row) => [`${row.entityId} ${row.atUs}`, row])).values()];
}

const live = ({ entityId, atUs, state }: { entityId: string; atUs: number; state: string }): HomeEvent =>
  buildEvent({ homeId: HOME, entityId, atUs, lastChangedUs: atUs, state });

async function home(all: readonly { entityId: string; atUs: number; state: string; isHeard: boolean }[]) {
  const store = createMemoryEventStore();
  await store.write(all.filter(({ isHeard }) => isHeard).map(live));
  const scan: ScanNew = (span) => store.scan({ homeId: HOME, ...span });
  const rows = async (): Promise<HomeEvent[]> => {
    const found: HomeEvent[] = [];
    for await (const piece of store.scan({ homeId: HOME, ...SPAN })) found.push(...piece);
    return found;
  };
  const bring = async (past: readonly OldRow[], limits: OldLimits) => {
    const placed = await placePast(past, limits, scan);
    await store.write(placed.map((row) => eventOfRow(row, HOME)));
    return placed;
  };
  return { store, rows, bring };
}

const anyLimits = fc.tuple(fc.constantFrom(1_000, 1_000_000), fc.boolean()).map(([us, all]) => limitsOf(us, all));

/** How often an entity has a state within a tick. */
function tally(rows: readonly (HomeEvent | OldRow)[], limits: OldLimits): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const said = comparable(row, limits);
    const key = `${said?.entityId} ${said?.atUs} ${said?.text}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe("OLD's past at cut stamps, beside what NEW has heard itself", () => {
  it("never stands there beside the same live event, and nothing of OLD is missing", () =>
    fc.assert(
      fc.asyncProperty(happened, anyLimits, async (all, limits) => {
        const { rows, bring } = await home(all);
        const past = keptByOld(all, limits);
        await bring(past, limits);
        const found = await rows();
        const [truth, inNew] = [tally(all, limits), tally(found, limits)];
        for (const [key, count] of inNew) expect(count).toBeLessThanOrEqual(truth.get(key) ?? 0);
        for (const key of tally(past, limits).keys()) expect(inNew.get(key) ?? 0).toBeGreaterThan(0);
        // What NEW heard stays as it heard it, to the microsecond.
        const stays = found
          .filter(({ source }) => source !== "import")
          .map(({ entityId, atUs }) => `${entityId} ${atUs}`);
        const heard = all.filter(({ isHeard }) => isHeard).map(({ entityId, atUs }) => `${entityId} ${atUs}`);
        expect(stays.toSorted()).toEqual(heard.toSorted());
      }),
      { numRuns: runs(150) },
    ));

  it("is no difference to the comparison", () =>
    fc.assert(
      fc.asyncProperty(happened, anyLimits, async (all, limits) => {
        const { rows, bring } = await home(all);
        const past = keptByOld(all, limits);
        await bring(past, limits);
        const sides = sidesOf({ old: past, new: await rows() }, limits);
        const { counts } = await compare(sides, SPAN, { tileUs: 1_000_000, examplesMax: 10 });
        expect(countedOf(counts)).toBe(0);
      }),
      { numRuns: runs(150) },
    ));

  it("comes to the same when it is brought again, whole or in parts that end between ticks", () =>
    fc.assert(
      fc.asyncProperty(happened, anyLimits, fc.integer({ min: 0, max: 4 }), async (all, limits, second) => {
        const once = await home(all);
        const past = keptByOld(all, limits);
        await once.bring(past, limits);
        const first = (await once.rows()).map(({ context: _, ...row }) => row);
        await once.bring(past, limits);
        expect((await once.rows()).map(({ context: _, ...row }) => row)).toEqual(first);
        const parts = await home(all);
        const cutUs = BEGIN_US + second * 1_000_000;
        await parts.bring(
          past.filter(({ atUs }) => atUs < cutUs),
          limits,
        );
        await parts.bring(past, limits);
        expect((await parts.rows()).map(({ context: _, ...row }) => row)).toEqual(first);
      }),
      { numRuns: runs(100) },
    ));

  it("stays in the order of time of each entity", () =>
    fc.assert(
      fc.asyncProperty(happened, anyLimits, async (all, limits) => {
        const { bring } = await home(all);
        const placed = await bring(keptByOld(all, limits), limits);
        for (const own of Map.groupBy(placed, ({ entityId }) => entityId).values())
          expect(own.map(({ atUs }) => atUs)).toEqual(own.map(({ atUs }) => atUs).toSorted((a, b) => a - b));
      }),
      { numRuns: runs(100) },
    ));
});

describe("attributes at one cut stamp", () => {
  const limits: OldLimits = { ...limitsOf(1_000, true), attributes: "full" };
  const heard = buildEvent({
    homeId: HOME,
    entityId: "sensor.a",
    atUs: BEGIN_US + 456,
    state: "1",
    attributes: { a: 1 },
  });
  const rowWith = (a: number): OldRow => ({ entityId: "sensor.a", atUs: BEGIN_US, state: "1", attributes: { a } });
  const place = async (...attributes: number[]) => {
    const scan: ScanNew = async function* () {
      yield [heard];
    };
    return (await placePast(attributes.map(rowWith), limits, scan)).map(({ atUs }) => atUs - BEGIN_US);
  };

  it("of which the owner leaves some at home, make it no other event; but each event of NEW is one row only", async () => {
    expect(await place(2)).toEqual([456]);
    expect(await place(1, 2)).toEqual([0, 456]);
    expect(await place(2, 3)).toEqual([0, 456]);
  });
});

describe("what OLD lacks at cut stamps", () => {
  it("is nothing when it has the last state of each tick, wherever the span ends", () =>
    fc.assert(
      fc.asyncProperty(
        happened,
        fc.constantFrom(1_000, 1_000_000),
        fc.integer({ min: 0, max: 4_000_000 }),
        fc.integer({ min: 1, max: 4_000_000 }),
        async (all, precisionUs, beginUs, lengthUs) => {
          const limits = limitsOf(precisionUs, false);
          const { store } = await home(all.map((one) => ({ ...one, isHeard: true })));
          const past = keptByOld(all, limits);
          const old = {
            limits,
            scan: async function* ({ fromUs, toUs }: { fromUs: number; toUs: number }) {
              yield past.filter(({ atUs }) => atUs >= fromUs && atUs < toUs);
            },
          };
          const fromUs = BEGIN_US + beginUs;
          const found = await lackingIn({ homeId: HOME, fromUs, toUs: fromUs + lengthUs }, { store, old });
          expect([found.byOld, found.byNew.count]).toEqual([[], 0]);
          expect(found.toUs).toBeGreaterThanOrEqual(fromUs + lengthUs);
        },
      ),
      { numRuns: runs(150) },
    ));
});
