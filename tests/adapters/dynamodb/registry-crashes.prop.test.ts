import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDynamodbDeviceIndex } from "../../../lib/adapters/dynamodb/device-index.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import type { Area } from "../../../lib/devices/ports.ts";
import { runs } from "../../support/depth.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
let table: Table;
beforeAll(async () => {
  server = await startDynaliteServer();
  table = await tableAt(server.url, "registry-crashes");
});
afterAll(() => server.stop());

const PARTS = 2;
/** What a revision holds: a few of nine areas, by the bits of its own number. */
const rowsOf = (revision: number, part: number): Area[] =>
  [...(((revision * 2_654_435_761) >>> (part * 9)) & 511).toString(2).padStart(9, "0")].flatMap((bit, at) =>
    bit === "1" ? [{ areaId: `${part}/${at}`, name: "", labels: [] }] : [],
  );
const idsOf = (revision: number) =>
  [1, 2].flatMap((part) => rowsOf(revision, part).map(({ areaId }) => areaId)).toSorted();

/** A table whose next writer is killed before, or right after, the writes that are named. */
function dying(kills: (number | undefined)[], isDone: boolean): Table {
  let writes = 0;
  const writing = async (work: () => Promise<void>): Promise<void> => {
    const isLast = writes++ === kills[0];
    if (isLast) {
      kills.shift();
      writes = 0;
      if (isDone) await work();
      throw new Error("killed");
    }
    await work();
  };
  return {
    ...table,
    put: (...given) => writing(() => table.put(...given)),
    writeMany: (...given) => writing(() => table.writeMany(...given)),
  };
}

let homes = 0;

it("holds the newest whole revision and a history without holes, whoever is killed between whichever writes", async () => {
  const part = fc.record({ revision: fc.integer({ min: 1, max: 6 }), part: fc.integer({ min: 1, max: PARTS }) });
  const kills = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 24 }),
      fc.tuple(kills, kills),
      fc.boolean(),
      async (given, killed, isDone) => {
        const home = `home-${++homes}`;
        // Every part of the last revision comes at some time; the others as it happens, twice or never.
        const queue = [...given, { revision: 7, part: 2 }, { revision: 7, part: 1 }];
        const worker = async (own: number[]) => {
          const index = createDynamodbDeviceIndex(dying(own, isDone));
          for (let one = queue.shift(); one; one = queue.shift()) {
            const rows = rowsOf(one.revision, one.part);
            for (let isApplied = false; !isApplied; )
              isApplied = await index.applyRegistry(home, { registry: "areas", parts: PARTS, ...one, rows }).then(
                () => true,
                (thrown: Error) => {
                  if (thrown.message !== "killed") throw thrown;
                  return false;
                },
              );
          }
        };
        await Promise.all(killed.map(worker));
        const index = createDynamodbDeviceIndex(table);
        expect((await index.list(home, "areas")).map(({ areaId }) => areaId).toSorted()).toEqual(idsOf(7));
        expect(await index.revisions(home)).toEqual({ areas: 7 });
        let ids = idsOf(7);
        for (const { revision, from, changes } of await index.history(home, ["areas"])) {
          expect(idsOf(revision)).toEqual(ids);
          ids = idsOf(from);
          const of = (kind: string) => changes.flatMap((change) => (change.kind === kind ? change.id : [])).toSorted();
          expect(of("added")).toEqual(idsOf(revision).filter((id) => !ids.includes(id)));
          expect(of("removed")).toEqual(ids.filter((id) => !idsOf(revision).includes(id)));
        }
      },
    ),
    { numRuns: runs(60) },
  );
}, 60_000);
