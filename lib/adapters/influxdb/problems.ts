import { type ErrorCode, HearthlineError } from "../../base/errors.ts";
import type { HttpAnswer } from "./http.ts";
import { errorOf } from "./influxql.ts";

/** What is asked, for messages. */
export interface Place {
  readonly base: string;
  readonly database: string;
}

const SAID_MAX_CHARACTERS = 300;
/** A wait that the server asks for is kept up to here; then the caller's own retries are the better place. */
const RETRY_AFTER_MAX_MS = 30_000;

/** An error of the store, and what the server asks to wait before another attempt. */
export interface Problem {
  readonly error: HearthlineError;
  readonly retryAfterMs?: number | undefined;
}

/** What the server, or what stands in front of it, means by an answer that is no success. */
export function problemOf(answer: HttpAnswer, { base, database }: Place, does: "read" | "write"): Problem {
  const { status, text, headers, isPage } = answer;
  const said = saidBy(answer);
  const page = isPage ? ` with a web page (is there a sign-in or another server in front?)` : "";
  const what = `InfluxDB at "${base}" answered ${status}${page}${said && `: ${said}`}`;
  const known = problemSaid(isPage ? "" : (errorOf(text) ?? headers.get("x-influxdb-error") ?? ""), {
    base,
    database,
  });
  if (known && status !== 401) return { error: known };
  const make = (code: ErrorCode, wanted = "") => ({ error: new HearthlineError(code, `${what}.${wanted}`) });
  if (status === 401) return make("service_refused", ` Wanted is the right user and password, or the right token.`);
  if (status === 403)
    return does === "write"
      ? make("store_read_only", ` Wanted is a user or a token that may write to "${database}".`)
      : make("service_refused", ` Wanted is a user or a token that may read "${database}".`);
  const retryAfterMs = waitOf(headers.get("retry-after"));
  if (status === 429) return { ...make("service_throttled"), retryAfterMs };
  if (status === 503) return { ...make("store_unavailable"), retryAfterMs };
  if (status >= 300 && status < 400)
    return make("store_incompatible", ` Wanted is InfluxDB's own address, not one that sends elsewhere.`);
  if (status === 404 && !isPage)
    return make(
      "store_incompatible",
      ` Wanted is InfluxDB 1.x, 2.x or 3.x with /write and /query, and the database "${database}".`,
    );
  return make("service_failed");
}

/** What the words of an error mean, of an answer or of one statement of it; undefined: none that is known. */
export function problemSaid(said: string, { base, database }: Place): HearthlineError | undefined {
  const found = MEANINGS.find(([pattern]) => pattern.test(said));
  if (!found) return undefined;
  const [, code, wanted] = found;
  const short = said.replaceAll(/\s+/g, " ").slice(0, SAID_MAX_CHARACTERS);
  return new HearthlineError(code, `InfluxDB at "${base}", database "${database}": ${short}. Wanted is ${wanted}.`);
}

const MEANINGS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /retention policy not found|database not found|dbrp|no default retention policy|bucket .*not found/i,
    "store_incompatible",
    "the database with its retention policy, which the set-up makes (`hearthline reset --fresh`, or the next start)",
  ],
  [/requires admin privilege/i, "store_incompatible", "a user who may do it, or that an administrator does it once"],
  [
    /not authorized to execute|error authorizing query/i,
    "service_refused",
    "a user with the right to read and to write it",
  ],
  [/authorization failed|unable to parse authentication/i, "service_refused", "the right user and password, or token"],
  [/no space left on device|disk quota exceeded/i, "store_full", "free space on the server's disk"],
  [
    /max-values-per-tag|max-series-per-database|max series per database/i,
    "store_full",
    "a higher limit in the server's configuration (max-series-per-database, max-values-per-tag; 0 is none)",
  ],
  [
    /field type conflict|invalid column type|schema .*conflict/i,
    "store_incompatible",
    'a database in which nobody else writes to "hearthline_events"',
  ],
  [
    /file limit of \d+ parquet files/i,
    "store_incompatible",
    "InfluxDB 3 Core started with a higher --query-file-limit (432 files are about three days), or InfluxDB 3 Enterprise",
  ],
  [
    /max-select-point|max-select-series|max-select-buckets/i,
    "store_incompatible",
    "a server without this limit (0 is none)",
  ],
  [/not implemented|not supported/i, "store_incompatible", "InfluxDB 1.x (1.6 or later), 2.x or 3.x"],
];

function saidBy({ text, headers, isPage }: HttpAnswer): string {
  const said = errorOf(text) ?? headers.get("x-influxdb-error") ?? (isPage ? "" : text);
  return said.replaceAll(/\s+/g, " ").trim().slice(0, SAID_MAX_CHARACTERS);
}

/** Seconds (RFC 9110, section 10.2.3); a date is left to the caller's own waits. */
function waitOf(retryAfter: string | null): number | undefined {
  const seconds = retryAfter === null ? "" : retryAfter.trim();
  return /^\d{1,9}$/.test(seconds) ? Math.min(Number(seconds) * 1000, RETRY_AFTER_MAX_MS) : undefined;
}
