import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../../lib/adapters/dynamodb/device-index.ts";
import { homePartition, prefixOf } from "../../../lib/adapters/dynamodb/keys.ts";
import type { Item } from "../../../lib/adapters/dynamodb/wire-item.ts";
import { HearthlineError } from "../../../lib/base/errors.ts";
import { HISTORY_REVISIONS_MAX } from "../../../lib/devices/ports.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
beforeAll(async () => {
  server = await startDynaliteServer();
});
afterAll(() => server.stop());

const label = (revision: number, rows: readonly string[]) => ({
  registry: "labels" as const,
  revision,
  part: 1,
  parts: 1,
  rows: rows.map((labelId) => ({ labelId, name: labelId })),
});

describe("the history of a registry in the table", () => {
  it("keeps HISTORY_REVISIONS_MAX revisions: older ones are deleted when a write also prunes, and never given", async () => {
    let chance = 0.9;
    const table = await tableAt(server.url, "bounded", { random: () => chance });
    const index = createDynamodbDeviceIndex(table);
    const apply = (revision: number) => index.applyRegistry("home", label(revision, [`${revision}`]));
    for (let revision = 1; revision <= HISTORY_REVISIONS_MAX + 21; revision++) await apply(revision);
    const items = async () => {
      const found: Item[] = [];
      const all = { pk: homePartition("home"), prefix: prefixOf("HISTORY"), keysOnly: true };
      for await (const item of table.query(all)) found.push(item);
      return found.length;
    };
    expect(await items()).toBe(HISTORY_REVISIONS_MAX + 20);
    const history = await index.history("home", ["labels"]);
    expect(history).toHaveLength(HISTORY_REVISIONS_MAX);
    expect(history[0]?.revision).toBe(HISTORY_REVISIONS_MAX + 21);
    chance = 0;
    await apply(HISTORY_REVISIONS_MAX + 22);
    expect(await items()).toBe(HISTORY_REVISIONS_MAX);
  }, 60_000);

  it("tells a change once, also when the function ends between writing it and what says that the revision holds", async () => {
    const table = await tableAt(server.url, "crashing");
    let crashes = 0;
    const failing: typeof table = {
      ...table,
      put: async (item, condition) => {
        if (crashes > 0 && item.sk.startsWith("REGISTRY#")) {
          crashes -= 1;
          throw new HearthlineError("service_unreachable", "ended here");
        }
        await table.put(item, condition);
      },
    };
    const index = createDynamodbDeviceIndex(failing);
    await index.applyRegistry("home", label(1, ["a"]));
    crashes = 1;
    await expect(index.applyRegistry("home", label(2, ["b"]))).rejects.toMatchObject({ code: "service_unreachable" });
    expect(await index.list("home", "labels")).toMatchObject([{ labelId: "a" }]);
    await index.applyRegistry("home", label(2, ["b"]));
    expect(await index.history("home", ["labels"])).toMatchObject([{ revision: 2, from: 1 }]);
    // Overtaken: revision 3 was told and never held, and 4 is told against 2.
    crashes = 1;
    await expect(index.applyRegistry("home", label(3, ["c"]))).rejects.toThrow();
    await index.applyRegistry("home", label(4, ["d"]));
    const history = await index.history("home", ["labels"]);
    expect(history.map(({ revision, from }) => [revision, from])).toEqual([
      [4, 2],
      [2, 1],
    ]);
  });
});
