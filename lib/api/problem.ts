import { isHearthlineError } from "../base/errors.ts";

/** Every code that an answer of the API may carry: its status and its title. Codes are promises; a title may change. */
export const PROBLEMS = {
  request_invalid: [400, "The request is not valid"],
  body_not_json: [400, "The body is not JSON"],
  body_too_deep: [400, "The body is nested too deeply"],
  cursor_invalid: [400, "The cursor cannot be read"],
  cursor_of_another_query: [400, "The cursor belongs to another query"],
  migration_plan_invalid: [400, "The plan cannot be used"],
  no_event_accepted: [400, "No event was accepted"],
  token_missing: [401, "A token is needed"],
  token_invalid: [401, "The token is not valid"],
  token_expired: [401, "The token has expired"],
  scope_missing: [403, "The token may not do this"],
  origin_foreign: [403, "Another site's page may not do this"],
  not_found: [404, "There is nothing here"],
  method_not_allowed: [405, "This method is not answered here"],
  conflict_not_settled: [409, "The conflict cannot be settled so"],
  suggestion_accepted: [409, "The suggestion was accepted"],
  migration_exists: [409, "The home has a migration under way"],
  migration_state_wrong: [409, "The migration is in another state"],
  migration_refused: [409, "A verdict says no"],
  migration_stale: [412, "The migration has changed meanwhile"],
  body_too_large: [413, "The body is too large"],
  media_type_unsupported: [415, "This kind of body is not taken"],
  host_not_local: [421, "This page is for this machine only"],
  epoch_missing: [428, "The epoch is needed"],
  rate_limited: [429, "Too many requests"],
  outbox_full: [429, "The outbox is full"],
  unexpected: [500, "Something unexpected happened"],
  service_unavailable: [503, "A part that is needed does not answer"],
  not_ready: [503, "Not ready"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One wrong member of a request: `field` is its path, such as `limit` or `3.entity_id`. */
export interface FieldError {
  readonly field: string;
  readonly detail: string;
}

export interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  readonly rejected?: readonly unknown[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a handler throws to answer with an error. `detail` is read by people: what was asked, the value in quotes, what is wanted. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;
  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.name = "Problem";
    this.code = code;
    this.extras = extras;
  }
}

/** How long a caller should wait when a part does not answer. */
const RETRY_AFTER_SECONDS = 5;

const AUTHENTICATE: Partial<Record<ProblemCode, string>> = {
  token_missing: 'Bearer realm="hearthline"',
  token_invalid: 'Bearer realm="hearthline", error="invalid_token"',
  token_expired: 'Bearer realm="hearthline", error="invalid_token", error_description="The token has expired"',
  scope_missing: 'Bearer realm="hearthline", error="insufficient_scope"',
};

/** RFC 9457. `type` leads to the paragraph about the code on the page `/docs`. */
export function problemResponse({ code, message, extras }: Problem): Response {
  const [status, title] = PROBLEMS[code];
  const { errors, rejected } = extras;
  const body = {
    type: `/docs#problem-${code}`,
    title,
    status,
    code,
    detail: message,
    ...(errors && { errors }),
    ...(rejected && { rejected }),
  };
  const challenge = AUTHENTICATE[code];
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(challenge && { "www-authenticate": challenge }),
      ...(status === 503 && { "retry-after": String(RETRY_AFTER_SECONDS) }),
      ...extras.headers,
    },
  });
}

/**
 * Anything thrown as a problem. An outside that is away is a 503 that may be tried again; what nobody foresaw is a 500 that tells nothing
 * of the inside (the log does).
 */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (isHearthlineError(thrown) && (thrown.fate === "retry" || thrown.code === "service_refused")) {
    return new Problem(
      "service_unavailable",
      "A queue, table or store that this answer needs does not answer now. Try again.",
    );
  }
  return new Problem(
    "unexpected",
    "The request could not be answered. The log of the function says why, under the time of this answer.",
  );
}
