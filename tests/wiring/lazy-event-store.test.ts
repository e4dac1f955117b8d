import { describe, expect, it } from "vitest";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { lazyEventStore } from "../../lib/wiring/lazy-event-store.ts";
import { buildEvent } from "../support/events.ts";

describe("lazyEventStore", () => {
  it("opens at the first use, once for calls that meet", async () => {
    let opened = 0;
    const store = lazyEventStore(async () => {
      opened++;
      return createMemoryEventStore();
    });
    await store.close();
    expect(opened).toBe(0);
    await Promise.all([store.write([buildEvent()]), store.check(), store.write([buildEvent()])]);
    expect(opened).toBe(1);
    expect((await store.range({ homeId: "home", order: "asc", limit: 10 })).events).toHaveLength(1);
  });

  it("tries an opening that failed again, and passes its error on", async () => {
    let attempts = 0;
    const store = lazyEventStore(async () => {
      attempts++;
      if (attempts === 1) throw new HearthlineError("service_unreachable", "away");
      return createMemoryEventStore();
    });
    await expect(store.check()).rejects.toMatchObject({ code: "service_unreachable" });
    await expect(store.check()).resolves.toBeUndefined();
    expect(attempts).toBe(2);
  });

  it("opens anew after it was closed", async () => {
    let opened = 0;
    const store = lazyEventStore(async () => {
      opened++;
      return createMemoryEventStore();
    });
    await store.check();
    await store.close();
    await store.check();
    expect(opened).toBe(2);
  });
});
