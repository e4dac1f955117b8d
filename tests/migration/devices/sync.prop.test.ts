import fc from "fast-check";
import { expect, it } from "vitest";
import { CONFLICT_FIELDS, CONFLICT_STRATEGIES, parseConflictRules } from "../../../lib/devices/index.ts";
import type { Device } from "../../../lib/devices/ports.ts";
import { type DeviceMemory, emptyDeviceMemory, readDeviceMemory } from "../../../lib/migration/devices/memory.ts";
import { syncDevices } from "../../../lib/migration/devices/sync.ts";
import type { OldDevice } from "../../../lib/migration/ports.ts";
import { runs } from "../../support/depth.ts";
import { device, fakeHome, HOME } from "./fakes.ts";

const id = fc.constantFrom("d0", "d1", "d2", "d3", "0x00124b0001020304", "x");
const text = fc.constantFrom("Lamp", "lamp ", "Lampe", "LED1", "", " ");
const labels = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 });
const optional = fc.option(text, { nil: undefined });

const present = <T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;

const oldRow = fc
  .record({
    id,
    name: optional,
    manufacturer: optional,
    model: optional,
    swVersion: optional,
    area: optional,
    labels: fc.option(labels, { nil: undefined }),
    changedAtMs: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  })
  .map(({ id: own, ...rest }): OldDevice => ({ id: own, ...present(rest) }));

const newRow = fc
  .record({ id, name: text, manufacturer: optional, model: optional, swVersion: optional, areaId: optional, labels })
  .map(({ id: deviceId, name, labels: own, ...rest }) =>
    device({
      deviceId,
      name,
      labels: own,
      identifiers: deviceId === "d3" ? [["mqtt", "zigbee2mqtt_0x00124b0001020304"]] : [],
      ...present(rest),
    }),
  );

const strategy = fc.constantFrom(...CONFLICT_STRATEGIES);
const rules = fc
  .tuple(strategy, fc.array(fc.tuple(fc.constantFrom(...CONFLICT_FIELDS), strategy), { maxLength: 3 }))
  .map(([otherwise, more]) => [otherwise, ...more.map(([field, one]) => `${field}:${one}`)].join(","));

/** Blank text and an empty list say nothing, as in the product: of two rows that say the same, either spelling of nothing may stay. */
const isSaid = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : typeof value === "string" && value.trim() !== "";

/** Two rows with one id that say the same, and nothing in two spellings: the later one is written back. */
const repeatedWithNothing: [OldDevice[], Device[], string, undefined] = [
  [
    { id: "d1", manufacturer: "Lampe", model: "lamp ", area: " ", labels: [] },
    { id: "d1", manufacturer: "Lampe", model: "lamp ", changedAtMs: 1 },
  ],
  [device({ deviceId: "d1", name: "Lamp" })],
  "new-wins",
  undefined,
];

it("any two lists, any strategy, killed anywhere: they converge, a run after that writes nothing, a conflict is one row, and OLD loses no value", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(oldRow, { maxLength: 6 }),
      fc.uniqueArray(newRow, { maxLength: 5, selector: ({ deviceId }) => deviceId }),
      rules,
      fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      async (old, devices, strategies, diesAt) => {
        const home = await fakeHome({ devices, old });
        let memory: DeviceMemory = emptyDeviceMemory;
        const sync = async (isComplete = false) => {
          const { signal } = new AbortController();
          const options = { rules: parseConflictRules(strategies), memory, isComplete, signal };
          const done = await syncDevices(HOME, home.ports, options);
          memory = readDeviceMemory(JSON.parse(JSON.stringify(done.memory)));
          return done.run;
        };
        home.old.diesAt = diesAt;
        const said = await sync().catch((thrown: unknown) => String(thrown));
        if (typeof said === "string") expect(said).toBe("Error: killed");
        home.old.diesAt = undefined;
        await sync();
        await sync();
        const [rows, puts, conflicts] = [
          structuredClone(home.old.rows),
          home.old.puts.length,
          await home.allConflicts(),
        ];
        expect((await sync()).isUnchanged).toBe(true);
        const complete = await sync(true);
        expect([home.old.rows, home.old.puts.length]).toEqual([rows, puts]);
        expect(complete).toMatchObject({ created: 0, updated: 0, left: 0, refused: [] });
        // Found at the same moment with the same values: the store has not been written.
        expect(await home.allConflicts()).toEqual(conflicts);
        expect(new Set(conflicts.map(({ subjectId, field }) => `${subjectId} ${field}`)).size).toBe(conflicts.length);

        expect(rows.length).toBeGreaterThanOrEqual(old.length);
        const { pairs, onlyNew, ambiguous } = complete.match;
        expect(onlyNew).toEqual([]);
        const accounted = new Set([
          ...pairs.map((pair) => pair.fresh.device.deviceId),
          ...ambiguous.flatMap(({ deviceIds }) => deviceIds),
        ]);
        expect(accounted.size).toBe(devices.length);
        for (const before of old) {
          const same = rows.filter((row) => row.id === before.id);
          for (const [member, value] of Object.entries(before))
            if (member !== "changedAtMs" && isSaid(value))
              expect(same.some((row) => isSaid(row[member as keyof OldDevice]))).toBe(true);
        }
      },
    ),
    { numRuns: runs(300), examples: [repeatedWithNothing] },
  );
});
