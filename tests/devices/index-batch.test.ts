import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryDeviceIndex } from "../../lib/adapters/memory/device-index.ts";
import { createMemoryHomeDirectory } from "../../lib/adapters/memory/homes.ts";
import { createMemoryQueue } from "../../lib/adapters/memory/queue.ts";
import { HearthlineError } from "../../lib/base/errors.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { type DeviceIndex, indexBatch } from "../../lib/devices/index.ts";
import { packBatch, unpackBatch } from "../../lib/ingest/index.ts";

const seen = (entityId: string, atUs: number, state = `${atUs}`) => ({ t: "seen", entityId, atUs, state });
const areas = (revision: number, part: number, parts: number, ...ids: readonly string[]) => ({
  t: "registry",
  n: 1,
  registry: "areas",
  revision,
  part,
  parts,
  rows: ids.map((id) => ({ area_id: id, name: id })),
});
const relay = (relay_id: string, at: string, connected = true) => ({
  t: "relay",
  // As of a relay: no two of its records have one number.
  n: Math.round(Date.parse(at) / 1000) || 1,
  relay_id,
  at,
  connected,
  since: at,
  spool_bytes: 0,
  spool_records: 0,
  oldest_seconds: 0,
  rejected: 0,
});
const message = (homeId: string, entries: readonly unknown[], messageId = homeId) => {
  const [body = ""] = packBatch({ homeId }, entries);
  return { messageId, body };
};

function ports() {
  const memory = createMemoryDeviceIndex();
  const calls: string[] = [];
  let broken: string | undefined;
  // Notes each write and fails those of the home that is broken.
  const index = new Proxy(memory, {
    get: (target, name) => {
      const method = Reflect.get(target, name);
      if (!String(name).startsWith("apply")) return method;
      return async (homeId: string, ...rest: readonly unknown[]) => {
        if (homeId === broken) throw new HearthlineError("service_unreachable", "away");
        calls.push(`${homeId} ${String(name)}`);
        return method(homeId, ...rest);
      };
    },
  }) as DeviceIndex;
  const homes = createMemoryHomeDirectory();
  const dead = createMemoryQueue();
  const fail = (homeId?: string) => {
    broken = homeId;
  };
  const compared: string[] = [];
  const compare = async (homeId: string) => compared.push(homeId);
  const presence = { isThere: async (homeId: string) => homeId !== "removed" };
  return { index, homes, presence, dead, log: silentLogger, calls, fail, compare, compared };
}

describe("a batch of the index queue", () => {
  it("drops what is late for a home that was removed, what is malformed too", async () => {
    const p = ports();
    const messages = [message("removed", [seen("light.x", 1), { t: "no entry" }]), message("a", [seen("light.x", 1)])];
    expect(await indexBatch(messages, p)).toEqual({ failedIds: [], homes: 1, entries: 1, deadLettered: 0, dropped: 1 });
    expect(p.calls).toEqual(["a applySeen"]);
    expect(p.dead.messages).toEqual([]);
  });

  it("costs a home one write of last-seen times, however many messages and entries there are", async () => {
    const p = ports();
    const messages = Array.from({ length: 10 }, (_, at) =>
      message(
        "a",
        Array.from({ length: 100 }, (_, entry) => seen(`sensor.s${entry % 30}`, at * 1_000 + entry)),
        `m${at}`,
      ),
    );
    const result = await indexBatch([...messages, message("b", [seen("sensor.x", 1)])], p);
    expect(result).toEqual({ failedIds: [], homes: 2, entries: 1_001, deadLettered: 0, dropped: 0 });
    expect(p.calls.sort()).toEqual(["a applySeen", "b applySeen"]);
    expect((await p.index.seen("a")).get("sensor.s0")?.atUs).toBe(9_090);
  });

  it("keeps of everything the latest, whatever the order, and applies all of it", async () => {
    const p = ports();
    await p.homes.add(
      { homeId: "a", name: "a", timeZone: "UTC", createdAt: "", revision: 0 },
      { id: "k", secret: Buffer.alloc(32) },
    );
    const home = (revision: number, location_name: string) => ({
      t: "home",
      n: 1,
      revision,
      location_name,
      time_zone: "Europe/Amsterdam",
      version: "2026.11.0",
    });
    await indexBatch(
      [
        message("a", [
          home(7, "New"),
          areas(5, 2, 2, "b"),
          seen("a.b", 2),
          { t: "weather", condition: "sunny", atUs: 9 },
        ]),
        message(
          "a",
          [
            home(6, "Old"),
            areas(5, 1, 2, "a"),
            areas(4, 1, 1, "z"),
            seen("a.b", 1),
            { t: "weather", condition: "rainy", temperature: 3, atUs: 8 },
          ],
          "m2",
        ),
        message("a", [relay("r", "2026-11-22T06:00:10+00:00"), relay("r", "2026-11-22T06:00:05+00:00", false)], "m3"),
      ],
      p,
    );
    expect(await p.homes.get("a")).toMatchObject({
      name: "New",
      timeZone: "Europe/Amsterdam",
      haVersion: "2026.11.0",
      revision: 7,
    });
    expect((await p.index.list("a", "areas")).map(({ areaId }) => areaId)).toEqual(["a", "b"]);
    expect((await p.index.seen("a")).get("a.b")?.atUs).toBe(2);
    expect(await p.index.weather("a")).toEqual({ weather: { condition: "sunny" }, atUs: 9 });
    expect(await p.index.relayStatuses("a")).toMatchObject([{ relayId: "r", connected: true }]);
    expect(p.calls.filter((call) => call.endsWith("applyRegistryParts"))).toHaveLength(1);
  });

  it("keeps what a relay says of each of its sinks, and of an older relay nothing", async () => {
    const p = ports();
    const one = {
      name: "old",
      acknowledged: 7,
      lag_records: 3,
      lag_seconds: 12,
      lost: 1,
      breaker: "open",
      state: "off",
    };
    const entries = [relay("older", "2026-11-22T05:00:00Z"), { ...relay("r", "2026-11-22T05:00:00Z"), sinks: [one] }];
    await indexBatch([message("a", entries)], p);
    expect((await p.index.relayStatuses("a")).map(({ relayId, sinks }) => [relayId, sinks])).toEqual([
      ["older", undefined],
      ["r", [{ name: "old", acknowledged: 7, lagRecords: 3, lagSeconds: 12, lost: 1, breaker: "open", isOff: true }]],
    ]);
  });

  it("compares the home's sources once, when a registry of devices or capabilities has brought rows", async () => {
    const p = ports();
    const device = { t: "registry", n: 1, registry: "devices", revision: 1, part: 1, parts: 1, rows: [{ id: "d" }] };
    const capabilities = { t: "capabilities", n: 2, revision: 1, part: 1, parts: 1, rows: [] };
    const messages = [
      message("a", [device], "m1"),
      message("a", [capabilities], "m2"),
      message("b", [areas(1, 1, 1, "x"), seen("a.b", 1)], "m3"),
      message("c", [capabilities], "m4"),
    ];
    expect((await indexBatch(messages, p)).failedIds).toEqual([]);
    expect(p.compared.sort()).toEqual(["a", "c"]);
    const away = async () => {
      throw new HearthlineError("service_unreachable", "away");
    };
    expect((await indexBatch(messages, { ...p, compare: away })).failedIds.toSorted()).toEqual(["m1", "m2", "m4"]);
  });

  it("sets a malformed entry aside alone, in a message that can be read again", async () => {
    const p = ports();
    const broken = [
      { t: "seen", entityId: "a.b", atUs: "soon", state: "on" },
      { t: "unheard" },
      7,
      relay("r", "yesterday"),
    ];
    const result = await indexBatch([message("a", [seen("a.a", 1), ...broken, seen("a.c", 2)])], p);
    expect(result).toMatchObject({ failedIds: [], entries: 2, deadLettered: 4 });
    expect([...(await p.index.seen("a")).keys()]).toEqual(["a.a", "a.c"]);
    const dead = p.dead.take();
    expect(dead.map(({ body }) => unpackBatch(body)).map(({ homeId, lines }) => [homeId, lines])).toEqual(
      broken.map((entry) => ["a", [JSON.stringify(entry)]]),
    );
    expect(dead[0]?.attributes).toMatchObject({
      home_id: "a",
      reason_code: "record_malformed",
      reason_detail: expect.stringContaining('"atUs"'),
    });
    expect(dead[3]?.attributes?.reason_code).toBe("event_time_invalid");
  });

  it("sets a body that is no batch aside as it came", async () => {
    const p = ports();
    const { body } = message("a", [seen("a.a", 1)]);
    const bodies = ["no json", "{}", body.replace('"count":1', '"count":2')];
    const result = await indexBatch(
      bodies.map((text, at) => ({ messageId: `m${at}`, body: text })),
      p,
    );
    expect(result).toMatchObject({ failedIds: [], deadLettered: 3 });
    const dead = p.dead.take();
    expect(dead.map((one) => one.body)).toEqual(bodies);
    expect(dead.map((one) => one.attributes?.reason_code)).toEqual([
      "envelope_malformed",
      "envelope_malformed",
      "envelope_count_wrong",
    ]);
  });

  it("makes only the messages of a home come again whose writes fail, and then applies them", async () => {
    const p = ports();
    const messages = [
      message("a", [seen("a.a", 1)], "m1"),
      message("b", [seen("a.a", 1)], "m2"),
      message("a", [seen("a.b", 1)], "m3"),
    ];
    p.fail("a");
    expect((await indexBatch(messages, p)).failedIds).toEqual(["m1", "m3"]);
    expect((await p.index.seen("b")).size).toBe(1);
    p.fail();
    expect((await indexBatch(messages, p)).failedIds).toEqual([]);
    expect((await p.index.seen("a")).size).toBe(2);
  });

  it("makes a message come again whose dead letters cannot be sent, and applies nothing of it", async () => {
    const p = ports();
    const away = { send: () => Promise.reject(new HearthlineError("queue_send_failed", "away")) };
    const messages = [message("a", [seen("a.a", 1), { t: "unheard" }], "m1"), message("b", [seen("a.a", 1)], "m2")];
    expect((await indexBatch(messages, { ...p, dead: away })).failedIds).toEqual(["m1"]);
    expect((await p.index.seen("a")).size).toBe(0);
    expect((await p.index.seen("b")).size).toBe(1);
  });

  it("comes to the same in any order, cut in any way, with any repetitions", async () => {
    const entry = fc.oneof(
      fc.tuple(fc.nat(5), fc.nat(20)).map(([id, atUs]) => seen(`a.e${id}`, atUs)),
      fc
        .tuple(fc.nat(3), fc.constantFrom(1, 2))
        .map(([revision, part]) => areas(revision, part, 2, `r${revision}p${part}`)),
      fc.nat(9).map((atUs) => ({ t: "weather", condition: `c${atUs}`, atUs })),
      fc.nat(9).map((second) => relay("r", `2026-11-22T06:00:0${second}+00:00`)),
    );
    const state = async (index: DeviceIndex) => ({
      seen: [...(await index.seen("a"))].sort(([a], [b]) => (a < b ? -1 : 1)),
      weather: await index.weather("a"),
      relays: await index.relayStatuses("a"),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.nat(9)),
        async (entries, chance) => {
          const one = ports();
          await indexBatch([message("a", entries)], one);
          const other = ports();
          const shuffled = [...entries, ...entries.filter(() => (chance.next().value ?? 0) > 6)]
            .map((value) => ({ value, key: chance.next().value ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ value }) => value);
          for (const value of shuffled) await indexBatch([message("a", [value])], other);
          expect(await state(other.index)).toEqual(await state(one.index));
        },
      ),
      { numRuns: 60 },
    );
  });
});
