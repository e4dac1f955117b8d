import { HearthlineError } from "../../base/errors.ts";
import { type Answer, authorizationOf, parseAnswer, type Series } from "../influxdb/influxql.ts";
import { type AskOptions, askOld, malformed, type OldAnswer, refuseFailure, said } from "./old-ask.ts";

export interface InfluxAccess {
  readonly url: string;
  readonly database: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

export interface InfluxOld {
  /** One InfluxQL question; its series, as many as the server gives. */
  query(statement: string): Promise<readonly Series[]>;
  /** undefined: the server may have cut the answer. */
  queryWhole(statement: string): Promise<readonly Series[] | undefined>;
  /** Another of its addresses. */
  get(path: string): Promise<OldAnswer>;
}

/** Such rows are no answer of one page: 1.x marks answers beyond 10,000 rows as partial whether it has cut them or not, so none so long is asked for. */
export const SAFE_ROWS = 10_000;

/** @throws (from both) HearthlineError service errors, `old_malformed`; and from `query` `service_refused`, `request_invalid` (no such database) */
export function createInfluxOld(access: InfluxAccess): InfluxOld {
  const { database, user, password, token, timeoutMs } = access;
  const authorization = authorizationOf(user, user === undefined ? token : password);
  const options: AskOptions = {
    fetch: access.fetch,
    headers: { ...(authorization && { authorization }) },
    timeoutMs,
  };
  const at = (path: string): URL => {
    const url = new URL(access.url);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}${path}`;
    return url;
  };
  const ask = async (statement: string): Promise<Answer> => {
    const body = new URLSearchParams({ db: database, epoch: "u", q: statement }).toString();
    const asked = { method: "POST", body, contentType: "application/x-www-form-urlencoded" } as const;
    return checked(await askOld(at("/query"), asked, options), database);
  };
  return {
    get: (path) => askOld(at(path), {}, options),
    query: async (statement) => (await ask(statement)).series,
    async queryWhole(statement) {
      const { series, isCut } = await ask(statement);
      return isCut && series.reduce((sum, { values }) => sum + values.length, 0) >= SAFE_ROWS ? undefined : series;
    },
  };
}

function checked(answer: OldAnswer, database: string): Answer {
  const parsed: Answer | undefined = parseAnswer(answer.text);
  const error = parsed?.error;
  if (error !== undefined && /database not found|bucket not found/.test(error))
    throw new HearthlineError(
      "request_invalid",
      `The old pipeline was asked ${answer.what} and has no database "${database}" (${error}); wanted is the one that Home Assistant writes to.`,
    );
  refuseFailure(answer);
  if (!parsed)
    throw malformed(answer.what, `${answer.status} with what is no answer of InfluxQL: ${said(answer.text)}`);
  if (error !== undefined) {
    if (/timeout|too many|overload|hinted/i.test(error))
      throw new HearthlineError("service_failed", `The old pipeline was asked ${answer.what} and answered: ${error}`);
    throw malformed(answer.what, `${answer.status} with an error inside: ${said(error)}`);
  }
  for (const { columns, values } of parsed.series)
    if (values.some((row) => !Array.isArray(row) || row.length !== columns.length))
      throw malformed(answer.what, "rows that are not as long as their columns");
  return parsed;
}
