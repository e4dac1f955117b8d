import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createS3Client, type S3ClientOptions, type S3Request } from "../../../lib/adapters/aws/s3-client.ts";
import { elements, escapeXml, textOfTag } from "../../../lib/adapters/aws/xml.ts";
import { systemClock } from "../../../lib/base/clock.ts";

interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
}

/** A client whose requests are answered by a function of ours; its clock stands still and waits for nobody. */
function clientWith(answer: (sent: Sent, number: number) => Response, options: Partial<S3ClientOptions> = {}) {
  const sent: Sent[] = [];
  const sleeps: number[] = [];
  const client = createS3Client({
    bucket: "bucket",
    region: "eu-central-1",
    credentials: () => ({ accessKeyId: "AKIA", secretAccessKey: "secret" }),
    clock: { ...systemClock, nowMs: () => Date.UTC(2026, 10, 22), sleep: async (ms) => void sleeps.push(ms) },
    random: () => 0.5,
    fetch: async (url, init) => {
      const { method = "", headers, body } = init ?? {};
      const one = { url: new URL(String(url)), method, headers: new Headers(headers), body: body as Uint8Array };
      sent.push(one);
      return answer(one, sent.length);
    },
    ...options,
  });
  return { client, sent, sleeps };
}

const error = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>it is &lt;so&gt;</Message></Error>`, {
    status,
    headers,
  });
const get: S3Request = { method: "GET", key: "a/b" };

describe("an S3 client", () => {
  it.each([
    [{}, "https://bucket.s3.eu-central-1.amazonaws.com/a%2520b/c%3Dd"],
    [{ bucket: "my.bucket" }, "https://s3.eu-central-1.amazonaws.com/my.bucket/a%2520b/c%3Dd"],
    [{ endpoint: "http://127.0.0.1:4566/" }, "http://127.0.0.1:4566/bucket/a%2520b/c%3Dd"],
  ])("asks at the right address (%j)", async (options, href) => {
    const { client, sent } = clientWith(() => new Response("x"), options);
    await client.call({ method: "GET", key: "a%20b/c=d", query: { "list-type": "2" } });
    expect(sent[0]?.url.href).toBe(`${href}?list-type=2`);
  });

  it.each([
    ["SlowDown", 503],
    ["InternalError", 500],
    ["RequestTimeout", 400],
    ["OperationAborted", 409],
    ["TooManyRequests", 429],
  ])("tries again after %s, a bounded number of times, with waits that grow", async (code, status) => {
    const { client, sent, sleeps } = clientWith((_, number) =>
      number < 3 ? error(status, code) : new Response("good"),
    );
    const { body } = await client.call(get);
    expect(new TextDecoder().decode(body)).toBe("good");
    expect(sent).toHaveLength(3);
    expect(sleeps).toEqual([25, 50]);
    const never = clientWith(() => error(status, code));
    const wanted = code === "SlowDown" || status === 429 ? "service_throttled" : "service_failed";
    await expect(never.client.call(get)).rejects.toMatchObject({ code: wanted, type: code, status });
    expect(never.sent).toHaveLength(5);
  });

  it.each([
    ["AccessDenied", 403, "service_refused"],
    ["NoSuchKey", 404, "service_failed"],
    ["InvalidAccessKeyId", 403, "service_refused"],
  ])("does not try again after %s", async (code, status, wanted) => {
    const { client, sent } = clientWith(() => error(status, code));
    await expect(client.call(get)).rejects.toMatchObject({ code: wanted, type: code });
    await expect(client.call(get)).rejects.toThrow(/S3 GET of "a\/b" in "bucket" was answered with .*it is <so>/);
    expect(sent).toHaveLength(2);
  });

  it("takes other credentials when these were refused, and the service's clock when ours is wrong", async () => {
    const asked: unknown[] = [];
    const renewed = clientWith((_, number) => (number === 1 ? error(403, "ExpiredToken") : new Response("")), {
      credentials: (refused) => {
        asked.push(refused?.accessKeyId);
        return { accessKeyId: refused ? "NEW" : "OLD", secretAccessKey: "s" };
      },
    });
    await renewed.client.call(get);
    expect(asked).toEqual([undefined, "OLD"]);
    expect(renewed.sent[1]?.headers.get("authorization")).toContain("Credential=NEW/");
    const date = new Date(Date.UTC(2026, 10, 22, 3)).toUTCString();
    const late = clientWith((_, number) =>
      number === 1 ? error(403, "RequestTimeTooSkewed", { date }) : new Response(""),
    );
    await late.client.call(get);
    expect(late.sent.map(({ headers }) => headers.get("x-amz-date"))).toEqual(["20261122T000000Z", "20261122T030000Z"]);
  });

  it("says which region a bucket is in, follows no redirect, and tells what cannot be reached", async () => {
    const moved = clientWith(() => error(301, "PermanentRedirect", { "x-amz-bucket-region": "us-west-2" }));
    await expect(moved.client.call(get)).rejects.toThrow(
      'the bucket is in the region "us-west-2", asked was "eu-central-1"',
    );
    const away = clientWith(
      () => {
        throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
      },
      { attempts: 2 },
    );
    await expect(away.client.call(get)).rejects.toMatchObject({ code: "service_unreachable" });
    expect(away.sent).toHaveLength(2);
  });

  it("signs as the SDK's own signer does", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          key: fc
            .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
            .filter((key) => key.isWellFormed() && !/(^|\/)\.{1,2}(\/|$)|^\/|\/\/|\\/.test(key)),
          query: fc.dictionary(
            fc.stringMatching(/^[a-z-]{1,8}$/),
            fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => text.isWellFormed()),
          ),
          body: fc.option(fc.uint8Array({ minLength: 1 }), { nil: undefined }),
          endpoint: fc.constantFrom(undefined, "http://127.0.0.1:4566"),
        }),
        async ({ key, query, body, endpoint }) => {
          const { client, sent } = clientWith(() => new Response(""), { endpoint });
          await client.call({ method: "PUT", key, query, ...(body && { body }) });
          const [one] = sent;
          if (!one) throw new Error("nothing was sent");
          const signer = new SignatureV4({
            service: "s3",
            region: "eu-central-1",
            credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
            sha256: Sha256,
            uriEscapePath: false,
            applyChecksum: false,
          });
          const signed = await signer.sign(
            {
              method: "PUT",
              protocol: one.url.protocol,
              hostname: one.url.hostname,
              path: one.url.pathname,
              query: Object.fromEntries(one.url.searchParams),
              headers: { host: one.url.host, "x-amz-content-sha256": one.headers.get("x-amz-content-sha256") ?? "" },
              ...(body && { body }),
            },
            { signingDate: new Date(Date.UTC(2026, 10, 22)) },
          );
          const signatureOf = (text: string | null | undefined) => /Signature=(.*)$/.exec(text ?? "")?.[1];
          expect(signatureOf(one.headers.get("authorization"))).toBe(signatureOf(signed.headers.authorization));
          const hash = createHash("sha256")
            .update(body ?? "")
            .digest("hex");
          expect(one.headers.get("x-amz-content-sha256")).toBe(hash);
        },
      ),
      { numRuns: 100 },
    ));
});

/** SHA-256, keyed or not, in the shape that the SDK's signer wants. */
class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string | Buffer);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(data as string | Buffer);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error("not used");
  }
}

describe("the XML of S3", () => {
  it("gives back any text", () =>
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(textOfTag(`<a x="1"><Key>${escapeXml(text)}</Key></a>`, "Key")).toBe(text);
      }),
    ));

  it("finds each element, and none in its place", () => {
    expect(elements("<L><C><K>1</K></C>\n<C><K>2</K></C><Ck>3</Ck></L>", "C")).toEqual(["<K>1</K>", "<K>2</K>"]);
    expect(textOfTag("<K>&#65;&#x42;&amp;&unknown;</K>", "K")).toBe("AB&&unknown;");
    expect(textOfTag("<Keys></Keys>", "Key")).toBeUndefined();
  });
});
