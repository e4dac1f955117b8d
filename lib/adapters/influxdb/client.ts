import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { retry } from "../../base/retry.ts";
import { exchange, type HttpAnswer, type HttpRequest } from "./http.ts";
import { type Answer, authorizationOf, parseAnswer, type Series } from "./influxql.ts";
import { type Place, type Problem, problemOf, problemSaid } from "./problems.ts";

export interface InfluxClientOptions {
  /** Such as `http://influxdb.local:8086`. A user and a password in it are taken out. */
  readonly url: string;
  readonly database: string;
  /** Of InfluxDB 2 and 3. */
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch?: typeof fetch | undefined;
  /** Of one attempt. Default 60,000 ms. */
  readonly timeoutMs?: number | undefined;
  /** In all. Default 4. */
  readonly attempts?: number | undefined;
}

export interface InfluxClient extends Place {
  /** Asks one statement. @throws HearthlineError; AnswerTooLong */
  ask(statement: string): Promise<readonly Series[]>;
  /** As `ask`; undefined where the server says that there is no such table, database or retention policy (yet). */
  askIfThere(statement: string): Promise<readonly Series[] | undefined>;
  /** Any other request, to its answer whatever its status but those that another attempt may change. */
  send(request: Omit<HttpRequest, "timeoutMs">, does?: "read" | "write"): Promise<HttpAnswer>;
  /** How statements travel: InfluxDB 3 takes them in the address only. */
  askInAddress(): void;
  /** As `Bearer`, for the interfaces that began with InfluxDB 3. */
  readonly bearer: string | undefined;
}

const NOT_THERE =
  /(table|measurement) .*(not found|does not exist)|not found: (retention|database)|(retention policy|database) not found/i;

export function createInfluxClient(options: InfluxClientOptions): InfluxClient {
  const { database, clock, random, token, timeoutMs = 60_000, attempts = 4, fetch: ask = fetch } = options;
  const { base, user, password } = addressOf(options);
  const http = {
    base,
    authorization: authorizationOf(token === undefined ? user : undefined, token ?? password),
    fetch: ask,
  };
  const place = { base, database };
  let isInAddress = false;

  /** A passing problem is thrown, so that it is tried again. */
  async function attempt(request: HttpRequest, does: "read" | "write", isLast: boolean): Promise<HttpAnswer> {
    const answer = await exchange(http, request);
    const problem = passing(answer, place, does);
    if (!problem) return answer;
    if (!isLast && problem.retryAfterMs !== undefined) await clock.sleep(problem.retryAfterMs);
    throw problem.error;
  }

  const send = (request: Omit<HttpRequest, "timeoutMs">, does: "read" | "write" = "read"): Promise<HttpAnswer> =>
    retry((number) => attempt({ ...request, timeoutMs }, does, number >= attempts), {
      clock,
      random,
      attempts,
      baseMs: 200,
      maxMs: 5_000,
    });

  async function answerTo(statement: string): Promise<Answer> {
    const asked = { db: database, epoch: "u", q: statement };
    const answer = await send(
      isInAddress
        ? { method: "GET", path: "/query", query: asked }
        : { method: "POST", path: "/query", contentType: FORM, body: new URLSearchParams(asked).toString() },
    );
    const parsed = answer.isPage ? undefined : parseAnswer(answer.text);
    if (parsed && (answer.status < 400 || NOT_THERE.test(parsed.error ?? ""))) return parsed;
    if (parsed || answer.status >= 300) throw problemOf(answer, place, "read").error;
    const what = `What answers at "${base}" (${answer.status}${answer.isPage ? ", a web page" : ""}) is no InfluxDB`;
    throw new HearthlineError("service_failed", `${what}; wanted is such as http://influxdb.local:8086.`);
  }

  async function askIfThere(statement: string): Promise<readonly Series[] | undefined> {
    const { series, error, isCut } = await answerTo(statement);
    if (error !== undefined && NOT_THERE.test(error)) return undefined;
    if (error !== undefined) throw errorSaid(error, place);
    if (isCut)
      throw new HearthlineError(
        "store_incompatible",
        `InfluxDB at "${base}" cuts its answers ([http] max-row-limit); wanted is a server without this limit (0).`,
      );
    return series;
  }

  return {
    ...place,
    send,
    askIfThere,
    ask: async (statement) => {
      const series = await askIfThere(statement);
      if (series) return series;
      const what = `InfluxDB at "${base}" has no database "${database}" with a retention policy of ours`;
      throw new HearthlineError("store_incompatible", `${what}; wanted is the set-up (the next start makes it).`);
    },
    askInAddress: () => {
      isInAddress = true;
    },
    bearer: token === undefined ? undefined : `Bearer ${token}`,
  };
}

const FORM = "application/x-www-form-urlencoded";

/** undefined: another attempt changes nothing. */
function passing(answer: HttpAnswer, place: Place, does: "read" | "write"): Problem | undefined {
  const { status, isPage } = answer;
  if (!isPage && status < 500 && status !== 429 && status !== 408) return undefined;
  const problem = problemOf(answer, place, does);
  return problem.error.fate === "retry" ? problem : undefined;
}

const errorSaid = (said: string, place: Place): HearthlineError =>
  problemSaid(said, place) ??
  new HearthlineError("service_failed", `InfluxDB at "${place.base}" answered: ${said.slice(0, 300)}`);

/** Secrets of the address go where secrets go; what is left of it may stand in messages. @throws HearthlineError `setting_invalid` */
function addressOf({ url, user, password }: InfluxClientOptions) {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new HearthlineError(
      "setting_invalid",
      "InfluxDB's address is no URL; wanted is such as http://influxdb.local:8086.",
    );
  }
  const own = parsed.username === "" ? undefined : unescaped(parsed.username);
  return {
    base: `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`,
    user: user ?? own,
    password: password ?? (own === undefined ? undefined : unescaped(parsed.password)),
  };
}

/** A `%` that nobody escaped stands for itself. */
function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
