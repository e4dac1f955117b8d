import { type CommandContext, needToken } from "./context.ts";
import { CommandFailure } from "./outcome.ts";

type Query = Readonly<Record<string, string | number | undefined>>;

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
  readonly tookMs: number;
  readonly date: string | null;
  readonly etag: string | null;
  /** Of a 429 or 503: for how long to wait. */
  readonly retryAfterSeconds?: number;
}

interface AskOptions {
  readonly query?: Query;
  readonly body?: unknown;
  /** The state that the caller saw: `If-Match`. */
  readonly ifMatch?: string;
}

/** The API as the command meets it. */
export interface ApiClient {
  /** @throws CommandFailure 3 unreachable or 5xx, 2 the request is wrong (400), 1 any other problem answer */
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** The answer whatever its status. @throws CommandFailure 3 unreachable */
  ask<T>(method: string, path: string, options?: AskOptions): Promise<ApiAnswer<T>>;
}

const TIMEOUT_MS = 30_000;

/** Health answers without a token too, with less detail. */
const authorization = (path: string, context: CommandContext): Record<string, string> =>
  path === "/health" && !context.token ? {} : { authorization: `Bearer ${needToken(context)}` };

export function createApiClient(context: CommandContext): ApiClient {
  async function ask<T>(
    method: string,
    path: string,
    { query = {}, body, ifMatch }: AskOptions = {},
  ): Promise<ApiAnswer<T>> {
    const url = new URL(`${context.url}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const headers = {
      ...authorization(path, context),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(ifMatch !== undefined && { "if-match": ifMatch }),
    };
    const started = performance.now();
    try {
      const answer = await fetch(url, {
        method,
        headers,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      const retryAfter = Number(answer.headers.get("retry-after") ?? Number.NaN);
      const isJson = /json/.test(answer.headers.get("content-type") ?? "");
      return {
        status: answer.status,
        body: (isJson ? JSON.parse(text) : text) as T,
        tookMs: performance.now() - started,
        date: answer.headers.get("date"),
        etag: answer.headers.get("etag"),
        ...(Number.isFinite(retryAfter) && { retryAfterSeconds: retryAfter }),
      };
    } catch (thrown) {
      const cause = (thrown as { cause?: { code?: string; message?: string } }).cause;
      throw new CommandFailure(
        3,
        `${method} ${url.origin}${url.pathname} could not be reached: ${cause?.code ?? (thrown as Error).message}. Is Hearthline running? Start it with npm start, or set HEARTHLINE_URL.`,
      );
    }
  }

  async function wanted<T>(method: string, path: string, options: { query?: Query; body?: unknown }): Promise<T> {
    const { status, body } = await ask<T>(method, path, options);
    if (status >= 200 && status < 300) return body;
    throw refusal(`${method} ${path}`, status, body);
  }

  return {
    ask,
    get: (path, query) => wanted("GET", path, { ...(query && { query }) }),
    post: (path, body) => wanted("POST", path, { body }),
  };
}

/** What ends a command whose request was answered so. */
export function refusal(request: string, status: number, body: unknown): CommandFailure {
  const problem = (typeof body === "object" && body !== null ? body : {}) as {
    code?: string;
    detail?: string;
    title?: string;
  };
  return new CommandFailure(
    status >= 500 ? 3 : status === 400 ? 2 : 1,
    `${request} was answered with ${status}${problem.code ? ` ${problem.code}` : ""}: ${problem.detail ?? problem.title ?? String(body).slice(0, 200)}`,
  );
}
