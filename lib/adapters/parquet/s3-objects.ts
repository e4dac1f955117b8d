import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import { AwsError } from "../aws/client.ts";
import type { S3Client } from "../aws/s3-client.ts";
import { elements, escapeXml, textOfTag } from "../aws/xml.ts";
import { atOnce } from "./at-once.ts";
import type { ObjectInfo, ObjectStore } from "./ports.ts";
import { createS3Expiry, withMd5 } from "./s3-expiry.ts";

export interface S3ObjectsOptions {
  readonly client: S3Client;
  /** Before every name, without slashes at its ends; empty: the bucket is ours. */
  readonly prefix?: string;
}

/** S3: keys of one DeleteObjects, and of one page of ListObjectsV2. Source: Amazon S3 API reference; read 2026-09. */
const KEYS_MAX = 1_000;
const DELETES_AT_ONCE = 2;
const PREFIX = /^(?:[A-Za-z0-9_=.-]+(?:\/[A-Za-z0-9_=.-]+)*)?$/;

/** Objects in a bucket. S3 is strongly consistent in all that the port promises, and a PUT is whole or not at all. */
export function createS3Objects({ client, prefix = "" }: S3ObjectsOptions): ObjectStore {
  const place = `bucket "s3://${client.bucket}${prefix && `/${prefix}`}"`;
  if (!PREFIX.test(prefix)) {
    const what = `The prefix "${prefix}" of the store in the bucket "${client.bucket}" cannot be used; wanted are letters, digits and . _ = - between slashes.`;
    throw new HearthlineError("setting_invalid", what);
  }
  const root = prefix && `${prefix}/`;

  async function removeSome(names: readonly string[]): Promise<void> {
    const keys = names.map((name) => `<Object><Key>${escapeXml(root + name)}</Key></Object>`);
    const body = Buffer.from(`<Delete><Quiet>true</Quiet>${keys.join("")}</Delete>`);
    const answer = await client.call({ method: "POST", query: { delete: "" }, headers: withMd5(body), body });
    const [error] = elements(textOf(answer.body), "Error");
    if (error === undefined) return;
    const [code, message] = [textOfTag(error, "Code") ?? "", textOfTag(error, "Message") ?? ""];
    if (code === "NoSuchKey") return;
    throw new AwsError(`S3 DeleteObjects in the ${place}`, { type: code, status: answer.status, body: { message } });
  }

  return {
    place,
    put: async (name, bytes) => {
      await guarded(place, () => client.call({ method: "PUT", key: root + name, body: bytes }));
    },
    get: (name, range) =>
      guarded(place, async () => {
        if (range && range.end <= range.start) return new Uint8Array();
        const headers = range && { range: `bytes=${range.start}-${range.end - 1}` };
        const answer = await client
          .call({ method: "GET", key: root + name, accept: [416], ...(headers && { headers }) })
          .catch((thrown) => {
            if (thrown instanceof AwsError && thrown.type === "NoSuchKey") return undefined;
            throw thrown;
          });
        if (!answer) return undefined;
        // A range behind the object's end.
        if (answer.status === 416) return new Uint8Array();
        // A server that knows no ranges gives all.
        return range && answer.status === 200 ? answer.body.subarray(range.start, range.end) : answer.body;
      }),
    list: (wanted, { after = "", until } = {}) =>
      guarded(place, async () => {
        const found: ObjectInfo[] = [];
        let token: string | undefined;
        do {
          const query = {
            "list-type": "2",
            "max-keys": String(KEYS_MAX),
            prefix: root + wanted,
            ...(token !== undefined ? { "continuation-token": token } : after && { "start-after": root + after }),
          };
          const { body } = await client.call({ method: "GET", query });
          const xml = textOf(body);
          if (!xml.includes("<ListBucketResult")) {
            throw new HearthlineError(
              "service_failed",
              `A listing of the ${place} was answered by something that is no S3.`,
            );
          }
          const page = elements(xml, "Contents").map((entry) => ({
            name: (textOfTag(entry, "Key") ?? "").slice(root.length),
            bytes: Number(textOfTag(entry, "Size")),
          }));
          const isBehind = ({ name }: ObjectInfo): boolean => until !== undefined && name >= until;
          for (const one of page) if (one.name > after && !isBehind(one)) found.push(one);
          const goesOn = textOfTag(xml, "IsTruncated") === "true" && !page.some(isBehind);
          token = goesOn ? textOfTag(xml, "NextContinuationToken") : undefined;
        } while (token !== undefined);
        // As AWS does; some that stand in for it sort as people do.
        found.sort((a, b) => (a.name < b.name ? -1 : 1));
        return found;
      }),
    remove: (names) =>
      guarded(place, async () => {
        const groups = Array.from({ length: Math.ceil(names.length / KEYS_MAX) }, (_, index) =>
          names.slice(index * KEYS_MAX, (index + 1) * KEYS_MAX),
        );
        await atOnce(DELETES_AT_ONCE, groups, removeSome);
      }),
    setUp: () => guarded(place, () => makeBucket(client)),
    // A PUT that was broken off leaves nothing.
    tidy: async () => {},
    expiry: createS3Expiry({ client, root, guarded: (work) => guarded(place, work) }),
    check: () =>
      guarded(place, async () => {
        await client.call({ method: "GET", query: { "list-type": "2", "max-keys": "1", prefix: root } });
      }),
  };
}

async function makeBucket(client: S3Client): Promise<void> {
  const there = await client.call({ method: "HEAD", accept: [301, 403, 404] });
  if (there.status !== 404) return;
  const isFirstRegion = client.region === "us-east-1";
  const xml = `<CreateBucketConfiguration><LocationConstraint>${escapeXml(client.region)}</LocationConstraint></CreateBucketConfiguration>`;
  await client.call({ method: "PUT", ...(!isFirstRegion && { body: Buffer.from(xml) }) }).catch((thrown) => {
    // Somebody else made it at the same moment.
    if (!(thrown instanceof AwsError) || thrown.type !== "BucketAlreadyOwnedByYou") throw thrown;
  });
}

/** Names the place, and what a person has to do. */
async function guarded<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof AwsError)) throw isHearthlineError(thrown) ? thrown : failed(place, thrown);
    if (thrown.type === "NoSuchBucket") {
      const what = `There is no such bucket for the store in the ${place}; wanted is one, or the right to make it. ${thrown.message}`;
      throw new HearthlineError("store_refused", what, { cause: thrown });
    }
    if (
      thrown.status === 301 ||
      thrown.type === "PermanentRedirect" ||
      thrown.type === "AuthorizationHeaderMalformed"
    ) {
      throw new HearthlineError("store_refused", `The ${place} is in another region. ${thrown.message}`, {
        cause: thrown,
      });
    }
    throw thrown;
  }
}

const failed = (place: string, thrown: unknown): HearthlineError =>
  new HearthlineError("store_unavailable", `The store in the ${place} failed: ${messageOf(thrown)}`, { cause: thrown });

const textOf = (body: Uint8Array): string => new TextDecoder().decode(body);
