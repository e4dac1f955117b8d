import type { Clock } from "../../base/clock.ts";
import type { AwsClient } from "../aws/client.ts";
import { asStoreError } from "./failures.ts";
import type { TableName } from "./sql.ts";

/** What every part of the adapter works with. */
export interface Timestream {
  /** Of service `timestream-write`. */
  readonly writes: AwsClient;
  /** Of service `timestream-query`. */
  readonly queries: AwsClient;
  readonly name: TableName;
  readonly clock: Clock;
}

/** One call of the write service about the table. @throws in the words of a store */
export async function callTable<O>(
  { writes, name }: Timestream,
  operation: string,
  input: object = {},
  { attempts }: { readonly attempts?: number } = {},
): Promise<O> {
  try {
    const named = { DatabaseName: name.database, TableName: name.table, ...input };
    return await writes.call<O>(operation, named, attempts === undefined ? {} : { attempts });
  } catch (thrown) {
    throw asStoreError(thrown, name);
  }
}
