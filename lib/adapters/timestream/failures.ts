import { HearthlineError, isHearthlineError } from "../../base/errors.ts";
import { AwsError } from "../aws/client.ts";
import type { TableName } from "./sql.ts";

/** What AWS says since 2025-06-20 to an account that had no LiveAnalytics before. */
const CLOSED = /Only existing Timestream for LiveAnalytics customers/;
/** How a query says that there is no such database or table. */
const NOT_THERE = /^Requested (database|table) |(Table|Database|Schema) .*does not exist/i;
/** Columns come to be with their first record; until then, and a moment longer, a query does not know them. */
const COLUMN_UNKNOWN = /Column '[^']*' (does not exist|cannot be resolved)/;

/** True of a query of a table that never had a record of ours: it has no rows then. */
export const isColumnUnknown = (thrown: unknown): boolean =>
  thrown instanceof AwsError && thrown.type === "ValidationException" && COLUMN_UNKNOWN.test(thrown.message);

export const isOfType = (thrown: unknown, ...types: readonly string[]): thrown is AwsError =>
  thrown instanceof AwsError && types.includes(thrown.type);

/** An error of AWS in the words of a store; others as they are. */
export function asStoreError(thrown: unknown, { database, table }: TableName): unknown {
  if (!(thrown instanceof AwsError)) return isNowhere(thrown) ? nowhere(thrown) : thrown;
  const store = `"${database}"."${table}"`;
  const told = (code: "store_refused" | "store_incompatible", said: string) =>
    new HearthlineError(code, said, { cause: thrown });
  if (CLOSED.test(thrown.message)) {
    const said =
      "Amazon Timestream for LiveAnalytics takes no new customers since 2025-06-20, and this account had none.";
    return told("store_refused", `${said} Wanted is another store: HEARTHLINE_STORE=parquet keeps events in S3.`);
  }
  const isQuery = thrown.type === "ValidationException" && NOT_THERE.test(saidBy(thrown));
  if (thrown.type === "ResourceNotFoundException" || isQuery) {
    const said = `The table ${store} is not there (in this region and account, or not ready yet): ${thrown.message}.`;
    return told("store_incompatible", `${said} Wanted is that the store is set up, as deploying does.`);
  }
  if (thrown.type === "AccessDeniedException") {
    return told("store_refused", `The credentials have no right to the table ${store}: ${thrown.message}`);
  }
  if (thrown.type === "ValidationException") {
    return told("store_incompatible", `Timestream did not understand a request about ${store}: ${thrown.message}`);
  }
  if (thrown.type === "ServiceQuotaExceededException") {
    return new HearthlineError("store_full", `A quota of the account is used up: ${thrown.message}`, { cause: thrown });
  }
  return thrown;
}

/** The service's own words alone. */
function saidBy({ body }: AwsError): string {
  return String(body.message ?? body.Message ?? "");
}

/** The name of a service in a region that does not have it cannot be found. */
const isNowhere = (thrown: unknown): thrown is HearthlineError =>
  isHearthlineError(thrown) && thrown.code === "service_unreachable" && thrown.message.includes("ENOTFOUND");

const nowhere = (thrown: HearthlineError) =>
  new HearthlineError(
    thrown.code,
    `${thrown.message} Either there is no network, or the region has no Timestream for LiveAnalytics: only some have.`,
    { cause: thrown },
  );
