import { expect, it } from "vitest";
import type { HomeTable, TableItem } from "../../lib/backup/ports.ts";
import type { Area, DeviceIndex } from "../../lib/devices/ports.ts";

/** What every `HomeTable` does: what is read from one can be put into an empty other, twice, and says that it is on its way while it is. */
export function homeTableConformance(
  make: () => Promise<{ readonly homeTable: HomeTable; readonly index: DeviceIndex }>,
): void {
  it("gives a home's items, takes them back elsewhere, and remembers a restore that is on its way", async () => {
    const [from, to] = [await make(), await make()];
    const areas = (...ids: readonly string[]): Area[] => ids.map((areaId) => ({ areaId, name: areaId, labels: [] }));
    const whole = { registry: "areas", part: 1, parts: 1 } as const;
    await from.index.applyRegistry("home", { ...whole, revision: 1, rows: areas("a") });
    await from.index.applyRegistry("home", { ...whole, revision: 2, rows: areas("a", "b#%ü") });
    await from.index.applySeen("home", new Map([["light.a", { atUs: 7, state: "on" }]]));
    await from.index.applyRegistry("other", { ...whole, revision: 1, rows: areas("foreign") });
    const items: TableItem[] = [];
    for await (const item of from.homeTable.items("home")) items.push(item);
    expect(await to.homeTable.occupied("home")).toEqual([]);
    expect(await to.homeTable.restoring("home")).toBeUndefined();
    await to.homeTable.beginRestore("home", "backup-1");
    await to.homeTable.beginRestore("home", "backup-1");
    await expect(to.homeTable.beginRestore("home", "backup-2")).rejects.toMatchObject({
      code: "backup_target_not_empty",
    });
    expect(await to.homeTable.restoring("home")).toBe("backup-1");
    const given = async function* () {
      yield* items;
    };
    expect(await to.homeTable.restore("home", given())).toMatchObject({ written: items.length, kept: 0 });
    expect(await to.homeTable.restore("home", given())).toMatchObject({ same: items.length, kept: 0 });
    await to.homeTable.endRestore("home");
    expect(await to.homeTable.restoring("home")).toBeUndefined();
    for (const read of [
      (index: DeviceIndex) => index.list("home", "areas"),
      (index: DeviceIndex) => index.history("home", ["areas"]),
      (index: DeviceIndex) => index.seen("home"),
    ])
      expect(await read(to.index)).toEqual(await read(from.index));
    expect(await to.index.list("other", "areas")).toEqual([]);
  });
}
