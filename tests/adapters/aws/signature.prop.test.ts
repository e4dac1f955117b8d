import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { createAwsClient } from "../../../lib/adapters/aws/client.ts";
import { manualClock } from "../../support/manual-clock.ts";

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

afterEach(() => vi.unstubAllGlobals());

const word = fc.stringMatching(/^[A-Za-z0-9/+]{16,40}$/);
const request = fc.record({
  service: fc.constantFrom("sqs" as const, "dynamodb" as const),
  region: fc.constantFrom("us-east-1", "eu-central-1", "ap-southeast-2"),
  endpoint: fc.constantFrom(undefined, "http://127.0.0.1:4566", "https://queue.example:8443/some/path"),
  credentials: fc.record(
    { accessKeyId: word, secretAccessKey: word, sessionToken: word },
    { requiredKeys: ["accessKeyId", "secretAccessKey"] },
  ),
  input: fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })),
  nowMs: fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }),
});

it("signs as the SDK's own signer does", async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ service, region, endpoint, credentials, input, nowMs }) => {
      let sent: { url: URL; headers: Headers; body: string } | undefined;
      vi.stubGlobal(
        "fetch",
        async (url: string | URL, init: { headers: Record<string, string> | Headers; body: string }) => {
          sent = { url: new URL(url), headers: new Headers(init.headers), body: init.body };
          return new Response("{}");
        },
      );
      const client = createAwsClient({
        service,
        region,
        endpoint,
        credentials: () => credentials,
        clock: manualClock(nowMs),
        random: () => 0,
      });
      await client.call("DoIt", input);
      if (!sent) throw new Error("nothing was sent");
      const { url, headers, body } = sent;
      const authorization = headers.get("authorization") ?? "";
      const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";") ?? [];
      const wanted = [
        "host",
        "x-amz-date",
        "x-amz-target",
        ...(credentials.sessionToken ? ["x-amz-security-token"] : []),
      ];
      expect(signed).toEqual(expect.arrayContaining(wanted));
      expect(JSON.parse(body)).toEqual(input);

      const oracle = new SignatureV4({ service, region, credentials, sha256: Sha256, applyChecksum: false });
      const value = (name: string) => (name === "host" ? url.host : (headers.get(name) ?? ""));
      const again = await oracle.sign(
        {
          method: "POST",
          protocol: url.protocol,
          hostname: url.hostname,
          path: url.pathname,
          query: {},
          headers: Object.fromEntries(signed.map((name) => [name, value(name)])),
          body,
        },
        { signingDate: new Date(nowMs) },
      );
      expect(authorization).toBe(again.headers.authorization);
      expect(headers.get("x-amz-date")).toBe(again.headers["x-amz-date"]);
      expect(url.origin).toBe(new URL(endpoint ?? `https://${service}.${region}.amazonaws.com`).origin);
    }),
    { numRuns: 60 },
  );
});
