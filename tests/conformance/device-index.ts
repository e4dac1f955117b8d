import { describe, expect, it } from "vitest";
import type { Area, DeviceIndex, Entity, RelayStatus, Seen } from "../../lib/devices/ports.ts";

const area = (areaId: string): Area => ({ areaId, name: `The ${areaId}`, labels: [] });
const entity = (entityId: string): Entity => ({ entityId, name: "", labels: ["a#b", "ü"] });

export interface DeviceIndexUnderTest {
  readonly index: DeviceIndex;
  /** A home that nobody has used. */
  homeId(): string;
}

/** What every `DeviceIndex` does. */
export function deviceIndexConformance(make: () => Promise<DeviceIndexUnderTest>): void {
  registryConformance(make);
  seenConformance(make);
  statusConformance(make);
}

function registryConformance(make: () => Promise<DeviceIndexUnderTest>): void {
  describe("registries", () => {
    it("are empty in a home that nobody knows", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      expect(await index.list(home, "areas")).toEqual([]);
      expect(await index.revisions(home)).toEqual({});
    });

    it("are given as they were written, in order, each for itself", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      await index.applyRegistry(home, {
        registry: "areas",
        revision: 5,
        part: 1,
        parts: 1,
        rows: [area("z"), area("a")],
      });
      await index.applyRegistry(home, { registry: "entities", revision: 7, part: 1, parts: 1, rows: [entity("a.b")] });
      await index.applyRegistry(home, { registry: "labels", revision: 7, part: 1, parts: 1, rows: [] });
      expect(await index.list(home, "areas")).toEqual([area("z"), area("a")]);
      expect(await index.list(home, "entities")).toEqual([entity("a.b")]);
      expect(await index.list(home, "labels")).toEqual([]);
      expect(await index.revisions(home)).toEqual({ areas: 5, entities: 7, labels: 7 });
      expect(await index.list(homeId(), "areas")).toEqual([]);
    });

    it("take parts in any order and any number of times, and are whole only with the last", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const part = (revision: number, number: number) =>
        index.applyRegistry(home, {
          registry: "areas",
          revision,
          part: number,
          parts: 3,
          rows: [area(`r${revision}p${number}`)],
        });
      await part(1, 3);
      expect(await index.list(home, "areas")).toEqual([area("r1p3")]);
      expect(await index.revisions(home)).toEqual({});
      await part(1, 1);
      await part(1, 1);
      await part(1, 2);
      expect(await index.list(home, "areas")).toEqual([area("r1p1"), area("r1p2"), area("r1p3")]);
      await part(2, 2);
      await part(2, 1);
      expect(await index.list(home, "areas")).toEqual([area("r1p1"), area("r1p2"), area("r1p3")]);
      expect(await index.revisions(home)).toEqual({ areas: 1 });
      await part(2, 3);
      expect(await index.list(home, "areas")).toEqual([area("r2p1"), area("r2p2"), area("r2p3")]);
      expect(await index.revisions(home)).toEqual({ areas: 2 });
    });

    it("ignore a revision that is lower than one that has begun", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const apply = (revision: number, part: number, parts: number) =>
        index.applyRegistry(home, { registry: "areas", revision, part, parts, rows: [area(`r${revision}p${part}`)] });
      await apply(5, 1, 1);
      await apply(4, 1, 1);
      expect(await index.list(home, "areas")).toEqual([area("r5p1")]);
      await apply(7, 1, 2);
      await apply(6, 1, 1);
      expect(await index.list(home, "areas")).toEqual([area("r5p1")]);
      await apply(7, 2, 2);
      expect(await index.list(home, "areas")).toEqual([area("r7p1"), area("r7p2")]);
    });

    it("keep parts that did not change and drop those that are gone", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const apply = (revision: number, parts: readonly string[]) =>
        Promise.all(
          parts.map((id, at) =>
            index.applyRegistry(home, {
              registry: "areas",
              revision,
              part: at + 1,
              parts: parts.length,
              rows: [area(id)],
            }),
          ),
        );
      await apply(1, ["a", "b", "c"]);
      await apply(2, ["a", "B", "c"]);
      await apply(3, ["a", "B"]);
      await apply(4, ["a", "B"]);
      expect(await index.list(home, "areas")).toEqual([area("a"), area("B")]);
      expect(await index.revisions(home)).toEqual({ areas: 4 });
    });

    it("hold thousands of rows that do not pack well", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const rows = Array.from({ length: 4_000 }, (_, at) => ({
        ...entity(`sensor.number_${at}`),
        uniqueId: Array.from({ length: 20 }, (_, digit) => ((at + 1) * (digit + 7) * 2_654_435_761).toString(36)).join(
          "",
        ),
      }));
      await index.applyRegistry(home, { registry: "entities", revision: 1, part: 1, parts: 1, rows });
      expect(await index.list(home, "entities")).toEqual(rows);
    });
  });
}

function seenConformance(make: () => Promise<DeviceIndexUnderTest>): void {
  describe("seen", () => {
    it("keeps the latest of each entity, in any order, and the rest of it", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const one: Seen = { atUs: 1_763_790_429_185_382, state: "21.5", deviceClass: "temperature", unit: "°C" };
      expect(await index.seen(home)).toEqual(new Map());
      await index.applySeen(home, new Map([["sensor.a", one]]));
      await index.applySeen(home, new Map([["sensor.a", { ...one, atUs: one.atUs - 1, state: "older" }]]));
      await index.applySeen(home, new Map([["light.b", { atUs: 5, state: "" }]]));
      await index.applySeen(home, new Map([["light.b", { atUs: 6, state: "on" }]]));
      await index.applySeen(home, new Map());
      expect(await index.seen(home)).toEqual(
        new Map<string, Seen>([
          ["sensor.a", one],
          ["light.b", { atUs: 6, state: "on" }],
        ]),
      );
    });

    it("is right after many writes at once, to many entities", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const writes = Array.from({ length: 40 }, (_, write) =>
        index.applySeen(
          home,
          new Map(
            Array.from({ length: 50 }, (_, at): [string, Seen] => [
              `sensor.s${(at + write) % 60}`,
              { atUs: 1_000_000 + write, state: `${write}` },
            ]),
          ),
        ),
      );
      await Promise.all(writes);
      const seen = await index.seen(home);
      expect(seen.size).toBe(60);
      for (const [entityId, { atUs, state }] of seen) {
        const number = Number(entityId.slice("sensor.s".length));
        const latest = Array.from({ length: 40 }, (_, write) => write).filter(
          (write) => (number - write + 60) % 60 < 50,
        );
        expect([entityId, atUs, state]).toEqual([entityId, 1_000_000 + Math.max(...latest), `${Math.max(...latest)}`]);
      }
    });
  });
}

function statusConformance(make: () => Promise<DeviceIndexUnderTest>): void {
  describe("weather and relays", () => {
    it("keeps the latest weather", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      expect(await index.weather(home)).toBeUndefined();
      await index.applyWeather(home, { condition: "rainy", temperature: 7.5 }, 20);
      await index.applyWeather(home, { condition: "sunny" }, 10);
      expect(await index.weather(home)).toEqual({ weather: { condition: "rainy", temperature: 7.5 }, atUs: 20 });
    });

    it("keeps the latest status of each relay", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const status = (relayId: string, second: number, connected: boolean): RelayStatus => ({
        relayId,
        at: `2026-11-22T06:00:${String(second).padStart(2, "0")}.000000+00:00`,
        connected,
        since: "2026-11-22T05:00:00.000000+00:00",
        spoolBytes: 1,
        spoolRecords: 2,
        oldestSeconds: 0.5,
        rejected: 0,
      });
      await index.applyRelayStatus(home, status("b", 10, true));
      await index.applyRelayStatus(home, status("b", 5, false));
      await index.applyRelayStatus(home, status("a", 1, false));
      expect(await index.relayStatuses(home)).toEqual([status("a", 1, false), status("b", 10, true)]);
      // A clock that was ahead and has been set: the numbers go on.
      const numbered = (sequence: number, second: number) => ({ ...status("b", second, false), sequence });
      await index.applyRelayStatus(home, numbered(7, 59));
      await index.applyRelayStatus(home, numbered(9, 1));
      await index.applyRelayStatus(home, numbered(8, 58));
      expect(await index.relayStatuses(home)).toEqual([status("a", 1, false), numbered(9, 1)]);
    });
  });
}
