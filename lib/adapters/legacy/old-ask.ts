import { HearthlineError, messageOf } from "../../base/errors.ts";

export interface AskOptions {
  readonly fetch: typeof fetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT";
  readonly body?: string;
  readonly contentType?: string;
  /** Default ANSWER_MAX_BYTES. */
  readonly maxBytes?: number;
}

export interface OldAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** For messages: method and address without its query. */
  readonly what: string;
}

/** A page of 1,000 rows with attributes is about 1 MB; an answer without end is not read beyond this. */
const ANSWER_MAX_BYTES = 33_554_432;
const SAID_MAX_CHARACTERS = 120;

/** What an answer said, short enough for a message. */
export const said = (text: string): string =>
  JSON.stringify(text.replaceAll(/\s+/g, " ").trim().slice(0, SAID_MAX_CHARACTERS));

/** OLD has answered with something that is no answer. `what` is what was tried, `seen` what came. */
export const malformed = (what: string, seen: string, cause?: unknown): HearthlineError =>
  new HearthlineError("old_malformed", `The old pipeline was asked ${what} and answered ${seen}.`, { cause });

/**
 * One request to its whole answer. A redirect is an answer. Whatever the status: it is the caller's to judge, but for what says that nobody is there.
 * @throws HearthlineError `service_timeout`, `service_unreachable` (also an answer that broke off), `old_malformed` (a web page, or no end in sight)
 */
export async function askOld(url: URL, asked: Asked, options: AskOptions): Promise<OldAnswer> {
  const { method = "GET", body, contentType = "application/json", maxBytes = ANSWER_MAX_BYTES } = asked;
  const { timeoutMs, headers } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  const what = `${method} "${url.origin}${url.pathname}"`;
  try {
    const answer = await options.fetch(url, {
      method,
      headers: { ...headers, ...(body !== undefined && { "content-type": contentType }) },
      ...(body !== undefined && { body }),
      redirect: "manual",
      signal: deadline,
    });
    const text = await textOf(answer, { what, maxBytes });
    if (isPage(answer, text) && answer.status < 400)
      throw malformed(what, `${answer.status} with a web page (is the address right, is there a sign-in in front?)`);
    return { status: answer.status, text, headers: answer.headers, what };
  } catch (thrown) {
    if (thrown instanceof HearthlineError) throw thrown;
    if (deadline.aborted)
      throw new HearthlineError(
        "service_timeout",
        `The old pipeline gave no answer to ${what} within ${timeoutMs} ms.`,
        {
          cause: thrown,
        },
      );
    const reason = messageOf((thrown as { cause?: unknown }).cause ?? thrown);
    throw new HearthlineError(
      "service_unreachable",
      `The old pipeline cannot be reached, or broke off, at ${what}: ${reason}.`,
      { cause: thrown },
    );
  }
}

const isPage = (answer: Response, text: string): boolean =>
  /^text\/html\b/i.test(answer.headers.get("content-type") ?? "") || /^\s*<(!doctype|html)/i.test(text);

async function textOf(answer: Response, { what, maxBytes }: { what: string; maxBytes: number }): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) throw malformed(what, `more than ${maxBytes} bytes, and went on`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @throws HearthlineError for every status that is no success */
export function refuseFailure({ status, text, what }: OldAnswer): void {
  if (status >= 200 && status < 300) return;
  const why = `The old pipeline was asked ${what} and answered ${status}: ${said(text)}.`;
  if (status === 429) throw new HearthlineError("service_throttled", why);
  if (status === 401 || status === 403)
    throw new HearthlineError(
      "service_refused",
      `${why} Wanted are HEARTHLINE_OLD_TOKEN, or HEARTHLINE_OLD_USER and HEARTHLINE_OLD_PASSWORD, of somebody who may.`,
    );
  if (status >= 500) throw new HearthlineError("service_failed", why);
  throw malformed(what, `${status}: ${said(text)}`);
}

/** The answer as JSON. @throws HearthlineError `old_malformed` when it is none, or an error inside of a success */
export function jsonOf({ status, text, what }: OldAnswer): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw malformed(what, `${status} with ${text.length} characters that are no JSON: ${said(text)}`, thrown);
  }
  if (isObject(json)) {
    const { error, status: state, success } = json;
    if ((error !== undefined && error !== null && error !== false) || state === "error" || success === false)
      throw malformed(what, `${status} with an error inside: ${said(text)}`);
  }
  return json;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Its clock minus ours, milliseconds, by the `Date` header, which is whole seconds: the middle of that second is taken. */
export function clockSkewMs(headers: Headers, nowMs: number): number | undefined {
  const at = Date.parse(headers.get("date") ?? "");
  return Number.isNaN(at) ? undefined : Math.round(at + 500 - nowMs);
}
