import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { comparable } from "../../../lib/migration/consistency/comparable.ts";
import type { OldLimits, Pointer, ReadPair } from "../../../lib/migration/ports.ts";
import { createBackground } from "../../../lib/migration/reads/background.ts";
import { withAuthority } from "../../../lib/migration/reads/with-authority.ts";
import type { Position, RangeQuery } from "../../../lib/store/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { fakeNew, fakeOld, limits, pointer, quiet } from "./fakes.ts";
import { ENTITIES, FROM_US, someEvents, someLimits } from "./homes.ts";

/** What happens between two pages: who is the authority now, and which side is down. */
const someStep = fc.record({
  authority: fc.constantFrom<Pointer["authority"]>("old", "split", "new"),
  basisPoints: fc.integer({ min: 0, max: 10_000 }),
  down: fc.constantFrom("none", "none", "old", "new", "both"),
});
type Step = typeof someStep extends fc.Arbitrary<infer S> ? S : never;

const someQuery = fc.record({
  entityIds: fc.option(fc.subarray(ENTITIES, { minLength: 1 }), { nil: undefined }),
  fromMs: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  toMs: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  order: fc.constantFrom("asc" as const, "desc" as const),
  limit: fc.integer({ min: 1, max: 7 }),
});

const queryOf = ({
  entityIds,
  fromMs,
  toMs,
  order,
  limit,
}: typeof someQuery extends fc.Arbitrary<infer Q> ? Q : never) =>
  ({
    homeId: "home",
    ...(entityIds && { entityIds }),
    ...(fromMs !== undefined && { fromUs: FROM_US + fromMs * 1_000 }),
    ...(toMs !== undefined && { toUs: FROM_US + toMs * 1_000 }),
    order,
    limit,
  }) satisfies RangeQuery;

async function sides(events: readonly HomeEvent[], given: Partial<OldLimits>, steps: readonly Step[]) {
  const clock = manualClock(FROM_US / 1000 + 3_600_000);
  const [old, made] = [fakeOld(given), fakeNew()];
  await old.write(events);
  await made.store.write(events);
  const pairs: ReadPair[] = [];
  const [first] = steps;
  let now = pointer();
  const go = (step: Step | undefined) => {
    const down = new Error("down");
    old.error = step?.down === "old" || step?.down === "both" ? down : undefined;
    made.error = step?.down === "new" || step?.down === "both" ? down : undefined;
    if (step) now = { ...now, ...step, epoch: now.epoch + 1, shadowBasisPoints: 10_000 };
  };
  go(first);
  const background = createBackground({ clock, log: quiet, restMs: 0, waitingMax: 1_000, rowsMax: 100_000 });
  const store = withAuthority(made.events, {
    pointers: { get: () => now, renew: async () => now },
    oldOf: () => old,
    clock,
    random: () => 0,
    log: quiet,
    background,
    onPair: (_homeId, _id, pair) => pairs.push(pair),
  });
  return { clock, made, store, pairs, go };
}

/** Reads all pages; something happens before each. Whoever gets an error asks for the same page again. In the end all is well. */
async function readAll(
  { store, go }: Pick<Awaited<ReturnType<typeof sides>>, "store" | "go">,
  query: RangeQuery,
  steps: readonly Step[],
): Promise<HomeEvent[]> {
  const found: HomeEvent[] = [];
  let after: Position | undefined;
  for (let at = 0; at < 500; at++) {
    go(steps[at]);
    if (at >= steps.length) go(undefined);
    const page = await store.range({ ...query, ...(after && { after }) }).catch(() => undefined);
    if (!page) continue;
    found.push(...page.events);
    if (!page.next) return found;
    after = page.next;
  }
  throw new Error("The pages do not end.");
}

const textsOf = (events: readonly HomeEvent[], held: OldLimits) =>
  events.flatMap((event) => {
    const row = comparable({ ...event, source: "live" }, held);
    return row ? [`${row.atUs} ${row.entityId} ${row.text}`] : [];
  });

/** Not one of NEW's that lies on a whole tick by chance, beside others of that tick (positions.ts says what becomes of those). */
const isTellable = ({ atUs }: HomeEvent, all: readonly HomeEvent[]): boolean =>
  atUs % 1_000 !== 0 || all.every((other) => other.atUs - (other.atUs % 1_000) !== atUs || other.atUs === atUs);

describe("pages of a home that is moving", () => {
  it("are those of one perfect store, whatever changes and fails between them", async () => {
    await fc.assert(
      fc.asyncProperty(
        someEvents,
        someLimits,
        someQuery,
        fc.array(someStep, { maxLength: 12, size: "max" }),
        async (events, given, query, steps) => {
          const home = await sides(events, given, steps);
          const asked = queryOf(query);
          const found = await readAll(home, asked, steps);
          const perfect = await home.made.store.range({ ...asked, limit: 1_000 });
          expect(textsOf(found, limits(given))).toEqual(textsOf(perfect.events, limits(given)));
          // And nobody says that the two differ, or was not counted.
          await home.clock.advance(3_600_000);
          expect(home.pairs.filter(({ isEqual }) => isEqual === false)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("of an OLD with coarse stamps leave nothing out, stay in order of its ticks, and end", async () => {
    await fc.assert(
      fc.asyncProperty(
        someEvents,
        someLimits,
        someQuery,
        fc.array(someStep, { maxLength: 12, size: "max" }),
        async (all, given, query, steps) => {
          const events = all.filter((event) => isTellable(event, all));
          const coarse = { ...given, precisionUs: 1_000 };
          const home = await sides(events, coarse, steps);
          const asked = queryOf(query);
          const found = await readAll(home, asked, steps);
          const perfect = await home.made.store.range({ ...asked, limit: 1_000 });
          const place = (text: string) => text.split(" ").slice(0, 2).join(" ");
          const texts = textsOf(found, limits(coarse));
          const wanted = textsOf(perfect.events, limits(coarse));
          expect(new Set(texts.map(place))).toEqual(new Set(wanted.map(place)));
          expect(texts.filter((text) => !wanted.includes(text))).toEqual([]);
          const ticks = texts.map((text) => Number(text.split(" ")[0]));
          const ordered = ticks.toSorted((a, b) => (asked.order === "asc" ? a - b : b - a));
          expect(ticks).toEqual(ordered);
          await home.clock.advance(3_600_000);
          expect(home.pairs.filter(({ isEqual }) => isEqual === false)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("give the same windows on both sides", async () => {
    await fc.assert(
      fc.asyncProperty(someEvents, someStep, async (events, step) => {
        const home = await sides(events, {}, [{ ...step, down: "none" }]);
        const edges = [FROM_US + 500, FROM_US + 2_000, FROM_US + 4_999];
        const query = { homeId: "home", entityIds: ENTITIES, edges };
        expect(await home.store.aggregate(query)).toEqual(await home.made.store.aggregate(query));
      }),
    );
  });
});

describe("the comparison of two answers", () => {
  it("finds a fault in what both cover, and nothing where there is none", async () => {
    await fc.assert(
      fc.asyncProperty(
        someEvents,
        fc.constantFrom(1, 1_000),
        fc.constantFrom("asc" as const, "desc" as const),
        fc.nat(),
        async (events, precisionUs, order, at) => {
          const home = await sides(events, { precisionUs }, [
            { authority: at % 2 === 0 ? "old" : "new", basisPoints: 0, down: "none" },
          ]);
          const query: RangeQuery = { homeId: "home", order, limit: 1_000 };
          await home.store.range(query);
          await home.clock.advance(1_000);
          expect(home.pairs).toMatchObject([{ isEqual: true }]);
          const victim = events[at % Math.max(1, events.length)];
          if (!victim || victim.kind === "removed") return;
          await home.made.store.write([{ ...victim, state: `${victim.state}!` }]);
          // Of several in one tick, OLD may have kept another.
          const tickOf = ({ atUs, entityId }: HomeEvent) => `${atUs - (atUs % precisionUs)} ${entityId}`;
          const isAlone = events.filter((event) => tickOf(event) === tickOf(victim)).length === 1;
          await home.store.range(query);
          await home.clock.advance(1_000);
          if (isAlone) expect(home.pairs[1]).toMatchObject({ isEqual: false });
        },
      ),
    );
  });
});
