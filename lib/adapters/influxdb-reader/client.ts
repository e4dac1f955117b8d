import { HearthlineError, messageOf } from "../../base/errors.ts";
import { authorizationOf, parseAnswer, type Series } from "../influxdb/influxql.ts";

export interface InfluxReaderOptions {
  /** Without user, password or path behind the server's own. */
  readonly url: string;
  readonly database: string;
  readonly user?: string | undefined;
  /** Without a user it is a token of InfluxDB 2 (whose 1.x interface answers the same queries). */
  readonly password?: string | undefined;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

const TIMEOUT_MS = 120_000;

/** Asks one InfluxQL question over `/query`. */
export type InfluxQuery = (query: string, signal?: AbortSignal) => Promise<readonly Series[]>;

/** @throws HearthlineError (from the query) `service_unreachable`, `service_timeout`, `service_failed`, `service_refused` (user, password), `request_invalid` (no such database) */
export function createInfluxQuery(options: InfluxReaderOptions): InfluxQuery {
  const { url, database, user, password, fetch: ask = fetch } = options;
  const authorization = authorizationOf(user, password);
  return async (query, signal) => {
    const body = new URLSearchParams({ db: database, epoch: "u", q: query });
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    let text: string;
    try {
      response = await ask(`${url.replace(/\/+$/, "")}/query`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...(authorization && { authorization }) },
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await response.text();
    } catch (thrown) {
      throw notReached(url, timeout.aborted, thrown);
    }
    return readAnswer(text, { url, database, status: response.status });
  };
}

function notReached(url: string, isLate: boolean, cause: unknown): HearthlineError {
  const inner = (cause as { cause?: { code?: string } }).cause?.code ?? messageOf(cause);
  return isLate
    ? new HearthlineError("service_timeout", `InfluxDB at "${url}" did not answer within ${TIMEOUT_MS / 1000} s.`, {
        cause,
      })
    : new HearthlineError("service_unreachable", `InfluxDB at "${url}" cannot be reached (${inner}).`, { cause });
}

interface Asked {
  readonly url: string;
  readonly database: string;
  readonly status: number;
}

function readAnswer(text: string, { url, database, status }: Asked): readonly Series[] {
  const answer = parseAnswer(text);
  const error = answer?.error;
  if (status === 401 || status === 403) {
    throw new HearthlineError(
      "service_refused",
      `InfluxDB at "${url}" answered ${status}${error ? ` (${error})` : ""}: wanted are --user and --password-env of a user who may read "${database}".`,
    );
  }
  if (error !== undefined && /database not found|not found: retention|bucket/.test(error)) {
    throw new HearthlineError(
      "request_invalid",
      `InfluxDB at "${url}" has no database "${database}" (${error}); name the right one with --database.`,
    );
  }
  if (status >= 500)
    throw new HearthlineError("service_failed", `InfluxDB at "${url}" answered ${status}: ${error ?? ""}`);
  if (!answer || status >= 400) {
    throw new HearthlineError(
      "request_invalid",
      `What answers at "${url}" (${status}) is no InfluxDB with InfluxQL${error ? `: ${error}` : ""}; wanted is such as http://influxdb.local:8086.`,
    );
  }
  if (error !== undefined) throw new HearthlineError("service_failed", `InfluxDB at "${url}" answered: ${error}`);
  return answer.series;
}
