import * as z from "zod";
import type { Ledger, LedgerRow } from "../../ingest/index.ts";
import { jsonAnswer, NOT_MODIFIED, scopedProblems } from "../documented.ts";
import { ledgerDetails } from "../ledger-figures.ts";
import { ledgerPageShape } from "../ledger-shapes.ts";
import { byKey, jsonWithTag, pageOf } from "../listing.ts";
import { cursorParameter, limitParameter, readQuery } from "../query.ts";
import type { ScopedRoute } from "../route.ts";

export interface LedgerParts {
  readonly ledger: Pick<Ledger, "rows">;
}

/** A ledger that is as full as it may get has about 400 KB, and a Lambda function answers at most 6 MB. */
const LIMIT_MAX = 10;

const querySchema = z.strictObject({
  limit: limitParameter.unwrap().max(LIMIT_MAX, "wanted is 10 or less").default(LIMIT_MAX),
  cursor: cursorParameter,
});

export const ledgerRoute = ({ ledger }: LedgerParts): ScopedRoute => ({
  method: "GET",
  path: "/api/v1/ledger",
  scope: "read",
  operation: {
    operationId: "listLedgers",
    summary: "What has arrived of each relay and import, what has not, and why; by relay id",
    tags: ["operation"],
    requestParams: { query: querySchema },
    responses: {
      "200": jsonAnswer("A page of ledgers", ledgerPageShape),
      ...NOT_MODIFIED,
      ...scopedProblems("request_invalid", "cursor_invalid", "cursor_of_another_query"),
    },
  },
  async handle(request, { homeId }) {
    const { limit, cursor } = readQuery(querySchema, request.query);
    const keyOf = ({ relayId }: LedgerRow) => relayId;
    const rows = (await ledger.rows(homeId)).toSorted(byKey(keyOf));
    const { items, next } = pageOf(rows, keyOf, { limit, cursor, query: ["ledger", homeId], view: ledgerDetails });
    return jsonWithTag(request, { ledgers: items, next });
  },
});
