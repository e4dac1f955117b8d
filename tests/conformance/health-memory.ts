import { describe, expect, it } from "vitest";
import type { HealthMemory } from "../../lib/api/ports.ts";

/** What every `HealthMemory` does. `make` gives an empty one. */
export function healthMemoryConformance(make: () => Promise<HealthMemory>): void {
  describe("health memory", () => {
    it("gives since when a part is in its state", async () => {
      const memory = await make();
      expect(await memory.note("home", "store", "ok", "t1")).toBe("t1");
      expect(await memory.note("home", "store", "ok", "t2")).toBe("t1");
      expect(await memory.note("home", "store", "down", "t3")).toBe("t3");
      expect(await memory.note("home", "store", "down", "t4")).toBe("t3");
      expect(await memory.note("home", "store", "ok", "t5")).toBe("t5");
    });

    it("keeps parts and homes apart", async () => {
      const memory = await make();
      await memory.note("home", "store", "ok", "t1");
      expect(await memory.note("home", "queue#store", "ok", "t2")).toBe("t2");
      expect(await memory.note("other", "store", "ok", "t3")).toBe("t3");
      expect(await memory.note("home", "store", "ok", "t4")).toBe("t1");
    });

    it("answers the same to many at once", async () => {
      const memory = await make();
      const answers = await Promise.all(["t1", "t2", "t3"].map((at) => memory.note("home", "store", "ok", at)));
      expect(new Set(answers).size).toBe(1);
    });
  });
}
