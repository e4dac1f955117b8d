import { describe, expect, it } from "vitest";
import { EXPIRED_TOKEN_KEPT_DAYS, type Token, type TokenStore } from "../../lib/api/ports.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";

const hash = (digit: string) => digit.repeat(64);

/** What every `TokenStore` does. `make` gives an empty one that lives by the clock. */
export function tokenStoreConformance(make: (clock: ManualClock) => Promise<TokenStore>): void {
  const token = (id: string, more: Partial<Token> = {}): Token => ({
    id,
    homeId: "home",
    name: "",
    scopes: ["read", "write"],
    hash: hash(id),
    createdAt: `2026-11-22T06:00:00.00${id}Z`,
    ...more,
  });

  describe("tokens", () => {
    it("are found by their hash, whole", async () => {
      const store = await make(manualClock());
      await store.add(token("1"));
      expect(await store.findByHash(hash("1"))).toEqual(token("1"));
      expect(await store.findByHash(hash("2"))).toBeUndefined();
    });

    it("are listed by their home, oldest first", async () => {
      const store = await make(manualClock());
      await store.add(token("1"));
      await store.add(token("2"));
      await store.add(token("3", { homeId: "other" }));
      expect((await store.list("home")).map(({ id }) => id)).toEqual(["1", "2"]);
      expect(await store.list("none")).toEqual([]);
    });

    it("work no more once revoked, and are revoked only by their own home", async () => {
      const store = await make(manualClock());
      await store.add(token("1"));
      expect(await store.revoke("other", "1")).toBe(false);
      expect(await store.findByHash(hash("1"))).toBeDefined();
      expect(await store.revoke("home", "1")).toBe(true);
      expect(await store.findByHash(hash("1"))).toBeUndefined();
      expect(await store.list("home")).toEqual([]);
      expect(await store.revoke("home", "1")).toBe(false);
    });

    it("are found for a while after their end, and then no more, whatever the table still holds", async () => {
      const clock = manualClock();
      const store = await make(clock);
      const keptMs = EXPIRED_TOKEN_KEPT_DAYS * 86_400_000;
      const expiresAt = new Date(clock.nowMs() + 60_500).toISOString();
      await store.add(token("1", { expiresAt }));
      await store.add(token("2"));
      await clock.advance(60_500 + keptMs);
      expect(await store.findByHash(hash("1"))).toEqual(token("1", { expiresAt }));
      expect((await store.list("home")).map(({ id }) => id)).toEqual(["1", "2"]);
      await clock.advance(1_000);
      expect(await store.findByHash(hash("1"))).toBeUndefined();
      expect((await store.list("home")).map(({ id }) => id)).toEqual(["2"]);
    });
  });
}
