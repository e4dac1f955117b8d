import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { HearthlineError, messageOf } from "../../base/errors.ts";

export interface HttpOptions {
  /** The server's address without user and password. */
  readonly base: string;
  readonly authorization?: string | undefined;
  readonly fetch: typeof fetch;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the server's address. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
  /** Packs the body. */
  readonly isPacked?: boolean;
  readonly authorization?: string | undefined;
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** A page for people: a sign-in or an error page of something that stands in front. */
  readonly isPage: boolean;
}

/** No answer is read further; it is the reader's memory. */
export const ANSWER_MAX_BYTES = 67_108_864;

/** The answer is longer than ANSWER_MAX_BYTES. */
export class AnswerTooLong extends Error {}

const gzipAsync = promisify(gzip);
/** A batch of lines shrinks to an eighth at the fastest level, too. */
const GZIP_LEVEL = constants.Z_BEST_SPEED;

/**
 * One request to its whole answer; a redirect is an answer. Nothing of what is thrown holds a secret: they travel in the header only.
 * @throws HearthlineError `service_timeout`, `service_unreachable` (also an answer that broke off); AnswerTooLong
 */
export async function exchange(options: HttpOptions, request: HttpRequest): Promise<HttpAnswer> {
  const { base, fetch: ask } = options;
  const { method, path, query, body, contentType, timeoutMs } = request;
  const authorization = request.authorization ?? options.authorization;
  const deadline = AbortSignal.timeout(timeoutMs);
  const parameters = query ? `?${new URLSearchParams(query).toString()}` : "";
  try {
    const packed = body !== undefined && request.isPacked ? await gzipAsync(body, { level: GZIP_LEVEL }) : body;
    const answer = await ask(`${base}${path}${parameters}`, {
      method,
      headers: {
        ...(authorization && { authorization }),
        ...(contentType && { "content-type": contentType }),
        ...(request.isPacked && { "content-encoding": "gzip" }),
      },
      ...(packed !== undefined && { body: packed }),
      redirect: "manual",
      signal: deadline,
    });
    const isPage = /^text\/html\b/i.test(answer.headers.get("content-type") ?? "");
    return { status: answer.status, text: await readText(answer), headers: answer.headers, isPage };
  } catch (thrown) {
    if (thrown instanceof AnswerTooLong) throw thrown;
    if (deadline.aborted)
      throw new HearthlineError("service_timeout", `InfluxDB at "${base}" gave no answer within ${timeoutMs} ms.`, {
        cause: thrown,
      });
    const reason = messageOf((thrown as { cause?: unknown }).cause ?? thrown);
    throw new HearthlineError("service_unreachable", `InfluxDB at "${base}" cannot be reached: ${reason}`, {
      cause: thrown,
    });
  }
}

async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_MAX_BYTES) throw new AnswerTooLong(`more than ${ANSWER_MAX_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}
