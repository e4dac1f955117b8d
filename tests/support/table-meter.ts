import type { AwsClient } from "../../lib/adapters/aws/client.ts";
import type { Clock } from "../../lib/base/clock.ts";

interface Capacity {
  readonly CapacityUnits?: number;
}
interface WireKey {
  readonly pk?: { readonly S?: string };
}
interface WireWrite {
  readonly PutRequest?: { readonly Item: WireKey };
  readonly DeleteRequest?: { readonly Key: WireKey };
}

/** Units of one partition key in one second. */
export interface Load {
  readonly pk: string;
  readonly second: number;
  reads: number;
  writes: number;
}

const READS: ReadonlySet<string> = new Set(["GetItem", "BatchGetItem", "Query"]);

/**
 * A client that has DynamoDB itself count what each call costs, by partition key and by second of the clock: a partition gives 3,000 read units and 1,000 write units a
 * second, whatever the table may take. Source: DynamoDB developer guide, "Best practices for designing partition keys"; read 2026-11.
 */
export function meteredClient(client: AwsClient, clock: Pick<Clock, "nowMs">) {
  const loads = new Map<string, Load>();

  async function count<O>(operation: string, input: object, pk: string): Promise<O> {
    const answer = await client.call<O & { ConsumedCapacity?: Capacity | readonly Capacity[] }>(operation, {
      ...input,
      ReturnConsumedCapacity: "TOTAL",
    });
    const units = [answer.ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
    const second = Math.floor(clock.nowMs() / 1000);
    const load = loads.get(`${second} ${pk}`) ?? { pk, second, reads: 0, writes: 0 };
    load[READS.has(operation) ? "reads" : "writes"] += units;
    loads.set(`${second} ${pk}`, load);
    return answer;
  }

  const metered: AwsClient = {
    call<O>(operation: string, input: object): Promise<O> {
      const pks = [...new Set(partitionsOf(operation, input))];
      // The answer to a batch does not say which partition cost what; ours never ask two at once.
      if (pks.length > 1) throw new Error(`${operation} of ${pks.length} partitions`);
      return count(operation, input, pks[0] ?? "");
    },
  };

  return {
    client: metered,
    /** The second in which one partition had most to do, as a share of what it gives. */
    worst() {
      const seconds = [...loads.values()];
      const reads = Math.max(0, ...seconds.map((load) => load.reads));
      const writes = Math.max(0, ...seconds.map((load) => load.writes));
      return { reads, writes, share: Math.max(reads / 3_000, writes / 1_000) };
    },
    total: () =>
      [...loads.values()].reduce(
        (sum, { reads, writes }) => ({ reads: sum.reads + reads, writes: sum.writes + writes }),
        {
          reads: 0,
          writes: 0,
        },
      ),
    reset: () => loads.clear(),
  };
}

function partitionsOf(operation: string, input: object): string[] {
  const asked = input as {
    readonly Key?: WireKey;
    readonly Item?: WireKey;
    readonly ExpressionAttributeValues?: { readonly ":pk"?: { readonly S?: string } };
    readonly RequestItems?: Readonly<Record<string, readonly WireWrite[] | { readonly Keys: readonly WireKey[] }>>;
  };
  const textOf = ({ pk }: WireKey): string => pk?.S ?? "";
  if (operation === "Query") return [asked.ExpressionAttributeValues?.[":pk"]?.S ?? ""];
  if (!asked.RequestItems) return [textOf(asked.Key ?? asked.Item ?? {})];
  return Object.values(asked.RequestItems).flatMap((request) =>
    "Keys" in request
      ? request.Keys.map(textOf)
      : (request as readonly WireWrite[]).map((one) => textOf(one.PutRequest?.Item ?? one.DeleteRequest?.Key ?? {})),
  );
}
