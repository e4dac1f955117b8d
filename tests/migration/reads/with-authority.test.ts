import { describe, expect, it } from "vitest";
import { HearthlineError } from "../../../lib/base/errors.ts";
import type { OldLimits, Pointer, ReadPair } from "../../../lib/migration/ports.ts";
import { bucketOf } from "../../../lib/migration/reads/authority.ts";
import { createBackground } from "../../../lib/migration/reads/background.ts";
import { HUNG_MS } from "../../../lib/migration/reads/hung-old.ts";
import { ROWS_MAX } from "../../../lib/migration/reads/old-side.ts";
import { type AuthorityOptions, type Reading, withAuthority } from "../../../lib/migration/reads/with-authority.ts";
import type { RangeQuery } from "../../../lib/store/ports.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { fakeNew, fakeOld, pointer, quiet } from "./fakes.ts";

const START_US = SOME_TIME_US;
const latest: RangeQuery = { homeId: "home", entityIds: ["light.bed_light"], order: "desc", limit: 1 };

/** Both sides with the same ten events, an hour old; OLD's say `import`. */
async function setUp(
  held: Pointer | undefined,
  given: Partial<AuthorityOptions> & { limits?: Partial<OldLimits> } = {},
) {
  const clock = manualClock(START_US / 1000 + 3_600_000);
  const [old, made] = [fakeOld(given.limits), fakeNew()];
  const events = Array.from({ length: 10 }, (_, i) => buildEvent({ atUs: START_US + i * 1_000_000, state: String(i) }));
  await old.write(events);
  await made.store.write(events);
  const pairs: ReadPair[] = [];
  const state = {
    pointer: held,
    renewed: undefined as Pointer | undefined,
    reading: undefined as Reading | undefined,
  };
  const background = createBackground({ clock, log: quiet });
  const store = withAuthority(made.events, {
    pointers: { get: () => state.pointer, renew: async () => state.renewed ?? state.pointer },
    oldOf: () => old,
    clock,
    random: () => 0.5,
    log: quiet,
    background,
    onPair: (_homeId, _id, pair) => pairs.push(pair),
    reading: () => state.reading,
    ...given,
  });
  return { clock, old, made, store, pairs, state, events, background };
}

const always = (found: Pointer | undefined) => ({ get: async () => found, renew: async () => found });

const sourceOf = async (store: { range(query: RangeQuery): Promise<{ events: readonly { source: string }[] }> }) =>
  (await store.range(latest)).events[0]?.source;

describe("a store of homes that may be moving", () => {
  it("asks NEW alone where there is no migration", async () => {
    const { store, old, made, pairs } = await setUp(undefined);
    expect(await sourceOf(store)).toBe("live");
    expect([old.asked, made.asked, pairs.length]).toEqual([0, 1, 0]);
  });

  it("answers from the authority", async () => {
    expect(await sourceOf((await setUp(pointer({ authority: "old" }))).store)).toBe("import");
    expect(await sourceOf((await setUp(pointer({ authority: "new" }))).store)).toBe("live");
    const bucket = bucketOf("home", "light.bed_light", "salt");
    for (const [basisPoints, source] of [
      [bucket, "import"],
      [bucket + 1, "live"],
    ] as const)
      expect(await sourceOf((await setUp(pointer({ authority: "split", basisPoints }))).store)).toBe(source);
  });

  it("lets a moved reader read where he was moved to", async () => {
    const { store, state } = await setUp(pointer({ authority: "old", readers: { tablet: "new" } }));
    expect(await sourceOf(store)).toBe("import");
    state.reading = { reader: "tablet" };
    expect(await sourceOf(store)).toBe("live");
    state.reading = { reader: "phone" };
    expect(await sourceOf(store)).toBe("import");
  });

  it("answers all reads of a request by one pointer, and says who answered", async () => {
    const { store, state } = await setUp(pointer({ authority: "old" }));
    const request: Reading = {};
    state.reading = request;
    await store.range(latest);
    state.pointer = pointer({ authority: "new", epoch: 2 });
    expect(await sourceOf(store)).toBe("import");
    expect(request.side).toBe("old");
    const next: Reading = {};
    state.reading = next;
    expect(await sourceOf(store)).toBe("live");
    expect(next.side).toBe("new");
    const none: Reading = {};
    state.reading = none;
    state.pointer = undefined;
    await store.range(latest);
    expect(none.side).toBeUndefined();
  });

  it("asks NEW while it learns whether there is a migration at all, once", async () => {
    const found = Promise.withResolvers<Pointer | undefined>();
    const { store, made, old } = await setUp(undefined, {
      pointers: { get: () => found.promise, renew: () => found.promise },
    });
    const read = store.range(latest);
    await Promise.resolve();
    expect(made.asked).toBe(1);
    found.resolve(pointer({ authority: "new" }));
    expect((await read).events[0]?.source).toBe("live");
    expect([made.asked, old.asked]).toEqual([1, 0]);
    const none = await setUp(undefined, { pointers: always(undefined) });
    none.made.error = new Error("broken");
    await expect(none.store.range(latest)).rejects.toThrow("broken");
    const moved = await setUp(undefined, { pointers: always(pointer({ authority: "old" })) });
    moved.made.error = new Error("broken");
    expect(await sourceOf(moved.store)).toBe("import");
  });

  it("makes windows of OLD's rows", async () => {
    const { store, old, made } = await setUp(pointer({ authority: "old" }));
    const query = {
      homeId: "home",
      entityIds: ["light.bed_light", "light.none"],
      edges: [START_US + 2_500_000, START_US + 6_500_000, START_US + 20_000_000],
    };
    expect(await store.aggregate(query)).toEqual(await made.store.aggregate(query));
    expect(old.asked).toBeGreaterThan(0);
    expect(made.asked).toBe(0);
  });

  it("makes no windows of more of OLD's rows than anybody waits for: NEW makes them, where it is whole", async () => {
    const { store, old, made } = await setUp(pointer({ authority: "old", isNewComplete: false }));
    const full = Array.from({ length: 1_000 }, (_, i) => buildEvent({ atUs: START_US + i }));
    old.range = async (query) => {
      old.asked++;
      const [first] = full;
      return first ? { events: full, next: { ...first, removed: false } } : old.store.range(query);
    };
    const query = { homeId: "home", entityIds: ["light.bed_light"], edges: [START_US, START_US + 60_000_000] };
    await expect(store.aggregate(query)).rejects.toMatchObject({ code: "service_timeout" });
    expect([old.asked, made.asked]).toEqual([ROWS_MAX / 1_000, 0]);
  });

  it("asks NEW for areas and devices, which OLD does not know", async () => {
    const { store, old, made } = await setUp(pointer({ authority: "old", shadowBasisPoints: 10_000 }));
    await store.range({ homeId: "home", areaId: "kitchen", order: "desc", limit: 10 });
    await store.range({ homeId: "home", deviceId: "d", order: "desc", limit: 10 });
    expect([old.asked, made.asked]).toEqual([0, 2]);
  });
});

describe("an authority that fails", () => {
  const down = new Error("down");

  it("is stood in for by NEW where NEW has the past, by OLD while that gets everything", async () => {
    const old = await setUp(pointer({ authority: "old", isNewComplete: true }));
    old.old.error = down;
    const request: Reading = {};
    old.state.reading = request;
    expect(await sourceOf(old.store)).toBe("live");
    expect(request.side).toBe("new");
    // Rampdown: nobody is asked of it any more, and it is there for whoever has no other answer; which counts as a read of OLD.
    const made = await setUp(pointer({ authority: "new", shadowBasisPoints: 0, isOldComplete: true }));
    made.made.error = down;
    const late: Reading = {};
    made.state.reading = late;
    expect(await sourceOf(made.store)).toBe("import");
    expect(late.side).toBe("old");
  });

  it("that hangs costs one reader its time-out: then NEW is asked first for a while, where it may answer, and one read finds out whether OLD is back", async () => {
    const { store, old, state, clock } = await setUp(pointer({ authority: "old", isNewComplete: true }));
    old.error = new HearthlineError("service_timeout", "OLD gave no answer within 10000 ms.");
    expect([await sourceOf(store), old.asked]).toEqual(["live", 1]);
    expect([await sourceOf(store), old.asked]).toEqual(["live", 1]);
    // Nobody else stands in for it there.
    state.pointer = pointer({ authority: "old", isNewComplete: false });
    await expect(store.range(latest)).rejects.toThrow("no answer");
    expect(old.asked).toBe(2);
    state.pointer = pointer({ authority: "old", isNewComplete: true });
    await clock.advance(HUNG_MS);
    const [first, second] = await Promise.all([sourceOf(store), sourceOf(store)]);
    expect([first, second, old.asked]).toEqual(["live", "live", 3]);
    old.error = undefined;
    await clock.advance(HUNG_MS);
    expect([await sourceOf(store), await sourceOf(store), old.asked]).toEqual(["import", "import", 5]);
  });

  it("that refuses is asked by each reader: it costs them nothing, and it may be back", async () => {
    const { store, old } = await setUp(pointer({ authority: "old", isNewComplete: true }));
    old.error = new HearthlineError("service_unreachable", "Nobody is there.");
    expect([await sourceOf(store), await sourceOf(store), old.asked]).toEqual(["live", "live", 2]);
  });

  it("is not stood in for by a NEW without the past, nor by an OLD that gets nothing any more", async () => {
    const old = await setUp(pointer({ authority: "old", isNewComplete: false }));
    old.old.error = down;
    await expect(old.store.range(latest)).rejects.toThrow("down");
    const made = await setUp(pointer({ authority: "new", shadowBasisPoints: 0, isOldComplete: false }));
    made.made.error = down;
    await expect(made.store.range(latest)).rejects.toThrow("down");
    expect(made.old.asked).toBe(0);
  });

  it("is stood in for by the pointer of now: the read's may be as old as the time-out that it has waited for", async () => {
    const { store, old, made, state } = await setUp(pointer({ authority: "old", isNewComplete: false }));
    old.error = new HearthlineError("service_timeout", "OLD gave no answer within 10000 ms.");
    state.renewed = pointer({ epoch: 2, authority: "old", isNewComplete: true });
    expect([await sourceOf(store), made.asked]).toEqual(["live", 1]);
    // Another migration's says nothing of this OLD.
    state.renewed = pointer({ migrationId: "m2", isNewComplete: true });
    await expect(store.range(latest)).rejects.toThrow("no answer");
  });

  it("is its own error when both fail, and the pair has both", async () => {
    const { store, old, made, pairs } = await setUp(pointer({ authority: "old", shadowBasisPoints: 10_000 }));
    old.error = down;
    made.error = new TypeError("worse");
    await expect(store.range(latest)).rejects.toThrow("down");
    expect(pairs).toMatchObject([{ by: "shadow", query: "latest", oldError: "Error", newError: "TypeError", rows: 0 }]);
    expect(pairs[0]).not.toHaveProperty("isEqual");
  });

  it("stands in a pair with its error", async () => {
    const { store, old, pairs } = await setUp(pointer({ authority: "old", shadowBasisPoints: 10_000 }));
    old.error = down;
    await store.range(latest);
    expect(pairs).toMatchObject([{ oldError: "Error", newMs: expect.any(Number), rows: 1 }]);
  });

  it("counts in no pair where such a read would have been in none: errors would look more than they are", async () => {
    const { store, old, pairs } = await setUp(pointer({ authority: "old", shadowBasisPoints: 4_999 }));
    old.error = down;
    await store.range(latest);
    expect(pairs).toEqual([]);
  });

  it("that cannot even be opened is stood in for", async () => {
    const { store } = await setUp(pointer({ authority: "old" }), {
      oldOf: () => {
        throw down;
      },
    });
    expect(await sourceOf(store)).toBe("live");
  });
});

describe("shadow reads", () => {
  it("ask the other side when the caller has his answer, and compare", async () => {
    const { clock, store, old, made, pairs, background } = await setUp(
      pointer({ authority: "old", shadowBasisPoints: 10_000 }),
    );
    await store.range(latest);
    expect([old.asked, made.asked, pairs.length]).toEqual([1, 0, 0]);
    await clock.advance(1_000);
    await background.idle();
    expect(made.asked).toBe(1);
    expect(pairs).toMatchObject([{ by: "shadow", query: "latest", rows: 1, isEqual: true, oldMs: 0, newMs: 0 }]);
  });

  it("leave no mark that OLD was read: only an answer of OLD that a reader was given does", async () => {
    const marks: unknown[] = [];
    const onOldRead = (...mark: unknown[]) => marks.push(mark);
    const shadowed = { shadowBasisPoints: 10_000 } as const;
    const byNew = await setUp(pointer({ authority: "new", ...shadowed }), { onOldRead });
    await byNew.store.range(latest);
    await byNew.clock.advance(1_000);
    await byNew.background.idle();
    expect([byNew.old.asked, marks]).toEqual([1, []]);

    const byOld = await setUp(pointer({ authority: "old", ...shadowed }), { onOldRead });
    byOld.old.error = new Error("down");
    await byOld.store.range(latest);
    expect(marks).toEqual([]);
    byOld.old.error = undefined;
    byOld.state.reading = { reader: "tablet" };
    await byOld.store.range(latest);
    expect(marks).toEqual([["home", "m1", "tablet"]]);
  });

  it("are as many as the plan says", async () => {
    let at = 0;
    const { clock, store, pairs } = await setUp(pointer({ authority: "new", shadowBasisPoints: 2_500 }), {
      random: () => (at++ % 100) / 100,
    });
    for (let i = 0; i < 200; i++) {
      await store.range(latest);
      await clock.advance(1_000);
    }
    expect(pairs).toHaveLength(50);
  });

  it.each(["old", "new"] as const)(
    "never delay or fail the caller, whatever the side beside %s does",
    async (authority) => {
      const { clock, store, old, made, pairs } = await setUp(pointer({ authority, shadowBasisPoints: 10_000 }));
      if (authority === "old") made.error = new Error("down");
      else old.hangs = true;
      for (let i = 0; i < 50; i++) expect((await store.range(latest)).events).toHaveLength(1);
      await clock.advance(60_000);
      expect(pairs.length).toBeGreaterThan(0);
      const isOfOther = (pair: ReadPair) =>
        authority === "old" ? pair.newError === "Error" && pair.oldMs === 0 : pair.oldError === "service_timeout";
      expect(pairs.every(isOfOther)).toBe(true);
    },
  );

  it("find a difference, and look twice before they say so", async () => {
    const { clock, store, made, pairs } = await setUp(pointer({ authority: "old", shadowBasisPoints: 10_000 }));
    const query: RangeQuery = { homeId: "home", order: "asc", limit: 100 };
    await made.store.write([buildEvent({ atUs: START_US + 3_500_000, state: "only NEW's" })]);
    await store.range(query);
    await clock.advance(1_000);
    expect(pairs).toMatchObject([{ query: "range", isEqual: false }]);
    expect(made.asked).toBe(2);
    await made.store.prune("home", START_US + 4_000_000);
    await store.aggregate({ homeId: "home", entityIds: ["light.bed_light"], edges: [START_US, START_US + 60_000_000] });
    await clock.advance(1_000);
    expect(pairs[1]).toMatchObject({ query: "aggregate", rows: 1, isEqual: false });
  });

  it("leave alone what is younger than both sides can be sure of", async () => {
    const { clock, store, made, pairs } = await setUp(pointer({ authority: "old", shadowBasisPoints: 10_000 }));
    await made.store.write([buildEvent({ atUs: (clock.nowMs() - 119_000) * 1000, state: "on its way to OLD" })]);
    await store.range({ homeId: "home", order: "desc", limit: 100 });
    await clock.advance(1_000);
    expect(pairs).toMatchObject([{ isEqual: true }]);
  });

  it("are not made at all where there is no background", async () => {
    const { clock, store, made, pairs } = await setUp(pointer({ authority: "old", shadowBasisPoints: 10_000 }), {
      background: undefined,
    });
    await store.range(latest);
    await clock.advance(1_000);
    expect([made.asked, pairs.length]).toEqual([0, 0]);
  });
});
