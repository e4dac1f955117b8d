import { describe, expect, it } from "vitest";
import { createLastChanges, historyOfDevice, historyOfRow } from "../../lib/devices/history.ts";
import type { RevisionChanges, RowChange } from "../../lib/devices/ports.ts";

const at = (revision: number, ...changes: readonly RowChange[]): RevisionChanges => ({
  registry: changes[0]?.registry ?? "devices",
  revision,
  from: revision - 1,
  changes,
  omitted: 0,
});
const device = (kind: RowChange["kind"], id: string, more: Partial<RowChange> = {}): RowChange => ({
  registry: "devices",
  kind,
  id,
  fields: [],
  ...more,
});
const entity = (kind: RowChange["kind"], id: string, more: Partial<RowChange> = {}): RowChange => ({
  ...device(kind, id, more),
  registry: "entities",
});
const followed = { field: "deviceId", from: "old", to: "left" };
const history = [
  at(7, entity("renamed", "light.bed", { before: "light.a", deviceId: "left" })),
  at(
    6,
    entity("moved", "light.a", { deviceId: "left", fields: [followed] }),
    entity("changed", "light.x", { deviceId: "x" }),
  ),
  at(5, device("split", "old", { into: ["left", "right"] })),
  at(4, { ...device("changed", "0x1"), registry: "capabilities" }),
  at(3, entity("added", "light.a", { deviceId: "old" })),
  at(2, device("replaced", "old", { before: "older" }), device("changed", "x")),
  at(1, device("changed", "older", { fields: [{ field: "name", from: "a", to: "b" }] })),
];
const brief = (changes: ReturnType<typeof historyOfDevice>) => changes.map(({ atMs, kind, id }) => [atMs, kind, id]);

describe("the history of a device", () => {
  it("goes back over every id that it had, and takes its entities along", () => {
    expect(brief(historyOfDevice(history, "left", ["0x1"]))).toEqual([
      [7, "renamed", "light.bed"],
      [6, "moved", "light.a"],
      [5, "split", "old"],
      [4, "changed", "0x1"],
      [3, "added", "light.a"],
      [2, "replaced", "old"],
      [1, "changed", "older"],
    ]);
    expect(brief(historyOfDevice(history, "right"))).toEqual([
      [5, "split", "old"],
      [3, "added", "light.a"],
      [2, "replaced", "old"],
      [1, "changed", "older"],
    ]);
  });

  it("of an id that is no more ends with what became of it, and knows nothing of others", () => {
    expect(brief(historyOfDevice(history, "older"))).toEqual([
      [2, "replaced", "old"],
      [1, "changed", "older"],
    ]);
    expect(brief(historyOfDevice(history, "x"))).toEqual([
      [6, "changed", "light.x"],
      [2, "changed", "x"],
    ]);
    expect(historyOfDevice(history, "nobody")).toEqual([]);
  });

  it("of a row follows its ids too", () => {
    expect(brief(historyOfRow(history, "entities", "light.bed"))).toEqual([
      [7, "renamed", "light.bed"],
      [6, "moved", "light.a"],
      [3, "added", "light.a"],
    ]);
    expect(brief(historyOfRow(history, "devices", "left"))).toEqual([
      [5, "split", "old"],
      [2, "replaced", "old"],
      [1, "changed", "older"],
    ]);
  });

  it("of a row that changed ids with another one, back and forth, is that row's alone", () => {
    const swapped = [
      at(6, entity("changed", "light.a", { name: "after" }), entity("changed", "light.b", { name: "other" })),
      at(5, entity("renamed", "light.a", { before: "light.b" }), entity("renamed", "light.b", { before: "light.a" })),
      at(4, entity("changed", "light.a", { name: "other" }), entity("changed", "light.b", { name: "before" })),
      at(3, entity("renamed", "light.b", { before: "light.c" })),
      at(2, entity("renamed", "light.c", { before: "light.a" })),
      at(1, entity("added", "light.a")),
    ];
    expect(historyOfRow(swapped, "entities", "light.a").map(({ atMs, id, name }) => [atMs, id, name])).toEqual([
      [6, "light.a", "after"],
      [5, "light.a", undefined],
      [4, "light.b", "before"],
      [3, "light.b", undefined],
      [2, "light.c", undefined],
      [1, "light.a", undefined],
    ]);
  });

  it("says when a field changed last", () => {
    const lastChangeMs = createLastChanges([
      ...history,
      at(9, device("changed", "older", { fields: [{ field: "name" }] })),
    ]);
    expect(lastChangeMs({ registry: "devices", id: "older", field: "name" })).toBe(9);
    expect(lastChangeMs({ registry: "devices", id: "older", field: "model" })).toBeUndefined();
  });
});
