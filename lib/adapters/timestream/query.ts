import type { QueryRequest, QueryResponse } from "@aws-sdk/client-timestream-query";
import { HearthlineError } from "../../base/errors.ts";
import { parseIsoUs } from "../../base/time.ts";
import type { Timestream } from "./context.ts";
import { asStoreError, isColumnUnknown } from "./failures.ts";
import { QUERY_EXTRA_MS, QUERY_MAX_CHARACTERS } from "./limits.ts";
import type { EventRow } from "./row.ts";

/** For so long a query may answer nothing but "go on". */
const PATIENCE_MS = 120_000;
const EMPTY_PAGE_WAIT_MS = 100;

/**
 * All rows of one statement, in its order. A statement that runs long, or whose rows are more than 1 MB, is answered in pages (the first may be empty);
 * they are read at once, so that the pages of one statement are never mixed with later writes.
 *
 * Cost: queries are charged by compute units (TCU): at least 4 of them for at least 30 seconds once any query runs, about 0.017 dollars for a single
 * small one; many within the 30 seconds cost no more. Source: Timestream's pages on metering and pricing; read 2026-11.
 *
 * Timestream reads are eventually consistent: what was just written may not be seen yet. What is written late, to the magnetic store, is seen within 6 hours.
 */
export async function rowsOf({ queries, name, clock }: Timestream, statement: string): Promise<EventRow[]> {
  if (statement.length > QUERY_MAX_CHARACTERS) {
    const size = `is ${statement.length} characters long; at most ${QUERY_MAX_CHARACTERS} are taken.`;
    throw new HearthlineError("request_invalid", `A query of Timestream ${size} Wanted are fewer or shorter ids.`);
  }
  const rows: EventRow[] = [];
  const untilMs = clock.monotonicMs() + PATIENCE_MS;
  try {
    for (let token: string | undefined; ; ) {
      const request: QueryRequest = { QueryString: statement, NextToken: token };
      const answer = await queries.call<QueryResponse>("Query", request, { extraTimeoutMs: QUERY_EXTRA_MS });
      for (const row of parseAnswer(answer)) rows.push(row);
      token = answer.NextToken;
      if (token === undefined) return rows;
      if (answer.Rows?.length) continue;
      const percent = answer.QueryStatus?.ProgressPercentage ?? 0;
      if (clock.monotonicMs() >= untilMs) {
        const said = `A query is at ${percent} % after ${PATIENCE_MS / 1000} s without a row.`;
        throw new HearthlineError("store_unavailable", `${said} Wanted is a shorter range, or another time.`);
      }
      await clock.sleep(EMPTY_PAGE_WAIT_MS);
    }
  } catch (thrown) {
    if (isColumnUnknown(thrown)) return [];
    throw asStoreError(thrown, name);
  }
}

/** The statements of this adapter ask for texts and times; all else is an answer to somebody else's. */
function parseAnswer({ ColumnInfo = [], Rows = [] }: QueryResponse): EventRow[] {
  return Rows.map(({ Data = [] }) => {
    const texts: Record<string, string> = {};
    let atUs = Number.NaN;
    ColumnInfo.forEach(({ Name = "", Type }, index) => {
      const { ScalarValue, NullValue } = Data[index] ?? {};
      if (NullValue === true) return;
      if (ScalarValue === undefined) throw notOurs(Name, "is no scalar");
      if (Type?.ScalarType === "VARCHAR") texts[Name] = ScalarValue;
      else if (Type?.ScalarType === "TIMESTAMP") atUs = parseIsoUs(`${ScalarValue}Z`);
      else throw notOurs(Name, `is of type ${Type?.ScalarType}`);
    });
    return { atUs, texts };
  });
}

const notOurs = (column: string, state: string) =>
  new HearthlineError(
    "store_incompatible",
    `The column "${column}" of the table ${state}; wanted is a table that this program made.`,
  );
