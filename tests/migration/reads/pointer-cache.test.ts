import { describe, expect, it } from "vitest";
import type { Pointer } from "../../../lib/migration/ports.ts";
import {
  createPointerCache,
  FRESH_MS,
  NONE_FRESH_MS,
  SILENCE_MS,
  WAIT_MS,
} from "../../../lib/migration/reads/pointer-cache.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { pointer, quiet } from "./fakes.ts";

function setUp(first: Pointer | undefined) {
  const clock = manualClock();
  const warned: string[] = [];
  const store = {
    looks: 0,
    held: first,
    error: undefined as Error | undefined,
    hangs: false,
    pointer: async () => {
      store.looks++;
      if (store.hangs) return new Promise<never>(() => {});
      if (store.error) throw store.error;
      return store.held;
    },
  };
  const cache = createPointerCache({
    store,
    clock,
    log: { ...quiet, warn: (message: string) => warned.push(message) },
  });
  return { clock, store, cache, warned };
}

const away = new Error("away");
const isNow = (given: unknown): boolean => !(given instanceof Promise);

describe("the pointer cache", () => {
  it("waits for the very first look, and only for that", async () => {
    const { clock, store, cache } = setUp(pointer());
    const first = cache.get("home");
    expect(isNow(first)).toBe(false);
    expect(await first).toEqual(pointer());
    for (let i = 0; i < 20; i++) {
      expect(isNow(cache.get("home"))).toBe(true);
      await clock.advance(500);
    }
    // At 0, then once every 2 s and a little.
    expect(store.looks).toBeGreaterThanOrEqual(4);
    expect(store.looks).toBeLessThanOrEqual(6);
  });

  it("is renewed by a look that begins now, which never takes long and never fails", async () => {
    const { clock, store, cache } = setUp(pointer());
    await cache.get("home");
    await clock.advance(10);
    store.held = pointer({ epoch: 2 });
    expect(cache.get("home")).toEqual(pointer());
    expect(await cache.renew("home")).toEqual(pointer({ epoch: 2 }));
    expect(cache.get("home")).toEqual(pointer({ epoch: 2 }));
    await clock.advance(10);
    store.hangs = true;
    const late = cache.renew("home");
    await clock.advance(WAIT_MS);
    expect(await late).toEqual(pointer({ epoch: 2 }));
    const broken = setUp(pointer());
    await broken.cache.get("home");
    await broken.clock.advance(10);
    broken.store.error = away;
    expect([await broken.cache.renew("home"), await broken.cache.renew("home")]).toEqual([pointer(), pointer()]);
    // One look: the next is not at once.
    expect(broken.store.looks).toBe(2);
  });

  it("waits after a silence also where the last look before it failed", async () => {
    const { clock, store, cache } = setUp(pointer());
    await cache.get("home");
    await clock.advance(FRESH_MS + 1);
    store.error = away;
    void cache.get("home");
    await clock.advance(10);
    store.error = undefined;
    store.held = pointer({ epoch: 9 });
    await clock.advance(SILENCE_MS + FRESH_MS);
    expect(await cache.get("home")).toEqual(pointer({ epoch: 9 }));
  });

  it("looks once for many reads at a time", async () => {
    const { store, cache } = setUp(pointer());
    await Promise.all(Array.from({ length: 100 }, () => cache.get("home")));
    expect(store.looks).toBe(1);
  });

  it("sees a change within the cache time and the next read", async () => {
    const { clock, store, cache } = setUp(pointer({ authority: "new", epoch: 1 }));
    await cache.get("home");
    store.held = pointer({ authority: "old", epoch: 2 });
    await clock.advance(FRESH_MS + 1);
    expect(cache.get("home")).toMatchObject({ epoch: 1 });
    await clock.advance(0);
    expect(cache.get("home")).toMatchObject({ epoch: 2 });
  });

  it("believes for longer that there is no migration, and notices one within seconds", async () => {
    const { clock, store, cache } = setUp(undefined);
    expect(await cache.get("home")).toBeUndefined();
    store.held = pointer();
    await clock.advance(NONE_FRESH_MS - 1);
    expect(cache.get("home")).toBeUndefined();
    expect(store.looks).toBe(1);
    await clock.advance(2);
    expect(cache.get("home")).toBeUndefined();
    await clock.advance(0);
    expect(cache.get("home")).toEqual(pointer());
  });

  it("looks before it answers when it has been silent: nothing old decides after a night", async () => {
    const { clock, store, cache } = setUp(pointer({ authority: "new", epoch: 1 }));
    await cache.get("home");
    store.held = pointer({ authority: "old", epoch: 2 });
    await clock.advance(SILENCE_MS + 1);
    expect(await cache.get("home")).toMatchObject({ epoch: 2 });
  });

  it("does not take a look for new that began before the silence", async () => {
    const { clock, store, cache } = setUp(pointer({ epoch: 1 }));
    await cache.get("home");
    await clock.advance(FRESH_MS + 1);
    const late = Promise.withResolvers<Pointer>();
    const { pointer: real } = store;
    store.pointer = () => late.promise;
    cache.get("home");
    // The function freezes here; when it thaws, the answer of before lies there.
    await clock.advance(SILENCE_MS * 100);
    store.pointer = real;
    store.held = pointer({ epoch: 9 });
    const read = cache.get("home");
    late.resolve(pointer({ epoch: 2 }));
    expect(await read).toMatchObject({ epoch: 9 });
  });

  it("notices by the wall clock that it was frozen, where the other clock stood still", async () => {
    const { clock, store, cache } = setUp(pointer({ epoch: 1 }));
    await cache.get("home");
    store.held = pointer({ epoch: 2 });
    clock.set(clock.nowMs() + 3_600_000);
    expect(await cache.get("home")).toMatchObject({ epoch: 2 });
  });

  it("keeps the last known while it cannot be read, says so once, and asks no faster", async () => {
    const { clock, store, cache, warned } = setUp(pointer({ authority: "old" }));
    await cache.get("home");
    store.error = away;
    for (let i = 0; i < 600; i++) {
      await clock.advance(100);
      expect(await cache.get("home")).toMatchObject({ authority: "old" });
    }
    expect(store.looks).toBeLessThanOrEqual(32);
    expect(warned).toHaveLength(1);
    store.error = undefined;
    store.held = pointer({ epoch: 7 });
    await clock.advance(3_000);
    cache.get("home");
    await clock.advance(0);
    expect(cache.get("home")).toMatchObject({ epoch: 7 });
  });

  it("waits for a store that hangs no longer than its time, and not twice", async () => {
    const { clock, store, cache } = setUp(pointer());
    await cache.get("home");
    store.hangs = true;
    await clock.advance(SILENCE_MS + 1);
    const read = cache.get("home");
    expect(isNow(read)).toBe(false);
    await clock.advance(WAIT_MS);
    expect(await read).toEqual(pointer());
    expect(isNow(cache.get("home"))).toBe(true);
    expect(clock.sleeping()).toBe(0);
  });

  it("fails a read when nothing was ever known and it cannot be read; the next one may succeed", async () => {
    const { store, cache } = setUp(pointer());
    store.error = away;
    await expect(cache.get("home")).rejects.toThrow("away");
    store.error = undefined;
    expect(await cache.get("home")).toEqual(pointer());
  });

  it("never goes back within a migration, and takes the next migration's first epoch", async () => {
    const { clock, store, cache } = setUp(pointer({ epoch: 5 }));
    await cache.get("home");
    for (const [held, wanted] of [
      [pointer({ epoch: 4 }), 5],
      [pointer({ epoch: 6 }), 6],
      [pointer({ migrationId: "m2", epoch: 1 }), 1],
    ] as const) {
      store.held = held;
      await clock.advance(FRESH_MS + 1);
      cache.get("home");
      await clock.advance(0);
      expect(cache.get("home")).toMatchObject({ epoch: wanted });
    }
  });

  it("forgets the oldest of more than a thousand homes", async () => {
    const { store, cache } = setUp(undefined);
    for (let i = 0; i <= 1_000; i++) await cache.get(`home-${i}`);
    expect(store.looks).toBe(1_001);
    await cache.get("home-1");
    expect(store.looks).toBe(1_001);
    await cache.get("home-0");
    expect(store.looks).toBe(1_002);
  });
});
