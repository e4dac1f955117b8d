import type { Clock } from "../../base/clock.ts";
import { type ErrorCode, HearthlineError, messageOf } from "../../base/errors.ts";
import type { SinkAnswer } from "../../relay/ports.ts";

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

export interface Posted {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
  /** A page for people: a sign-in in front of the pipeline, or something else altogether. */
  readonly isPage: boolean;
}

/** An answer is read up to here; nobody needs more to know what became of the events. */
const ANSWER_MAX_BYTES = 1_048_576;
const SAID_MAX_CHARACTERS = 200;

/** One POST. A redirect is an answer: followed, it would become a GET. @throws HearthlineError `service_timeout`, `service_unreachable` */
export async function post({ url, headers, body, timeoutMs }: PostOptions): Promise<Posted> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const where = new URL(url).origin;
  try {
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: deadline });
    const { status, headers: said } = answer;
    const isPage = /^text\/html\b/i.test(said.get("content-type") ?? "");
    return { status, text: await readText(answer), retryAfter: said.get("retry-after"), isPage };
  } catch (thrown) {
    if (deadline.aborted) {
      const what = `The old pipeline at "${where}" gave no answer within ${timeoutMs} ms.`;
      throw new HearthlineError("service_timeout", what, { cause: thrown });
    }
    const cause = (thrown as { cause?: unknown }).cause ?? thrown;
    const what = `The old pipeline at "${where}" cannot be reached: ${messageOf(cause)}`;
    throw new HearthlineError("service_unreachable", what, { cause: thrown });
  }
}

/** What can be read of it: the status has said what became of the events, and an answer that breaks off or never ends must not have them sent again for ever. */
async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= ANSWER_MAX_BYTES) break;
    }
  } catch {
    // What came before it broke off is all there is.
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** No pipeline answers with a page: what does has not taken the events, whatever its status. */
export const isTaken = ({ status, isPage }: Posted): boolean => status >= 200 && status < 300 && !isPage;

/** What an answer that takes nothing says of the message: the content is refused, or the pipeline cannot take anything now. */
export function answerOf(posted: Posted, { url, clock }: { readonly url: string; readonly clock: Clock }): SinkAnswer {
  const { status, text, retryAfter, isPage } = posted;
  if (status === 400 || status === 413 || status === 422)
    return { outcome: "refused", reason: `the old pipeline answered ${status}`, isCertain: false };
  const said = text.replaceAll(/\s+/g, " ").slice(0, SAID_MAX_CHARACTERS);
  const page = isPage
    ? " with a web page, which no pipeline does (is the address right, is there a sign-in in front?)"
    : "";
  const why = `The old pipeline at "${new URL(url).origin}" answered ${status}${page}${said && `: ${said}`}`;
  const retryAfterMs = waitOf(retryAfter, clock);
  const error = new HearthlineError(codeOf(status), why);
  return { outcome: "failed", error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

function codeOf(status: number): ErrorCode {
  if (status === 429) return "service_throttled";
  return status === 401 || status === 403 ? "service_refused" : "service_failed";
}

/** Seconds, or a date (RFC 9110, section 10.2.3). */
function waitOf(retryAfter: string | null, clock: Clock): number | undefined {
  if (retryAfter === null) return undefined;
  const text = retryAfter.trim();
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.nowMs();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
