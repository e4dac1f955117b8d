import { describe, expect, it } from "vitest";
import {
  type Area,
  type DeviceIndex,
  type Entity,
  HISTORY_CHANGES_MAX,
  HISTORY_KEPT_SECONDS,
  RELAY_KEPT_SECONDS,
  type RelayStatus,
  type Seen,
} from "../../lib/devices/ports.ts";

const area = (areaId: string): Area => ({ areaId, name: `The ${areaId}`, labels: [] });
const entity = (entityId: string): Entity => ({ entityId, name: "", labels: ["a#b", "ü"] });

export interface DeviceIndexUnderTest {
  readonly index: DeviceIndex;
  /** A home that nobody has used. */
  homeId(): string;
}

/** `nowMs`: what time it is; without it the time of day. */
type Make = (nowMs?: () => number) => Promise<DeviceIndexUnderTest>;

/** What every `DeviceIndex` does. */
export function deviceIndexConformance(make: Make): void {
  registryConformance(make);
  historyConformance(make);
  seenConformance(make);
  statusConformance(make);
}

function registryConformance(make: Make): void {
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

    it("hold one row for each id, the last, whatever a home sends", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const ids = ["a#b", "a%23b", "", "🏠", "x".repeat(255), "a#b", "🏠"];
      const rows = ids.map((areaId, at) => ({ ...area(areaId), name: `row ${at}` }));
      const whole = { registry: "areas" as const, revision: 1, parts: 2 };
      await index.applyRegistry(home, { ...whole, part: 2, rows: rows.slice(3) });
      await index.applyRegistry(home, { ...whole, part: 1, rows: rows.slice(0, 3) });
      expect((await index.list(home, "areas")).map(({ areaId, name }) => [areaId, name])).toEqual([
        ["a#b", "row 5"],
        ["a%23b", "row 1"],
        ["", "row 2"],
        ["🏠", "row 6"],
        ["x".repeat(255), "row 4"],
      ]);
      expect(await index.revisions(home, ["areas", "capabilities"])).toEqual({ areas: 1 });
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

function historyConformance(make: Make): void {
  describe("the history of changes", () => {
    const whole = { part: 1, parts: 1 };

    it("tells what each revision changed, newest first, the first one excepted", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const areas = (revision: number, rows: readonly Area[]) =>
        index.applyRegistry(home, { registry: "areas", revision, ...whole, rows });
      await areas(1, [area("a"), area("b")]);
      expect(await index.history(home, ["areas"])).toEqual([]);
      await areas(4, [area("a"), { ...area("b"), name: "Bath" }]);
      await areas(5, [area("a"), { ...area("b"), name: "Bath" }]);
      await areas(9, [area("c"), { ...area("b"), name: "Bath" }]);
      await index.applyRegistry(home, { registry: "labels", revision: 6, ...whole, rows: [] });
      await index.applyRegistry(home, {
        registry: "labels",
        revision: 7,
        ...whole,
        rows: [{ labelId: "ü#", name: "x" }],
      });
      const renamed = { field: "name", from: "The b", to: "Bath" };
      const removed = { registry: "areas", kind: "removed", id: "a", name: "The a", fields: [] };
      const ofAreas = [
        {
          registry: "areas",
          revision: 9,
          from: 5,
          changes: [removed, { ...removed, kind: "added", id: "c", name: "The c" }],
          omitted: 0,
        },
        {
          registry: "areas",
          revision: 4,
          from: 1,
          changes: [{ registry: "areas", kind: "changed", id: "b", name: "Bath", fields: [renamed] }],
          omitted: 0,
        },
      ];
      expect(await index.history(home, ["areas"])).toEqual(ofAreas);
      const all = await index.history(home, ["areas", "labels", "devices"]);
      expect(all.map(({ registry, revision }) => [registry, revision])).toEqual([
        ["areas", 9],
        ["labels", 7],
        ["areas", 4],
      ]);
      expect(await index.history(homeId(), ["areas"])).toEqual([]);
    });

    it("is told with the last part, once, whatever the order of parts and however often they come", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const apply = (revision: number, part: number, ids: readonly string[]) =>
        index.applyRegistry(home, { registry: "areas", revision, part, parts: 2, rows: ids.map(area) });
      await apply(1, 1, ["a", "b"]);
      await apply(1, 2, ["c", "d"]);
      await apply(2, 2, ["c", "e"]);
      expect(await index.history(home, ["areas"])).toEqual([]);
      await apply(2, 2, ["c", "e"]);
      await apply(2, 1, ["a", "b"]);
      await apply(2, 1, ["a", "b"]);
      await apply(2, 2, ["c", "e"]);
      const history = await index.history(home, ["areas"]);
      expect(history).toMatchObject([{ revision: 2, from: 1, changes: [{ id: "d" }, { id: "e" }] }]);
      // What only goes from one part to another has not changed; a revision that never became whole is none.
      await apply(3, 2, ["z"]);
      await apply(4, 1, ["a"]);
      await apply(4, 2, ["b", "c", "e"]);
      expect(await index.history(home, ["areas"])).toEqual(history);
    });

    it("keeps an entity's link through another id, and a device's through a split", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const device = { name: "Boiler", labels: [], identifiers: [["mqtt", "boiler"]], connections: [] };
      const named = (entityId: string, deviceId: string): Entity => ({
        ...entity(entityId),
        platform: "mqtt",
        uniqueId: "water",
        deviceId,
      });
      const apply = async (revision: number, deviceIds: readonly string[], row: Entity) => {
        const rows = deviceIds.map((deviceId) => ({ ...device, deviceId }));
        await index.applyRegistry(home, { registry: "devices", revision, ...whole, rows });
        await index.applyRegistry(home, { registry: "entities", revision, ...whole, rows: [row] });
      };
      await apply(1, ["old"], named("sensor.water", "old"));
      await apply(2, ["left", "right"], named("sensor.boiler_water", "left"));
      const told = (await index.history(home, ["devices", "entities"])).flatMap(({ changes }) => changes);
      expect(told).toMatchObject([
        { registry: "devices", kind: "split", id: "old", into: ["left", "right"] },
        {
          registry: "entities",
          kind: "renamed",
          id: "sensor.boiler_water",
          before: "sensor.water",
          deviceId: "left",
          fields: [{ field: "deviceId", from: "old", to: "left" }],
        },
      ]);
    });

    it("ends after a year", async () => {
      let nowMs = 1_795_000_000_000;
      const { index, homeId } = await make(() => nowMs);
      const home = homeId();
      for (const revision of [1, 2])
        await index.applyRegistry(home, { registry: "areas", revision, ...whole, rows: [area(`a${revision}`)] });
      nowMs += HISTORY_KEPT_SECONDS * 1000 - 1_000;
      await index.applyRegistry(home, { registry: "areas", revision: 3, ...whole, rows: [area("a3")] });
      expect((await index.history(home, ["areas"])).map(({ revision }) => revision)).toEqual([3, 2]);
      nowMs += 1_000;
      expect((await index.history(home, ["areas"])).map(({ revision }) => revision)).toEqual([3]);
    });

    it("is bounded: whole revisions, newest first, until there are HISTORY_CHANGES_MAX changes", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const floors = (revision: number) =>
        Array.from({ length: 1_000 }, (_, at) => ({ floorId: `f${at}`, name: `${revision}` }));
      const kept = HISTORY_CHANGES_MAX / 1_000;
      for (let revision = 1; revision <= kept + 3; revision++)
        await index.applyRegistry(home, { registry: "floors", revision, ...whole, rows: floors(revision) });
      const history = await index.history(home, ["floors"]);
      expect(history.map(({ revision }) => revision)).toEqual(Array.from({ length: kept }, (_, at) => kept + 3 - at));
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

    it("keeps thousands of entities that come at once, and what comes after them", async () => {
      const { index, homeId } = await make();
      const home = homeId();
      const all = (atUs: number, count: number) =>
        new Map(
          Array.from({ length: count }, (_, at): [string, Seen] => [
            `sensor.number_${at}`,
            { atUs: atUs + at, state: `${(at * 7_919 * 104_729) % 1_000_003}`, unit: "W" },
          ]),
        );
      await index.applySeen(home, all(1_000_000, 6_000));
      await index.applySeen(home, all(2_000_000, 10));
      await index.applySeen(home, all(0, 5_000));
      const seen = await index.seen(home);
      expect(seen.size).toBe(6_000);
      expect([seen.get("sensor.number_9")?.atUs, seen.get("sensor.number_10")?.atUs]).toEqual([2_000_009, 1_000_010]);
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

function statusConformance(make: Make): void {
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

    it("forgets a relay that says nothing for a month, and takes it as new when it comes again with lower numbers", async () => {
      let nowMs = 1_795_000_000_000;
      const { index, homeId } = await make(() => nowMs);
      const home = homeId();
      const status = (sequence: number): RelayStatus => ({
        relayId: "a",
        sequence,
        at: "2026-11-22T06:00:00.000000+00:00",
        connected: true,
        since: "2026-11-22T05:00:00.000000+00:00",
        spoolBytes: 1,
        spoolRecords: 2,
        oldestSeconds: 0.5,
        rejected: 0,
      });
      await index.applyRelayStatus(home, status(900));
      nowMs += RELAY_KEPT_SECONDS * 1000 - 1_000;
      expect(await index.relayStatuses(home)).toEqual([status(900)]);
      nowMs += 1_000;
      expect(await index.relayStatuses(home)).toEqual([]);
      await index.applyRelayStatus(home, status(3));
      expect(await index.relayStatuses(home)).toEqual([status(3)]);
    });
  });
}
