import type {
  DescribeTableResponse,
  MagneticStoreWriteProperties,
  RetentionProperties,
  Table,
} from "@aws-sdk/client-timestream-write";
import { HearthlineError } from "../../base/errors.ts";
import { ABSENT } from "./cells.ts";
import { callTable, type Timestream } from "./context.ts";
import { asStoreError, isOfType } from "./failures.ts";
import { MAGNETIC_MAX_DAYS } from "./limits.ts";
import { encodeEvent } from "./row.ts";

/** Creating and deleting are allowed once a second for the whole account. */
const CRUD_ATTEMPTS = 10;
/** A table that is being deleted keeps its name for some minutes. */
const READY_WAIT_MS = 5_000;
const READY_WAITS = 60;

/** How long the memory store keeps: what is older when it comes goes to the magnetic store, and is seen some hours later. */
export interface Keeping {
  readonly memoryHours: number;
  readonly rawDays: number;
}

export async function setUpTable(store: Timestream, { memoryHours, rawDays }: Keeping): Promise<void> {
  const { database, table } = store.name;
  const days = Math.ceil(rawDays);
  if (!(days >= 1 && days <= MAGNETIC_MAX_DAYS)) {
    const wanted = `it takes 1 to ${MAGNETIC_MAX_DAYS} days.`;
    throw new HearthlineError("store_incompatible", `Timestream cannot keep events for ${rawDays} days: ${wanted}`);
  }
  const settings = {
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: memoryHours, MagneticStoreRetentionPeriodInDays: days },
    MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true },
  };
  const there = await describe(store);
  if (!there) {
    await create(store, "CreateDatabase", { DatabaseName: database });
    const key = { Type: "DIMENSION", Name: "home", EnforcementInRecord: "REQUIRED" };
    const schema = { Schema: { CompositePartitionKey: [key] } };
    await create(store, "CreateTable", { DatabaseName: database, TableName: table, ...settings, ...schema });
  } else {
    refuseForeign(store, there);
    if (there.TableStatus === "ACTIVE" && !isKept(there, settings)) {
      await callTable(store, "UpdateTable", settings, { attempts: CRUD_ATTEMPTS });
    }
  }
  const ready = await waitUntilReady(store);
  refuseForeign(store, ready);
  if (!isKept(ready, settings)) {
    const state = `keeps ${ready.RetentionProperties?.MagneticStoreRetentionPeriodInDays} days`;
    const said = `The table "${database}"."${table}" ${state} after it was told ${days}`;
    throw new HearthlineError("store_unavailable", `${said}; somebody else sets it, or it needs a moment more.`);
  }
  await makeColumns(store);
}

interface Settings {
  readonly RetentionProperties: RetentionProperties;
  readonly MagneticStoreWriteProperties: MagneticStoreWriteProperties;
}

function isKept(table: Table, settings: Settings): boolean {
  const { RetentionProperties: kept, MagneticStoreWriteProperties: late } = table;
  const wanted = settings.RetentionProperties;
  return (
    kept?.MagneticStoreRetentionPeriodInDays === wanted.MagneticStoreRetentionPeriodInDays &&
    kept?.MemoryStoreRetentionPeriodInHours === wanted.MemoryStoreRetentionPeriodInHours &&
    late?.EnableMagneticStoreWrites === true
  );
}

async function create(store: Timestream, operation: string, input: object): Promise<void> {
  try {
    await store.writes.call(operation, input, { attempts: CRUD_ATTEMPTS });
  } catch (thrown) {
    if (!isOfType(thrown, "ConflictException")) throw asStoreError(thrown, store.name);
  }
}

async function waitUntilReady(store: Timestream): Promise<Table> {
  for (let waits = 0; ; waits++) {
    const table = await describe(store);
    if (table?.TableStatus === "ACTIVE") return table;
    if (waits === READY_WAITS) {
      const said = `The table "${store.name.database}"."${store.name.table}" is ${table?.TableStatus ?? "not there"}`;
      const waited = (READY_WAITS * READY_WAIT_MS) / 1000;
      throw new HearthlineError("store_unavailable", `${said} after ${waited} s; wanted is ACTIVE. Try again later.`);
    }
    await store.clock.sleep(READY_WAIT_MS);
  }
}

/** undefined: there is no such database or table. */
async function describe({ writes, name }: Timestream): Promise<Table | undefined> {
  try {
    const named = { DatabaseName: name.database, TableName: name.table };
    return (await writes.call<DescribeTableResponse>("DescribeTable", named)).Table;
  } catch (thrown) {
    if (isOfType(thrown, "ResourceNotFoundException")) return undefined;
    throw asStoreError(thrown, name);
  }
}

/** The table, ours and ready. @throws HearthlineError `store_incompatible`, `store_unavailable` */
export async function tableOf(store: Timestream): Promise<Table> {
  const { Table: table } = await callTable<DescribeTableResponse>(store, "DescribeTable");
  refuseForeign(store, table ?? {});
  if (table?.TableStatus === "ACTIVE") return table;
  const said = `The table "${store.name.database}"."${store.name.table}" is ${table?.TableStatus}; wanted is ACTIVE.`;
  throw new HearthlineError("store_unavailable", said);
}

/** Its partition key is what tells our table from others, and cannot be changed later. */
function refuseForeign({ name }: Timestream, { Schema }: Table): void {
  const [key] = Schema?.CompositePartitionKey ?? [];
  if (key?.Name === "home") return;
  const said = `The table "${name.database}"."${name.table}" is partitioned by ${key?.Name ? `"${key.Name}"` : "measure"}`;
  throw new HearthlineError("store_incompatible", `${said}, so it is not ours. Wanted is another database, or none.`);
}

/**
 * Columns come to be with the first record that has them, and a query of one that is not there fails. So one record of each measure is written, of a home
 * whose name no home has: a tilde alone is never a cell of a text.
 */
async function makeColumns(store: Timestream): Promise<void> {
  const nowUs = Math.floor(store.clock.nowMs()) * 1000;
  const common = {
    ...{ Dimensions: [{ Name: "home", Value: ABSENT }], Time: String(nowUs) },
    ...{ TimeUnit: "MICROSECONDS", MeasureValueType: "MULTI", Version: nowUs },
  };
  const Records = [sample(21.5), sample(true)].flatMap((event) =>
    event
      ? [{ MeasureName: "event", ...event.head }, ...event.parts.map((part) => ({ MeasureName: "part", ...part }))]
      : [],
  );
  await callTable(store, "WriteRecords", {
    CommonAttributes: common,
    Records: Records.map(({ Time, ...rest }) => rest),
  });
}

/** An event with every column, and so long that it has a part. */
const sample = (value: number | boolean) =>
  encodeEvent({
    ...{
      homeId: "",
      entityId: `columns.${typeof value}`,
      atUs: 0,
      lastChangedUs: 0,
      kind: "snapshot",
      source: "import",
    },
    ...{ state: String(value), value, quality: "ok", domain: "columns", localTime: "", dayPart: "night", origin: "" },
    ...{ context: { id: "" }, attributes: { text: "x".repeat(2_048) } },
  });

/** Deletes the table, and the database unless it holds others' tables. */
export async function dropTable(store: Timestream): Promise<void> {
  const { database, table } = store.name;
  await remove(store, "DeleteTable", { DatabaseName: database, TableName: table });
  await remove(store, "DeleteDatabase", { DatabaseName: database });
}

async function remove(store: Timestream, operation: string, input: object): Promise<void> {
  try {
    await store.writes.call(operation, input, { attempts: CRUD_ATTEMPTS });
  } catch (thrown) {
    if (isOfType(thrown, "ResourceNotFoundException")) return;
    // There are other tables in it.
    if (operation === "DeleteDatabase" && isOfType(thrown, "ValidationException")) return;
    throw asStoreError(thrown, store.name);
  }
}
