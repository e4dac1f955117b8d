import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createOldSystem } from "../../lib/adapters/legacy/old-system.ts";
import { createMemoryEventStore } from "../../lib/adapters/memory/event-store.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { localTimeOf } from "../../lib/base/zone.ts";
import type { HomeEvent } from "../../lib/event/index.ts";
import { planSchema } from "../../lib/migration/plan.ts";
import type { OldRead, Pointer, ReadPair } from "../../lib/migration/ports.ts";
import { readConfig } from "../../lib/wiring/config.ts";
import { AUTHORITY_HEADER, createReadAuthority } from "../../lib/wiring/read-authority.ts";
import { startLegacy } from "../../local/legacy/server.ts";
import { pointer, quiet } from "../migration/reads/fakes.ts";
import { buildEvent, SOME_TIME_US } from "../support/events.ts";
import { manualClock } from "../support/manual-clock.ts";

async function setUp(held: Pointer | undefined | (() => Pointer), env: Record<string, string> = {}) {
  const clock = manualClock();
  const store = createMemoryEventStore();
  await store.write([buildEvent()]);
  const pairs: ReadPair[] = [];
  const marks: { readonly homeId: string; readonly id: string; readonly read: OldRead }[] = [];
  const marking = { wait: Promise.resolve() };
  const authority = createReadAuthority(store, {
    cloud: { config: readConfig({ HEARTHLINE_STORE: "memory" }), clock, random: () => 0 },
    migrations: {
      pointer: async () => (typeof held === "function" ? held() : held),
      addPairs: async (_homeId, _id, written) => {
        pairs.push(...written);
      },
      noteOldRead: async (homeId, id, read) => {
        await marking.wait;
        marks.push({ homeId, id, read });
      },
    },
    homes: { get: async (homeId) => ({ homeId, name: homeId, timeZone: "Asia/Tokyo", createdAt: "", revision: 0 }) },
    log: quiet,
    env,
  });
  const caller = (tokenName?: string) => ({
    homeId: "home",
    scopes: ["read"] as const,
    tokenId: "t",
    ...(tokenName !== undefined && { tokenName }),
  });
  /** As a route reads; its header says who answered. */
  const read = (tokenName?: string, limit = 10) =>
    authority.around(caller(tokenName), async () => {
      const page = await authority.events.range({ homeId: "home", order: "desc", limit });
      return new Response(JSON.stringify(page.events));
    });
  return { clock, store, pairs, marks, marking, read };
}

// Nothing listens there: OLD is down.
const complete = pointer({ old: { ...pointer().old, url: "http://127.0.0.1:9/" } });

describe("the reads of the API", () => {
  it("are answered by an OLD that runs, alike, and the pointer alone moves them", async () => {
    const data = mkdtempSync(join(tmpdir(), "hearthline-test-"));
    const legacy = await startLegacy({ port: 0, data, seed: 1, clock: systemClock });
    try {
      const { old } = planSchema.parse({ old: { kind: "http", url: legacy.url } });
      const events = Array.from({ length: 250 }, (_, i) =>
        buildEvent({ entityId: `light.l${i % 7}`, atUs: SOME_TIME_US - i * 1_000_000, state: String(i) }),
      );
      const system = createOldSystem(old, {}, { clock: systemClock });
      expect(await system.write(events)).toMatchObject({ taken: 250 });
      const held = { pointer: { ...complete, old, authority: "old" as Pointer["authority"] } };
      const { store, clock, marks, read } = await setUp(() => held.pointer);
      await store.drop();
      await store.write(events);
      const texts = async (response: Response) =>
        ((await response.json()) as HomeEvent[]).map(({ entityId, atUs, state }) => `${entityId} ${atUs} ${state}`);
      const before = await read(undefined, 200);
      expect(before.headers.get(AUTHORITY_HEADER)).toBe("old");
      held.pointer = { ...held.pointer, authority: "new", epoch: 2 };
      await clock.advance(60_000);
      const after = await read(undefined, 200);
      expect(after.headers.get(AUTHORITY_HEADER)).toBe("new");
      // OLD knows no zone; its events have the home's local time, as NEW's have.
      const [one] = (await before.clone().json()) as HomeEvent[];
      expect(one?.localTime).toBe(localTimeOf(one?.atUs ?? 0, "Asia/Tokyo").text);
      // NEW's answer leaves no mark.
      expect(marks).toMatchObject([{ homeId: "home", id: "m1", read: { atUs: expect.any(Number) } }]);
      const found = await texts(before);
      expect(found).toHaveLength(200);
      expect(found).toEqual(await texts(after));
    } finally {
      await legacy.stop();
      rmSync(data, { recursive: true, force: true });
    }
  });

  it("leave the mark before the answer where the function is frozen behind it, and wait for none elsewhere", async () => {
    const data = mkdtempSync(join(tmpdir(), "hearthline-test-"));
    const legacy = await startLegacy({ port: 0, data, seed: 1, clock: systemClock });
    try {
      const { old } = planSchema.parse({ old: { kind: "http", url: legacy.url } });
      for (const [env, isAwaited] of [
        [{}, false],
        [{ AWS_LAMBDA_FUNCTION_NAME: "api", IS_OFFLINE: "true" }, false],
        [{ AWS_LAMBDA_FUNCTION_NAME: "api" }, true],
      ] as const) {
        const { marks, marking, read } = await setUp({ ...complete, old }, env);
        const { promise, resolve } = Promise.withResolvers<void>();
        marking.wait = promise;
        const answered = read("tablet").then(() => "answered");
        // Where nobody waits for the mark the answer comes without it, in its own time.
        const waits = new Promise((wait) => setTimeout(wait, 300, "waits"));
        expect(await (isAwaited ? Promise.race([answered, waits]) : answered)).toBe(isAwaited ? "waits" : "answered");
        resolve();
        await answered;
        await expect.poll(() => marks.length).toBe(1);
        expect(marks[0]).toMatchObject({ id: "m1", read: { reader: "tablet" } });
      }
    } finally {
      await legacy.stop();
      rmSync(data, { recursive: true, force: true });
    }
  });

  it("carry no header where there is no migration", async () => {
    const { read } = await setUp(undefined);
    const response = await read();
    expect(response.headers.has(AUTHORITY_HEADER)).toBe(false);
    expect(await response.json()).toHaveLength(1);
  });

  it("say who answered", async () => {
    const { read } = await setUp({ ...complete, authority: "new" });
    expect((await read()).headers.get(AUTHORITY_HEADER)).toBe("new");
  });

  it("go to OLD, and to NEW where OLD is down and NEW is whole", async () => {
    const { read: readNew, marks } = await setUp(complete);
    expect((await readNew()).headers.get(AUTHORITY_HEADER)).toBe("new");
    // It did not answer, so nobody can be said to need it.
    expect(marks).toEqual([]);
    const { read } = await setUp({ ...complete, isNewComplete: false });
    await expect(read()).rejects.toMatchObject({ code: "service_unreachable" });
  });

  it("go where each reader was moved to, by the name of his token, also while others are being answered", async () => {
    const { store, read } = await setUp({ ...complete, authority: "new", readers: { tablet: "old" } });
    store.range = () => Promise.reject(new Error("NEW is down"));
    const readers = ["tablet", "phone", undefined];
    const all = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => read(readers[i % 3])));
    const said = all.map((one) => (one.status === "rejected" ? (one.reason as Error).message : "an answer"));
    for (const [i, message] of said.entries())
      if (i % 3 === 0) expect(message).not.toBe("NEW is down");
      else expect(message).toBe("NEW is down");
  });

  it("are asked of both where the process goes on, and of one where it is frozen after its answer", async () => {
    const shadowed = { ...complete, authority: "new" as const, shadowBasisPoints: 10_000 };
    for (const [env, count] of [
      [{}, 1],
      [{ AWS_LAMBDA_FUNCTION_NAME: "api", IS_OFFLINE: "true" }, 1],
      [{ AWS_LAMBDA_FUNCTION_NAME: "api" }, 0],
    ] as const) {
      const { clock, pairs, read } = await setUp(shadowed, env);
      await read();
      await expect
        .poll(async () => {
          await clock.advance(6_000);
          return pairs.length;
        })
        .toBe(count);
      if (count === 1) expect(pairs[0]).toMatchObject({ by: "shadow", oldError: expect.stringMatching(/^service_/) });
    }
  });
});
