import { describe, expect, it } from "vitest";
import type { AwsClient } from "../../../lib/adapters/aws/client.ts";
import { createTable } from "../../../lib/adapters/dynamodb/table.ts";
import { manualClock } from "../../support/manual-clock.ts";

/** As it would travel: what JSON does not carry is not there. */
interface Sent extends Readonly<Record<string, unknown>> {
  readonly RequestItems: { readonly t: readonly object[] & { readonly Keys: readonly object[] } };
}
type Call = readonly [operation: string, input: Sent];

/** A table over a client that answers as told and notes what it was asked. */
function scripted(answer: (operation: string, input: Sent, number: number) => object) {
  const calls: Call[] = [];
  const client: AwsClient = {
    call: async <O>(operation: string, input: object): Promise<O> => {
      const sent = JSON.parse(JSON.stringify(input)) as Sent;
      calls.push([operation, sent]);
      return answer(operation, sent, calls.length) as O;
    },
  };
  const clock = manualClock(1_000_000);
  const slept: number[] = [];
  const impatient = { ...clock, sleep: async (ms: number) => void slept.push(ms) };
  return { table: createTable({ client, name: "t", clock: impatient, random: () => 1 }), calls, slept, clock };
}

const item = (sk: string, more: object = {}) => ({ pk: "p", sk, ...more });
const wire = (sk: string) => ({ pk: { S: "p" }, sk: { S: sk } });

describe("the table", () => {
  it("carries numbers, text, lists and bytes, and leaves out what is undefined", async () => {
    const { table, calls } = scripted((operation) =>
      operation === "GetItem" ? { Item: { ...wire("a"), secret: { B: "AQL/" }, n: { N: "1763790429185382" } } } : {},
    );
    await table.put(
      item("a", { secret: Buffer.from([1, 2, 255]), n: 1_763_790_429_185_382, none: undefined, empty: "" }),
    );
    expect(calls[0]?.[1].Item).toEqual({
      ...wire("a"),
      secret: { B: "AQL/" },
      n: { N: "1763790429185382" },
      empty: { S: "" },
    });
    const got = await table.get({ pk: "p", sk: "a" });
    expect(Buffer.from(got?.secret as Uint8Array)).toEqual(Buffer.from([1, 2, 255]));
    expect(got?.n).toBe(1_763_790_429_185_382);
    expect(calls[1]?.[1]).toMatchObject({ ConsistentRead: true });
  });

  it("may read what lags behind for half the price, and looks again for certain where that finds nothing", async () => {
    const there = new Set(["a", "b"]);
    const { table, calls } = scripted((operation, input) => {
      if (operation === "GetItem") {
        const { sk } = input.Key as { sk: { S: string } };
        const isSeen = there.has(sk.S) || (sk.S === "new" && input.ConsistentRead === true);
        return isSeen ? { Item: wire(sk.S) } : {};
      }
      const { Keys, ConsistentRead } = input.RequestItems.t as unknown as {
        Keys: { sk: { S: string } }[];
        ConsistentRead: boolean;
      };
      const seen = Keys.filter(({ sk }) => there.has(sk.S) || (sk.S === "new" && ConsistentRead));
      return { Responses: { t: seen } };
    });
    expect(await table.get(item("a"), { mayLag: true })).toMatchObject({ sk: "a" });
    expect(await table.get(item("new"), { mayLag: true })).toMatchObject({ sk: "new" });
    expect(await table.get(item("none"), { mayLag: true })).toBeUndefined();
    expect(calls.map(([, input]) => input.ConsistentRead)).toEqual([false, false, true, false, true]);
    calls.length = 0;
    expect((await table.getMany([item("a"), item("b")], { mayLag: true })).map(({ sk }) => sk)).toEqual(["a", "b"]);
    const found = await table.getMany([item("a"), item("new"), item("none")], { mayLag: true });
    expect(found.map(({ sk }) => sk)).toEqual(["a", "new"]);
    expect(calls.map(([, { RequestItems }]) => RequestItems.t)).toMatchObject([
      { ConsistentRead: false },
      { ConsistentRead: false },
      { ConsistentRead: true, Keys: [wire("new"), wire("none")] },
    ]);
  });

  it("writes 25 at a time, and again what was not processed, with growing waits", async () => {
    const { table, calls, slept } = scripted((_, input, number) =>
      number <= 2 ? { UnprocessedItems: { t: input.RequestItems.t.slice(20) } } : {},
    );
    await table.writeMany({
      puts: Array.from({ length: 30 }, (_, at) => item(`put${at}`)),
      deletes: [{ pk: "p", sk: "gone", extra: "not a key" } as { pk: string; sk: string }],
    });
    const sizes = calls.map(([, input]) => input.RequestItems.t.length);
    expect(sizes).toEqual([25, 5, 6]);
    expect(slept).toEqual([50]);
    expect(calls[2]?.[1].RequestItems.t.at(-1)).toEqual({ DeleteRequest: { Key: wire("gone") } });
  });

  it("gives up what is never processed, after a bounded number of attempts", async () => {
    const { table, calls } = scripted((_, input) => ({
      UnprocessedItems: input.RequestItems,
    }));
    await expect(table.writeMany({ puts: [item("a"), item("b")] })).rejects.toMatchObject({
      code: "service_throttled",
      message: expect.stringContaining("2 of 2"),
    });
    expect(calls).toHaveLength(8);
  });

  it("reads 100 at a time, and again what was not processed", async () => {
    const { table, calls } = scripted((_, input, number) => {
      const { Keys } = input.RequestItems.t;
      const done = number === 1 ? Keys.slice(0, 60) : Keys;
      return { Responses: { t: done }, ...(number === 1 && { UnprocessedKeys: { t: { Keys: Keys.slice(60) } } }) };
    });
    const keys = Array.from({ length: 130 }, (_, at) => ({ pk: "p", sk: `${at}` }));
    expect((await table.getMany(keys)).map(({ sk }) => sk)).toEqual(keys.map(({ sk }) => sk));
    expect(calls).toHaveLength(3);
    expect(await table.getMany([])).toEqual([]);
  });

  it("reads every page of a query", async () => {
    const { table, calls } = scripted((_, __, number) => ({
      Items: [wire(`${number}`)],
      ...(number < 3 && { LastEvaluatedKey: wire(`${number}`) }),
    }));
    const read: string[] = [];
    for await (const { sk } of table.query({ pk: "p", prefix: "x#", descending: true, pageSize: 1 })) read.push(sk);
    expect(read).toEqual(["1", "2", "3"]);
    expect(calls[2]?.[1]).toMatchObject({ ExclusiveStartKey: wire("2"), ScanIndexForward: false, Limit: 1 });
  });

  it("takes an expired item for none, everywhere", async () => {
    const expired = { ...wire("old"), expires_at: { N: "1000" } };
    const live = { ...wire("new"), expires_at: { N: "1001" } };
    const { table } = scripted((operation) => ({
      Item: expired,
      Items: [expired, live],
      Responses: { t: [expired, live] },
      ...(operation === "DeleteItem" && { Attributes: expired }),
    }));
    expect(await table.get({ pk: "p", sk: "old" })).toBeUndefined();
    expect((await table.getMany([{ pk: "p", sk: "old" }])).map(({ sk }) => sk)).toEqual(["new"]);
    const read: string[] = [];
    for await (const { sk } of table.query({ pk: "p" })) read.push(sk);
    expect(read).toEqual(["new"]);
    expect(await table.remove({ pk: "p", sk: "old" })).toBe(false);
  });
});
