import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { retry } from "../../base/retry.ts";
import { type AwsCredentials, AwsError, type CredentialSource } from "./client.ts";
import { textOfTag } from "./xml.ts";

export interface S3ClientOptions {
  readonly bucket: string;
  readonly region: string;
  /** Another S3 than AWS's: asked by path (`ENDPOINT/BUCKET/KEY`). */
  readonly endpoint?: string | undefined;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Of one attempt. Default 30,000 ms. */
  readonly timeoutMs?: number;
  /** Default 5. */
  readonly attempts?: number;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
}

export interface S3Request {
  readonly method: "GET" | "PUT" | "POST" | "HEAD" | "DELETE";
  /** Absent: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Statuses that are an answer and no error, beside 200 to 299. */
  readonly accept?: readonly number[];
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** One bucket of an S3, by its REST interface, with objects of up to 5 GB (one PUT: parts are not made). */
export interface S3Client {
  readonly bucket: string;
  readonly region: string;
  /** @throws AwsError (code by its kind) after bounded retries with jitter; `service_unreachable`, `service_timeout` */
  call(request: S3Request): Promise<S3Answer>;
}

/** S3: one PUT. Source: Amazon S3 user guide, "Uploading and copying objects"; read 2026-09. */
const PUT_MAX_BYTES = 5 * 1024 ** 3;
const SIGNING_KEYS_MAX = 16;
/** S3 answers these with 4xx or an address, and the same request succeeds later. */
const PASSING = /^(?:SlowDown|RequestTimeout|OperationAborted|InternalError|ServiceUnavailable|Http5\d\d)$/;
const SKEWED = /^(?:RequestTimeTooSkewed|RequestExpired)$/;
const CREDENTIALS = /^(?:ExpiredToken|InvalidAccessKeyId|InvalidToken|SignatureDoesNotMatch|TokenRefreshRequired)$/;

/** Why not the AWS SDK: as in client.ts. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const { bucket, region, clock, random, timeoutMs = 30_000, fetch: ask = fetch } = options;
  const base = baseOf(options);
  const signingKeys = new Map<string, ArrayBuffer>();
  /** The service's clock minus ours, once it has refused a signature for that. */
  let offsetMs = 0;

  async function once(request: S3Request): Promise<S3Answer> {
    const credentials = await options.credentials();
    const offsetBeforeMs = offsetMs;
    try {
      return await signed(request, credentials);
    } catch (thrown) {
      if (!(thrown instanceof AwsError)) throw thrown;
      if (offsetMs !== offsetBeforeMs) return signed(request, credentials);
      if (!CREDENTIALS.test(thrown.type)) throw thrown;
      const others = await options.credentials(credentials);
      if (others.accessKeyId === credentials.accessKeyId && others.sessionToken === credentials.sessionToken)
        throw thrown;
      return signed(request, others);
    }
  }

  async function signed(request: S3Request, credentials: AwsCredentials): Promise<S3Answer> {
    const { method, body, accept = [] } = request;
    if (signingKeys.size > SIGNING_KEYS_MAX) signingKeys.clear();
    const signer = new AwsV4Signer({
      cache: signingKeys,
      method,
      url: urlOf(base, request).href,
      headers: { ...request.headers, "x-amz-content-sha256": sha256(body) },
      service: "s3",
      region,
      datetime: new Date(clock.nowMs() + offsetMs).toISOString().replace(/[:-]|\.\d{3}/g, ""),
      ...credentials,
    });
    const { url, headers } = await signer.sign();
    const answer = await exchange(`S3 ${method} of "${request.key ?? ""}" in "${bucket}"`, {
      url,
      method,
      headers,
      body,
    });
    if ((answer.status >= 200 && answer.status < 300) || accept.includes(answer.status)) return answer;
    throw errorOf(request, answer);
  }

  function errorOf(request: S3Request, { status, headers, body }: S3Answer): AwsError {
    const text = new TextDecoder().decode(body);
    const type = textOfTag(text, "Code") ?? `Http${status}`;
    const message = textOfTag(text, "Message") ?? text.slice(0, 300);
    if (SKEWED.test(type)) {
      const serviceMs = Date.parse(headers.get("date") ?? "");
      if (Number.isFinite(serviceMs)) offsetMs = serviceMs - clock.nowMs();
    }
    const elsewhere = headers.get("x-amz-bucket-region");
    const hint =
      elsewhere && elsewhere !== region ? ` (the bucket is in the region "${elsewhere}", asked was "${region}")` : "";
    const operation = `S3 ${request.method} of "${request.key ?? ""}" in "${bucket}"`;
    return new AwsError(operation, { type, status, body: { message }, hint });
  }

  async function exchange(
    what: string,
    { url, ...request }: { url: URL; method: string; headers: Headers; body: Uint8Array | undefined },
  ): Promise<S3Answer> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const { body, ...rest } = request;
    try {
      const answer = await ask(url, {
        ...rest,
        ...(body && { body: Uint8Array.from(body) }),
        signal: deadline,
        redirect: "manual",
      });
      return { status: answer.status, headers: answer.headers, body: new Uint8Array(await answer.arrayBuffer()) };
    } catch (thrown) {
      if (deadline.aborted)
        throw new HearthlineError("service_timeout", `${what} had no answer within ${timeoutMs} ms.`, {
          cause: thrown,
        });
      const cause = (thrown as { cause?: unknown }).cause ?? thrown;
      throw new HearthlineError(
        "service_unreachable",
        `${what} could not reach "${base.origin}": ${messageOf(cause)}`,
        {
          cause: thrown,
        },
      );
    }
  }

  return {
    bucket,
    region,
    call: async (request) => {
      const size = request.body?.length ?? 0;
      if (size > PUT_MAX_BYTES) {
        const what = `"${request.key}" has ${size} bytes; one PUT takes at most ${PUT_MAX_BYTES}.`;
        throw new HearthlineError("store_refused", what);
      }
      const { attempts = 5 } = options;
      return retry(() => once(request), { clock, random, attempts, baseMs: 50, maxMs: 5_000, isRetryable });
    },
  };
}

const isRetryable = (thrown: unknown): boolean =>
  thrown instanceof AwsError
    ? thrown.status >= 500 || thrown.code === "service_throttled" || PASSING.test(thrown.type)
    : thrown instanceof HearthlineError && thrown.fate === "retry";

/** Without a slash at its end; by path for other S3s, and for names with dots, which no certificate covers. */
function baseOf({ bucket, region, endpoint }: S3ClientOptions): URL {
  if (endpoint !== undefined) return new URL(`${endpoint.replace(/\/+$/, "")}/${bucket}`);
  const host = `s3.${region}.amazonaws.com`;
  return new URL(bucket.includes(".") ? `https://${host}/${bucket}` : `https://${bucket}.${host}`);
}

function urlOf(base: URL, { key, query = {} }: S3Request): URL {
  const url = new URL(base);
  const path = base.pathname.replace(/\/$/, "");
  url.pathname = key === undefined ? `${path}/` : `${path}/${key.split("/").map(encodePart).join("/")}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

const encodePart = (part: string): string =>
  encodeURIComponent(part).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (body: Uint8Array | undefined): string =>
  createHash("sha256")
    .update(body ?? "")
    .digest("hex");
