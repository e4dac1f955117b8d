import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { homePartition, patternPieceKey } from "../../../lib/adapters/dynamodb/keys.ts";
import { createDynamodbPatternStore } from "../../../lib/adapters/dynamodb/patterns.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import type { Clock } from "../../../lib/base/clock.ts";
import { startDynaliteServer, tableAt } from "../../support/dynalite.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { buildPattern } from "../../support/patterns.ts";

let server: Awaited<ReturnType<typeof startDynaliteServer>>;
/** Who is too late waits a moment before he tries again. */
const atOnce = (clock: Clock): Clock => ({ ...clock, sleep: async () => {} });
let table: Table;
/** Of `many`. */
let pieces: number;
beforeAll(async () => {
  server = await startDynaliteServer();
  table = { ...(await tableAt(server.url, "pieces")), clock: atOnce(manualClock()) };
  await createDynamodbPatternStore(table).change("whole", () => many(1));
  pieces = (await piecesOf("whole")).length;
});
afterAll(() => server.stop());

const noise = (text: string): string =>
  Array.from({ length: 40 }, (_, at) => createHash("sha512").update(`${text} ${at}`).digest("base64")).join("");
/** Too many for one item. */
const many = (night: number) =>
  Array.from({ length: 150 }, (_, at) => buildPattern({ id: `p-${at}`, title: noise(`${night} ${at}`) })).toSorted(
    (a, b) => (a.id < b.id ? -1 : 1),
  );

async function piecesOf(homeId: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { sk } of table.query({ pk: homePartition(homeId), prefix: "PATTERNROWS#", keysOnly: true }))
    found.push(String(sk));
  return found;
}

const writesOf = async (homeId: string) =>
  new Set((await piecesOf(homeId)).map((sk) => sk.slice(0, sk.lastIndexOf("#"))));
const killedStore = () =>
  createDynamodbPatternStore({
    ...table,
    put: async () => {
      throw new Error("killed");
    },
  });

it("of a write that ended before its head are cleared away by the next one, and no others", async () => {
  for (const home of ["home", "other"])
    await expect(killedStore().change(home, () => many(1))).rejects.toThrow("killed");
  const [left, others] = [await piecesOf("home"), await piecesOf("other")];
  expect(left.length).toBeGreaterThan(1);
  const store = createDynamodbPatternStore(table);
  await store.change("home", () => many(2));
  const there = await piecesOf("home");
  expect(there.filter((sk) => left.includes(sk))).toEqual([]);
  expect(there.length).toBe(left.length);
  expect(await store.list("home")).toEqual(many(2));
  expect(await piecesOf("other")).toEqual(others);
});

it.each([
  ["whose clock is right", 0],
  ["whose clock is a day behind", -86_400_000],
  ["whose clock is a day ahead", 86_400_000],
])(
  "of two writers at once, one %s, are never taken from the head that stands, wherever the other is",
  async (_, offsetMs) => {
    const steps = ["query", "writeMany", "put"] as const;
    for (const at of steps) {
      const home = `at-once ${offsetMs} ${at}`;
      const store = createDynamodbPatternStore(table);
      await store.change(home, () => many(1));
      const other = createDynamodbPatternStore({
        ...table,
        clock: atOnce(manualClock(table.clock.nowMs() + offsetMs)),
      });
      let isFirst = true;
      // The other writes wholly while this one stands before, or behind, a step of its own.
      const interrupted = (isBehind: boolean): Table => {
        const between = async () => {
          if (!isFirst) return;
          isFirst = false;
          await other.change(home, () => many(2));
        };
        const around =
          <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
          async (...args: A): Promise<R> => {
            if (name === at && !isBehind) await between();
            const answer = await call(...args);
            if (name === at && isBehind) await between();
            return answer;
          };
        return {
          ...table,
          put: around("put", table.put),
          writeMany: around("writeMany", table.writeMany),
          query: async function* (query) {
            if (at === "query" && !isBehind) await between();
            yield* table.query(query);
            if (at === "query" && isBehind) await between();
          },
        };
      };
      for (const isBehind of [false, true]) {
        isFirst = true;
        await createDynamodbPatternStore(interrupted(isBehind)).change(home, () => many(3));
        expect(isFirst).toBe(false);
        const all = await store.list(home);
        expect([JSON.stringify(many(2)), JSON.stringify(many(3))]).toContain(JSON.stringify(all));
        await store.change(home, () => many(4));
        // None is left over: as many as one write has.
        expect((await piecesOf(home)).length).toBe((await writesOf(home)).size * pieces);
        expect((await writesOf(home)).size).toBe(1);
      }
    }
  },
);

it("stay when a write is sent again because its answer was lost", async () => {
  let lost = 0;
  const again: Table = {
    ...table,
    put: async (item, condition) => {
      await table.put(item, condition);
      lost++;
      await table.put(item, condition);
    },
  };
  const store = createDynamodbPatternStore(again);
  for (const night of [1, 2]) {
    await store.change("lost", () => many(night));
    expect(await store.list("lost")).toEqual(many(night));
  }
  expect(lost).toBe(2);
  expect((await piecesOf("lost")).length).toBe(pieces);
});

it("are cleared away some at a time when they are very many", async () => {
  const store = createDynamodbPatternStore(table);
  const { pk, sk } = patternPieceKey("crowded", { write: "patterns 1 1", piece: 0 });
  const left = Array.from({ length: 2_500 }, (_, at) => ({ pk, sk: sk.replace(/#0$/, `#${at}`) }));
  await table.writeMany({ puts: left });
  const counts: number[] = [];
  for (const night of [1, 2, 3, 4]) {
    await store.change("crowded", () => many(night));
    counts.push((await piecesOf("crowded")).length - pieces);
  }
  expect(counts).toEqual([1_500, 500, 0, 0]);
  expect(await store.list("crowded")).toEqual(many(4));
});
