import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { retry } from "../../base/retry.ts";
import { createDiscovery, type EndpointsAnswer, SERVICES, type ServiceName } from "./services.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Asked before each request, so credentials may change. `refused`: these were just refused; others are wanted, if there are any. */
export type CredentialSource = (refused?: AwsCredentials) => AwsCredentials | Promise<AwsCredentials>;

export interface AwsClientOptions {
  readonly service: ServiceName;
  readonly region: string;
  /** Default: the service's own address in the region, or, of a service that wants it, the one that it names when asked. */
  readonly endpoint?: string | undefined;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Of one attempt. Default 10,000 ms; a long poll adds its own wait. */
  readonly timeoutMs?: number;
  /** Default 5. */
  readonly attempts?: number;
}

/** Calls one operation of a service that speaks AWS JSON 1.0 (SQS, DynamoDB and Timestream do). */
export interface AwsClient {
  /**
   * @param operation such as `SendMessageBatch`
   * @throws AwsError (code by its kind) after bounded retries with jitter; `service_unreachable`, `service_timeout`
   */
  call<O>(
    operation: string,
    input: object,
    options?: { readonly extraTimeoutMs?: number; readonly attempts?: number; readonly signal?: AbortSignal },
  ): Promise<O>;
}

/** The service answered with an error: `type` is its name at AWS, such as `ConditionalCheckFailedException`. */
export class AwsError extends HearthlineError {
  readonly type: string;
  readonly status: number;
  /** The whole answer: conditional failures carry the old item in it. */
  readonly body: Readonly<Record<string, unknown>>;
  constructor(
    operation: string,
    answer: {
      readonly type: string;
      readonly status: number;
      readonly body: Record<string, unknown>;
      readonly hint?: string;
    },
  ) {
    const { type, status, body, hint = "" } = answer;
    const said = typeof body.message === "string" ? body.message : typeof body.Message === "string" ? body.Message : "";
    super(codeOf(type, status), `${operation} was answered with ${status} ${type}${said && `: ${said}`}${hint}`);
    this.type = type;
    this.status = status;
    this.body = body;
  }
}

const THROTTLED = /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests|SlowDown/;
/** These credentials are not (or no longer) good: others may be. */
const CREDENTIALS =
  /ExpiredToken|TokenRefreshRequired|UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|InvalidSecurity|InvalidSignature|SignatureDoesNotMatch|MissingAuthentication/;
/** The service compares the time of the signature with its own. */
const TIMED = /InvalidSignature|SignatureDoesNotMatch|RequestTimeTooSkewed|RequestExpired|RequestInTheFuture/;
const REFUSED = new RegExp(`AccessDenied|${CREDENTIALS.source}|${TIMED.source}`);
/** A signature is good for five minutes; below a minute the clock is not the reason. */
const CLOCK_HINT_MS = 60_000;

function codeOf(type: string, status: number) {
  if (THROTTLED.test(type) || status === 429) return "service_throttled";
  if (REFUSED.test(type)) return "service_refused";
  if (type === "ConditionalCheckFailedException") return "conflict";
  return "service_failed";
}

/** Keys of old days and old credentials go when so many have come together. */
const SIGNING_KEYS_MAX = 16;

/** Says that the address it was called at is no longer the one to call. */
const MOVED = "InvalidEndpointException";

/** One request on its way, tried perhaps twice with other credentials. */
interface Attempt {
  readonly operation: string;
  readonly payload: string;
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly url: string;
}

/**
 * A client of one service. Why not the AWS SDK: it adds 440 to 570 KB to each function's bundle and most of its start (DECISIONS.md);
 * the protocol is one signed POST, and aws4fetch signs it.
 */
export function createAwsClient(options: AwsClientOptions): AwsClient {
  const { service, region, clock, random, timeoutMs = 10_000 } = options;
  const { target, signingName, host, discovers } = SERVICES[service];
  const regional = `https://${host}.${region}.amazonaws.com`;
  const discovery = discovers && options.endpoint === undefined ? createDiscovery(clock) : undefined;

  // A signing key holds for a day and its credentials; making it is four HMACs a request otherwise.
  const signingKeys = new Map<string, ArrayBuffer>();
  /** The service's clock minus ours, once it has refused a signature for that: a small machine has no clock of its own until it has found a time server. */
  let offsetMs = 0;

  async function addressFor(attempt: Omit<Attempt, "url">): Promise<string> {
    if (options.endpoint !== undefined) return options.endpoint;
    if (!discovery) return regional;
    return discovery.address(() =>
      once<EndpointsAnswer>({ ...attempt, operation: "DescribeEndpoints", payload: "{}", url: regional }),
    );
  }

  async function located<O>(attempt: Omit<Attempt, "url">): Promise<O> {
    try {
      return await once<O>({ ...attempt, url: await addressFor(attempt) });
    } catch (thrown) {
      if (thrown instanceof AwsError && thrown.type === MOVED) discovery?.forget();
      throw thrown;
    }
  }

  async function once<O>(attempt: Attempt): Promise<O> {
    const credentials = await options.credentials();
    const offsetBeforeMs = offsetMs;
    try {
      return await signed<O>(attempt, credentials);
    } catch (thrown) {
      if (!(thrown instanceof AwsError)) throw thrown;
      if (offsetMs !== offsetBeforeMs) return signed<O>(attempt, credentials);
      if (!CREDENTIALS.test(thrown.type)) throw thrown;
      const others = await options.credentials(credentials);
      if (isSame(others, credentials)) throw thrown;
      return signed<O>(attempt, others);
    }
  }

  async function signed<O>(attempt: Attempt, credentials: AwsCredentials): Promise<O> {
    const { operation, payload, url } = attempt;
    if (signingKeys.size > SIGNING_KEYS_MAX) signingKeys.clear();
    const signer = new AwsV4Signer({
      cache: signingKeys,
      method: "POST",
      url,
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `${target}.${operation}` },
      body: payload,
      service: signingName,
      region,
      datetime: new Date(clock.nowMs() + offsetMs).toISOString().replace(/[:-]|\.\d{3}/g, ""),
      ...credentials,
    });
    const { status, text, date } = await exchange(await signer.sign(), attempt);
    const body = parse(text);
    if (status >= 200 && status < 300) {
      if (body) return body as O;
      // A sign-in page of a hotel, or another service: nothing was done.
      const what = `${operation} was answered with ${status} by something at "${url}" that does not speak AWS JSON.`;
      throw new HearthlineError("service_failed", what);
    }
    const said = body ?? { message: text.slice(0, 300) };
    const type = typeof said.__type === "string" ? (said.__type.split("#").pop() ?? said.__type) : `Http${status}`;
    const hint = TIMED.test(type) ? lookAtClock(Date.parse(date ?? "")) : "";
    throw new AwsError(operation, { type, status, body: said, hint });
  }

  /** Where the clocks are that far apart, signatures go by the service's from now on. What to say of it: empty where the clock is not the reason, or the answer had no date. */
  function lookAtClock(serviceMs: number): string {
    const aheadMs = clock.nowMs() - serviceMs;
    if (Math.abs(aheadMs + offsetMs) > CLOCK_HINT_MS) offsetMs = -aheadMs;
    return Math.abs(aheadMs) > CLOCK_HINT_MS
      ? ` (the clock here is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? "ahead of" : "behind"} the service's)`
      : "";
  }

  async function exchange(
    { url, headers, method }: Awaited<ReturnType<AwsV4Signer["sign"]>>,
    { operation, payload, limitMs, signal, url: endpoint }: Attempt,
  ): Promise<{ readonly status: number; readonly text: string; readonly date: string | null }> {
    const deadline = AbortSignal.timeout(Math.ceil(limitMs));
    try {
      const answer = await fetch(url, {
        method,
        headers,
        body: payload,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
      return { status: answer.status, text: await answer.text(), date: answer.headers.get("date") };
    } catch (thrown) {
      if (deadline.aborted)
        throw new HearthlineError(
          "service_timeout",
          `${operation} at "${endpoint}" had no answer within ${limitMs} ms.`,
          { cause: thrown },
        );
      const cause = (thrown as { cause?: unknown }).cause ?? thrown;
      throw new HearthlineError(
        "service_unreachable",
        `${operation} could not reach "${endpoint}": ${messageOf(cause)}`,
        { cause: thrown },
      );
    }
  }

  return {
    call: (operation, input, { extraTimeoutMs = 0, attempts = options.attempts ?? 5, signal } = {}) => {
      const payload = JSON.stringify(input);
      return retry(() => located({ operation, payload, limitMs: timeoutMs + extraTimeoutMs, signal }), {
        clock,
        random,
        attempts,
        baseMs: 50,
        maxMs: 5_000,
        ...(signal && { signal }),
        isRetryable: isWorthAnother,
      });
    },
  };
}

const isSame = (a: AwsCredentials, b: AwsCredentials): boolean =>
  a.accessKeyId === b.accessKeyId && a.secretAccessKey === b.secretAccessKey && a.sessionToken === b.sessionToken;

const isWorthAnother = (thrown: unknown): boolean =>
  thrown instanceof AwsError
    ? thrown.code === "service_throttled" || thrown.status >= 500 || thrown.type === MOVED
    : thrown instanceof HearthlineError && thrown.fate === "retry";

/** undefined: no JSON object. */
function parse(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text || "{}");
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
