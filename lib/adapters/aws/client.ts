import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { retry } from "../../base/retry.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsClientOptions {
  readonly service: "sqs" | "dynamodb";
  readonly region: string;
  /** Default: the service's own address in the region. */
  readonly endpoint?: string | undefined;
  /** Asked before each request, so credentials may change. */
  readonly credentials: () => AwsCredentials | Promise<AwsCredentials>;
  readonly clock: Clock;
  readonly random: Random;
  /** Of one attempt. Default 10,000 ms; a long poll adds its own wait. */
  readonly timeoutMs?: number;
  /** Default 5. */
  readonly attempts?: number;
}

/** Calls one operation of a service that speaks AWS JSON 1.0 (SQS and DynamoDB both do). */
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
  constructor(operation: string, type: string, status: number, body: Record<string, unknown>) {
    const said = typeof body.message === "string" ? body.message : typeof body.Message === "string" ? body.Message : "";
    super(codeOf(type, status), `${operation} was answered with ${status} ${type}${said && `: ${said}`}`);
    this.type = type;
    this.status = status;
    this.body = body;
  }
}

const THROTTLED = /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|TooManyRequests|SlowDown/;
const REFUSED =
  /AccessDenied|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|MissingAuthentication|InvalidAccessKeyId/;

function codeOf(type: string, status: number) {
  if (THROTTLED.test(type) || status === 429) return "service_throttled";
  if (REFUSED.test(type)) return "service_refused";
  if (type === "ConditionalCheckFailedException") return "conflict";
  return "service_failed";
}

/** Keys of old days and old credentials go when so many have come together. */
const SIGNING_KEYS_MAX = 16;

const TARGETS = { sqs: "AmazonSQS", dynamodb: "DynamoDB_20120810" } as const;

/**
 * A client of one service. Why not the AWS SDK: it adds 440 to 570 KB to each function's bundle and most of its start (DECISIONS.md);
 * the protocol is one signed POST, and aws4fetch signs it.
 */
export function createAwsClient(options: AwsClientOptions): AwsClient {
  const { service, region, clock, random, timeoutMs = 10_000 } = options;
  const endpoint = options.endpoint ?? `https://${service}.${region}.amazonaws.com`;

  // A signing key holds for a day and its credentials; making it is four HMACs a request otherwise.
  const signingKeys = new Map<string, ArrayBuffer>();

  async function once<O>(operation: string, payload: string, limitMs: number, signal?: AbortSignal): Promise<O> {
    const credentials = await options.credentials();
    if (signingKeys.size > SIGNING_KEYS_MAX) signingKeys.clear();
    const signer = new AwsV4Signer({
      cache: signingKeys,
      method: "POST",
      url: endpoint,
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `${TARGETS[service]}.${operation}` },
      body: payload,
      service,
      region,
      datetime: new Date(clock.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, ""),
      ...credentials,
    });
    const { url, headers, method } = await signer.sign();
    const deadline = AbortSignal.timeout(limitMs);
    let status: number;
    let text: string;
    try {
      const answer = await fetch(url, {
        method,
        headers,
        body: payload,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
      status = answer.status;
      text = await answer.text();
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
    const body = parse(text);
    if (status >= 200 && status < 300) return body as O;
    const type = typeof body.__type === "string" ? (body.__type.split("#").pop() ?? body.__type) : `Http${status}`;
    throw new AwsError(operation, type, status, body);
  }

  return {
    call: (operation, input, { extraTimeoutMs = 0, attempts = options.attempts ?? 5, signal } = {}) => {
      const payload = JSON.stringify(input);
      return retry(() => once(operation, payload, timeoutMs + extraTimeoutMs, signal), {
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

const isWorthAnother = (thrown: unknown): boolean =>
  thrown instanceof AwsError
    ? thrown.code === "service_throttled" || thrown.status >= 500
    : thrown instanceof HearthlineError && thrown.fate === "retry";

function parse(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text || "{}");
    return typeof json === "object" && json !== null
      ? (json as Record<string, unknown>)
      : { message: text.slice(0, 300) };
  } catch {
    return { message: text.slice(0, 300) };
  }
}

/**
 * Credentials as Lambda gives them to a function: the environment.
 * @throws HearthlineError `service_refused` when they are not set
 */
export function environmentCredentials(env: Readonly<Record<string, string | undefined>>): () => AwsCredentials {
  return () => {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    } = env;
    if (!accessKeyId || !secretAccessKey) {
      throw new HearthlineError(
        "service_refused",
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; wanted are credentials that may use the queues and the table.",
      );
    }
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  };
}
