import fc from "fast-check";
import { expect, it } from "vitest";
import { diffRows } from "../../lib/devices/diff.ts";
import type { Device, Entity } from "../../lib/devices/ports.ts";

const letter = fc.constantFrom("a", "b", "c", "d", "e");
const devices = fc.uniqueArray(
  fc.record({
    deviceId: letter,
    name: letter,
    labels: fc.constant([]),
    identifiers: fc.array(fc.tuple(fc.constant("demo"), letter), { maxLength: 2 }),
    connections: fc.constant([]),
  }),
  { selector: ({ deviceId }) => deviceId },
) as fc.Arbitrary<Device[]>;
const entities = fc.uniqueArray(
  fc.record({
    entityId: letter.map((one) => `light.${one}`),
    platform: fc.constant("hue"),
    uniqueId: letter,
    labels: fc.constant([]),
    deviceId: letter,
  }),
  { comparator: (a, b) => a.entityId === b.entityId || a.uniqueId === b.uniqueId },
) as fc.Arbitrary<Entity[]>;

/** Every id that a change accounts for. */
const told = (changes: ReturnType<typeof diffRows>) =>
  changes.flatMap(({ id, before, into = [] }) => [id, ...(before === undefined ? [] : [before]), ...into]);

it("accounts for every device that came, went or changed, and for no other", () => {
  fc.assert(
    fc.property(devices, devices, (before, after) => {
      const changes = diffRows("devices", before, after);
      const old = new Map(before.map((row) => [row.deviceId, JSON.stringify(row)]));
      const now = new Map(after.map((row) => [row.deviceId, JSON.stringify(row)]));
      const differ = [...new Set([...old.keys(), ...now.keys()])].filter((id) => old.get(id) !== now.get(id));
      expect([...new Set(told(changes))].sort()).toEqual(differ.sort());
      expect(diffRows("devices", after, after)).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

it("accounts for every entity, and rows that are in both alike may be left out", () => {
  fc.assert(
    fc.property(entities, entities, (before, after) => {
      const changes = diffRows("entities", before, after);
      const text = (row: Entity) => JSON.stringify(row);
      const [old, now] = [new Set(before.map(text)), new Set(after.map(text))];
      const differing = [...before.filter((row) => !now.has(text(row))), ...after.filter((row) => !old.has(text(row)))];
      expect([...new Set(told(changes))].sort()).toEqual([...new Set(differing.map((row) => row.entityId))].sort());
      const fewer = diffRows(
        "entities",
        before.filter((row) => !now.has(text(row))),
        after.filter((row) => !old.has(text(row))),
      );
      expect(fewer).toEqual(changes);
    }),
    { numRuns: 500 },
  );
});
