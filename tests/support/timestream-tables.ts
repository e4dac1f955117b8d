import type { Clock } from "../../lib/base/clock.ts";
import { invalid, merge, ServiceError, type WireRecord } from "./timestream-records.ts";
import { type Condition, parseSql, SqlError, type Statement } from "./timestream-sql.ts";

interface Row {
  readonly key: string;
  readonly timeUs: number;
  readonly version: number;
  /** Dimensions, measure name and measures. */
  readonly values: Readonly<Record<string, string>>;
  readonly measures: Readonly<Record<string, string>>;
}

interface Table {
  readonly settings: Record<string, unknown> & { RetentionProperties: Retention };
  /** Types of its columns: they come to be with the first record that has them. */
  readonly columns: Map<string, string>;
  readonly rows: Map<string, Row>;
  /** Each home's rows by time; undefined: to be sorted again. */
  readonly sorted: Map<string, Row[] | undefined>;
}
interface Retention {
  readonly MemoryStoreRetentionPeriodInHours: number;
  readonly MagneticStoreRetentionPeriodInDays: number;
}

const HOUR_US = 3_600_000_000;
const AHEAD_US = 15 * 60_000_000;
const PAGE_ROWS = 1_000;

export class SmallTimestreamTables {
  /** Records of these measures are written but not seen. */
  readonly unseen = new Set<string>();
  /** What DescribeTable says of the table. */
  status = "ACTIVE";
  readonly databases = new Map<string, Map<string, Table>>();
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #forgets: boolean;
  readonly #pages = new Map<string, { columns: readonly string[]; rows: readonly Row[]; table: Table }>();
  #queries = 0;

  constructor(clock: Pick<Clock, "nowMs">, forgets: boolean) {
    this.#clock = clock;
    this.#forgets = forgets;
  }

  call(operation: string, input: Record<string, unknown>): object {
    const name = String(input.DatabaseName);
    if (operation === "CreateDatabase") {
      if (this.databases.has(name)) throw new ServiceError("ConflictException", "it is there");
      this.databases.set(name, new Map());
      return { Database: { DatabaseName: name } };
    }
    if (operation === "Query") return this.#query(input);
    const database = this.databases.get(name);
    if (!database) throw new ServiceError("ResourceNotFoundException", `The database ${name} does not exist.`);
    if (operation === "DeleteDatabase") {
      if (database.size > 0) throw invalid("The database has tables.");
      this.databases.delete(name);
      return {};
    }
    return this.#callTable(operation, input, database);
  }

  #callTable(operation: string, input: Record<string, unknown>, database: Map<string, Table>): object {
    const name = String(input.TableName);
    if (operation === "CreateTable") {
      if (database.has(name)) throw new ServiceError("ConflictException", "it is there");
      const settings = {
        Schema: { CompositePartitionKey: [{ Type: "MEASURE" }] },
        ...input,
      } as unknown as Table["settings"];
      database.set(name, { settings, columns: new Map(), rows: new Map(), sorted: new Map() });
    }
    const table = database.get(name);
    if (!table) throw new ServiceError("ResourceNotFoundException", `The table ${name} does not exist.`);
    if (operation === "UpdateTable") Object.assign(table.settings, input);
    if (operation === "DeleteTable") database.delete(name);
    if (operation === "WriteRecords") return this.#write(table, input);
    return { Table: { ...table.settings, TableStatus: this.status } };
  }

  #write(table: Table, input: Record<string, unknown>): object {
    const records = (input.Records ?? []) as WireRecord[];
    if (records.length < 1 || records.length > 100) throw invalid(`${records.length} records`);
    const merged = records.map((record) => merge((input.CommonAttributes ?? {}) as WireRecord, record));
    const rejected = merged.flatMap((record, RecordIndex) => {
      const problem = this.#put(table, record);
      return problem ? [{ RecordIndex, ...problem }] : [];
    });
    if (rejected.length === 0) return { RecordsIngested: { Total: records.length } };
    const message = "One or more records have been rejected. See RejectedRecords for details.";
    throw new ServiceError("RejectedRecordsException", message, { status: 419, body: { RejectedRecords: rejected } });
  }

  #put(table: Table, record: Required<WireRecord>): { Reason: string; ExistingVersion?: number } | undefined {
    const timeUs = Number(record.Time);
    const problem = this.#windowProblem(table, timeUs) ?? typeProblem(table, record);
    if (problem) return { Reason: problem };
    const dimensions = Object.fromEntries(record.Dimensions.map(({ Name, Value }) => [Name, Value]));
    const measures = Object.fromEntries(record.MeasureValues.map(({ Name, Value }) => [Name, Value]));
    const key = JSON.stringify([Object.entries(dimensions).sort(), timeUs, record.MeasureName]);
    const there = table.rows.get(key);
    if (there && there.version > record.Version) {
      const than = `version ${record.Version} is lower than the existing version ${there.version}.`;
      return { Reason: `The record ${than} A higher version is required.`, ExistingVersion: there.version };
    }
    if (there?.version === record.Version && JSON.stringify(there.measures) !== JSON.stringify(measures)) {
      return { Reason: "A record already exists with the same time, dimensions, measure name, and record version." };
    }
    const kept = this.#forgets || !there ? measures : { ...there.measures, ...measures };
    const values = { ...kept, ...dimensions, measure_name: record.MeasureName };
    table.rows.set(key, { key, timeUs, version: record.Version, values, measures: kept });
    for (const { Name } of record.Dimensions) table.columns.set(Name, "VARCHAR");
    for (const { Name, Type } of record.MeasureValues) table.columns.set(Name, Type);
    table.sorted.set(dimensions.home ?? "", undefined);
    return undefined;
  }

  #windowProblem(table: Table, timeUs: number): string | undefined {
    const nowUs = this.#clock.nowMs() * 1000;
    const { MemoryStoreRetentionPeriodInHours: hours, MagneticStoreRetentionPeriodInDays: days } =
      table.settings.RetentionProperties;
    const late = table.settings.MagneticStoreWriteProperties as { EnableMagneticStoreWrites?: boolean } | undefined;
    const isLateTaken = late?.EnableMagneticStoreWrites === true;
    const fromUs = nowUs - (isLateTaken ? days * 24 : hours) * HOUR_US;
    if (timeUs >= fromUs && timeUs < nowUs + AHEAD_US) return undefined;
    const where = isLateTaken ? "data ingestion window" : "memory store";
    return `The record timestamp is outside the time range [${fromUs}, ${nowUs + AHEAD_US}) of the ${where}.`;
  }

  #query(input: Record<string, unknown>): object {
    const token = input.NextToken as string | undefined;
    const page = token === undefined ? undefined : this.#pages.get(token);
    if (token !== undefined && !page) throw invalid("Invalid pagination token");
    const { columns, rows, table } = page ?? this.#select(String(input.QueryString));
    const isPut = token === undefined && ++this.#queries % 3 === 0;
    const now = isPut ? [] : rows.slice(0, PAGE_ROWS);
    const rest = rows.slice(now.length);
    const NextToken = `token-${this.#pages.size}`;
    if (rest.length > 0) this.#pages.set(NextToken, { columns, rows: rest, table });
    return {
      QueryId: "Q",
      ColumnInfo: columns.map((Name) => ({ Name, Type: { ScalarType: typeOf(table, Name) } })),
      Rows: now.map((row) => ({ Data: columns.map((name) => datumOf(row, name)) })),
      QueryStatus: { ProgressPercentage: rest.length > 0 ? 50 : 100 },
      ...(rest.length > 0 && { NextToken }),
    };
  }

  #select(sql: string): { columns: readonly string[]; rows: readonly Row[]; table: Table } {
    const statement = parsed(sql);
    const { columns, conditions, order, limit = Number.POSITIVE_INFINITY } = statement;
    const table = this.databases.get(statement.database)?.get(statement.table);
    if (!table) {
      throw invalid(
        `Requested table '${statement.table}' not found for identifier in database '${statement.database}'`,
      );
    }
    for (const name of [...columns, ...conditions.map(({ column }) => column)]) {
      if (typeOf(table, name) === undefined) throw invalid(`line 1:8: Column '${name}' does not exist`);
    }
    for (const condition of conditions) checkTypes(table, condition);
    if (order && order.column !== "time") throw invalid("this emulation orders by time only");
    const own = this.#sortedRows(table, conditions);
    const [from, to] = boundsOf(own, conditions);
    const found: Row[] = [];
    const step = order?.isDescending ? -1 : 1;
    for (let at = step > 0 ? from : to - 1; at >= from && at < to && found.length < limit; at += step) {
      const row = own[at];
      if (!row || this.unseen.has(row.values.measure_name ?? "")) continue;
      if (conditions.every((condition) => matches(row, condition))) found.push(row);
    }
    return { columns, rows: order ? found : found.reverse(), table };
  }

  /** Of one home, by time; rows of one moment in no order that means anything. */
  #sortedRows(table: Table, conditions: readonly Condition[]): readonly Row[] {
    const [home] = conditions.find(({ column, operator }) => column === "home" && operator === "=")?.values ?? [];
    if (!home || !("text" in home)) throw invalid("a statement without a home");
    const sorted = table.sorted.get(home.text);
    if (sorted || !table.sorted.has(home.text)) return sorted ?? [];
    const rows = [...table.rows.values()]
      .filter(({ values }) => values.home === home.text)
      .sort((a, b) => a.timeUs - b.timeUs || (scrambled(a.key) < scrambled(b.key) ? 1 : -1));
    table.sorted.set(home.text, rows);
    return rows;
  }
}

const scrambled = (key: string) => [...key].reverse().join("");

function parsed(sql: string): Statement {
  try {
    return parseSql(sql);
  } catch (thrown) {
    if (thrown instanceof SqlError) throw invalid(thrown.message);
    throw thrown;
  }
}

function typeProblem(
  { columns, settings }: Table,
  { Dimensions, MeasureValues }: Required<WireRecord>,
): string | undefined {
  const schema = settings.Schema as { CompositePartitionKey: { Name?: string }[] };
  const key = schema.CompositePartitionKey[0]?.Name;
  if (key && !Dimensions.some(({ Name }) => Name === key)) return `the partition key ${key} is missing`;
  const other = MeasureValues.find(({ Name, Type }) => (columns.get(Name) ?? Type) !== Type);
  return other && `the measure ${other.Name} is of another type`;
}

const typeOf = ({ columns }: Table, name: string): string | undefined =>
  name === "time" ? "TIMESTAMP" : name === "measure_name" ? "VARCHAR" : columns.get(name);

function checkTypes(table: Table, { column, operator, values }: Condition): void {
  const type = typeOf(table, column);
  for (const value of values) {
    if (type !== ("text" in value ? "VARCHAR" : "TIMESTAMP"))
      throw invalid(`'${operator}' cannot be applied to ${type}`);
  }
}

const datumOf = (row: Row, name: string): object => {
  if (name === "time") return { ScalarValue: nanoseconds(row.timeUs) };
  const value = row.values[name];
  return value === undefined ? { NullValue: true } : { ScalarValue: value };
};

function nanoseconds(timeUs: number): string {
  const ms = Math.floor(timeUs / 1000);
  const text = new Date(ms).toISOString().replace("T", " ").slice(0, -1);
  return `${text}${String(timeUs - ms * 1000).padStart(3, "0")}000`;
}

function matches(row: Row, { column, operator, values }: Condition): boolean {
  return values.some((value) => {
    const own = "text" in value ? row.values[column] : row.timeUs;
    const other = "text" in value ? value.text : value.timeUs;
    if (own === undefined) return false;
    if (operator === "<") return own < other;
    if (operator === ">=") return own >= other;
    return operator === "<=" ? own <= other : operator === ">" ? own > other : own === other;
  });
}

/** The first and behind the last row that the conditions on time leave. */
function boundsOf(rows: readonly Row[], conditions: readonly Condition[]): [number, number] {
  const first = (timeUs: number) => {
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.timeUs ?? 0) < timeUs) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let [from, to] = [0, rows.length];
  for (const { column, operator, values } of conditions) {
    const [value] = values;
    if (column !== "time" || !value || !("timeUs" in value)) continue;
    if (operator === ">=") from = Math.max(from, first(value.timeUs));
    if (operator === "<") to = Math.min(to, first(value.timeUs));
  }
  return [from, to];
}
