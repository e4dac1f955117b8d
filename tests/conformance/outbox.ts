import { describe, expect, it } from "vitest";
import type { NewOutboxItem, OutboxQuery, OutboxStore } from "../../lib/publish/ports.ts";
import { OUTBOX_ENTRIES_MAX, OUTBOX_PENDING_MAX } from "../../lib/publish/ports.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

/** What every `OutboxStore` does. `make` gives an empty one that lives by the clock. */
export function outboxConformance(make: (clock: ManualClock) => Promise<OutboxStore>): void {
  let number = 0;
  const fresh = async () => {
    const clock = manualClock();
    const store = await make(clock);
    const homeId = `home-${++number}`;
    const ask = (unique: string, payload = `payload ${unique}`, seconds = 3_600): NewOutboxItem => ({
      homeId,
      unique,
      kind: "mqtt",
      createdAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + seconds * 1000,
      message: { topic: `hearthline/${unique}`, payload, qos: 1, retain: true },
    });
    const list = (query: Partial<OutboxQuery> = {}) =>
      store.list({ homeId, nowMs: clock.nowMs(), limit: 1_000, ...query });
    return { clock, store, homeId, ask, list };
  };
  const delivered = { status: "delivered", attempts: 1 } as const;

  describe("the outbox", () => {
    it("gives items in the order of asking, whole", async () => {
      const { store, clock, homeId, ask, list } = await fresh();
      const { item, added } = await store.add(ask("b"));
      expect(added).toBe(true);
      await store.add(ask("a", ""));
      const { items } = await list({ status: "pending" });
      expect(items[0]).toEqual(item);
      expect(items[0]).toEqual({
        id: expect.stringMatching(/^\d{10}-b$/),
        homeId,
        kind: "mqtt",
        status: "pending",
        createdAtMs: clock.nowMs(),
        expiresAtMs: clock.nowMs() + 3_600_000,
        attempts: 0,
        message: { topic: "hearthline/b", payload: "payload b", qos: 1, retain: true },
      });
      expect(items.map(({ message }) => message?.payload)).toEqual(["payload b", ""]);
      expect((await list({ homeId: "another" })).items).toEqual([]);
    });

    it("makes an item once, however often the write is made", async () => {
      const { store, ask, list } = await fresh();
      const [first, second] = [await store.add(ask("a")), await store.add(ask("a"))];
      expect(second.item.id).toBe(first.item.id);
      expect((await list()).items).toHaveLength(1);
    });

    it("asks for capabilities once at a time", async () => {
      const { store, clock, homeId } = await fresh();
      const times = { createdAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 60_000 };
      const asked = await store.add({ homeId, unique: "a", kind: "capabilities", ...times });
      expect(await store.add({ homeId, unique: "b", kind: "capabilities", ...times })).toEqual({
        item: asked.item,
        added: false,
      });
      await store.settle(homeId, asked.item.id, delivered);
      expect((await store.add({ homeId, unique: "c", kind: "capabilities", ...times })).added).toBe(true);
    });

    it("asks to stop a sink once at a time, and to start it after that", async () => {
      const { store, clock, homeId, list } = await fresh();
      const times = { createdAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 60_000 };
      const turn = (unique: string, sink: string, state: "on" | "off") =>
        store.add({ homeId, unique, kind: "sink", ...times, sink: { sink, state } });
      const first = await turn("a", "old", "off");
      expect(first.item).toMatchObject({ kind: "sink", sink: { sink: "old", state: "off" }, status: "pending" });
      expect(await turn("b", "old", "off")).toEqual({ item: first.item, added: false });
      expect((await turn("c", "other", "off")).added).toBe(true);
      expect((await turn("d", "old", "on")).added).toBe(true);
      expect((await turn("e", "old", "off")).added).toBe(true);
      expect((await list()).items.map(({ sink }) => sink?.state)).toEqual(["off", "off", "on", "off"]);
    });

    it("asks for a flush time of the cloud's sink once at a time, and for another one after it", async () => {
      const { store, clock, homeId, list } = await fresh();
      const times = { createdAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 60_000 };
      const collect = (unique: string, flush_seconds: number, until?: string) =>
        store.add({
          ...{ homeId, unique, kind: "sink", ...times },
          sink: { sink: "cloud", state: "on", flush_seconds, ...(until !== undefined && { until }) },
        });
      const first = await collect("a", 10, "2026-11-22T09:00:00.000000+00:00");
      expect(await collect("b", 10, "2026-11-22T09:00:00.000000+00:00")).toEqual({ item: first.item, added: false });
      expect((await collect("c", 10)).added).toBe(true);
      expect((await collect("d", 20)).added).toBe(true);
      expect((await list()).items.map(({ sink }) => [sink?.flush_seconds, sink?.until !== undefined])).toEqual([
        [10, true],
        [10, false],
        [20, false],
      ]);
    });

    it("asks for the same automation once at a time, and for another one after it", async () => {
      const { store, clock, homeId, list } = await fresh();
      const times = { createdAtMs: clock.nowMs(), expiresAtMs: clock.nowMs() + 60_000 };
      const automation = (unique: string, config: { readonly alias: string } | null) =>
        store.add({
          ...{ homeId, unique, kind: "automation", ...times },
          automation: { id: "hearthline_a", config },
        } as NewOutboxItem);
      const first = await automation("a", { alias: "A" });
      expect(first.item.automation).toEqual({ id: "hearthline_a", removes: false, config: { alias: "A" } });
      expect(await automation("b", { alias: "A" })).toEqual({ item: first.item, added: false });
      expect((await automation("c", null)).item.automation).toEqual({
        ...{ id: "hearthline_a", removes: true, config: null },
      });
      // What was asked last counts, so the first is asked again.
      expect((await automation("d", { alias: "A" })).added).toBe(true);
      expect((await list({ status: "pending" })).items).toHaveLength(3);
      const ended = await store.settle(homeId, first.item.id, delivered);
      expect(ended?.automation).toEqual({ id: "hearthline_a", removes: false });
      expect((await list()).items[0]?.automation).not.toHaveProperty("config");
    });

    it("ends an item once, and then keeps its payload no longer", async () => {
      const { store, clock, homeId, ask, list } = await fresh();
      const { id } = (await store.add(ask("a"))).item;
      await clock.advance(5_000);
      const ended = await store.settle(homeId, id, { status: "delivered", attempts: 2 });
      expect(ended).toMatchObject({ status: "delivered", attempts: 2, deliveredAtMs: clock.nowMs() });
      expect(ended?.message).toEqual({ topic: "hearthline/a", qos: 1, retain: true });
      await clock.advance(5_000);
      expect(await store.settle(homeId, id, { status: "failed", attempts: 9, error: "late" })).toEqual(ended);
      expect(await store.settle(homeId, id, delivered)).toEqual(ended);
      expect((await list()).items).toEqual([ended]);
      expect((await list({ status: "pending" })).items).toEqual([]);
      expect(await store.settle(homeId, "0000000099-none", delivered)).toBeUndefined();
      expect(await store.settle("another", id, delivered)).toBeUndefined();
    });

    it("takes it that an item was delivered after all", async () => {
      const { store, homeId, ask } = await fresh();
      const { id } = (await store.add(ask("a"))).item;
      expect(await store.settle(homeId, id, { status: "failed", attempts: 1, error: "refused" })).toMatchObject({
        status: "failed",
        error: "refused",
      });
      expect(await store.settle(homeId, id, delivered)).not.toHaveProperty("error");
    });

    it("lets items expire, and be delivered all the same by who had them in hand", async () => {
      const { store, clock, homeId, ask, list } = await fresh();
      const { id } = (await store.add(ask("a", "x", 60))).item;
      await store.add(ask("b", "x", 120));
      await clock.advance(60_000);
      expect((await list({ status: "expired" })).items).toMatchObject([{ id, status: "expired" }]);
      expect((await list({ status: "pending" })).items).toHaveLength(1);
      expect(await store.settle(homeId, id, delivered)).toMatchObject({ status: "delivered" });
    });

    it("pages by number and by bytes, and loses none on the way", async () => {
      const { store, ask, list } = await fresh();
      for (let at = 0; at < 12; at++) await store.add(ask(`u${at}`, "x".repeat(at < 10 ? 131_072 : 10)));
      const seen: string[] = [];
      const sizes: number[] = [];
      for (let after: string | undefined; ; ) {
        const { items, next } = await list({ limit: 9, ...(after && { after }) });
        seen.push(...items.map(({ message }) => message?.topic ?? ""));
        sizes.push(items.length);
        if (next === undefined) break;
        after = next;
      }
      expect(sizes).toEqual([8, 4]);
      expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => `hearthline/u${at}`));
    });

    it("is bounded: full of what waits it takes no more; of what has ended the newest stay", async () => {
      const { store, homeId, ask, list } = await fresh();
      const ids: string[] = [];
      for (let at = 0; at < OUTBOX_PENDING_MAX; at++) ids.push((await store.add(ask(`u${at}`, "x"))).item.id);
      await expect(store.add(ask("more", "x"))).rejects.toMatchObject({ code: "outbox_full", fate: "retry" });
      for (const id of ids.slice(0, 5)) await store.settle(homeId, id, delivered);
      await store.add(ask("more", "x"));
      expect((await list()).items).toHaveLength(OUTBOX_PENDING_MAX + 1);
      expect(OUTBOX_ENTRIES_MAX).toBeGreaterThan(OUTBOX_PENDING_MAX);
    }, 60_000);

    it("keeps each of many that come at once", async () => {
      const { store, homeId, ask, list } = await fresh();
      const added = await Promise.all(Array.from({ length: 8 }, (_, at) => store.add(ask(`u${at}`))));
      expect(new Set(added.map(({ item }) => item.id.slice(0, 10))).size).toBe(8);
      await Promise.all(added.map(({ item }) => store.settle(homeId, item.id, delivered)));
      expect((await list()).items.map(({ status }) => status)).toEqual(Array(8).fill("delivered"));
    });
  });
}
