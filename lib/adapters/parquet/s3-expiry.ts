import { createHash } from "node:crypto";
import { AwsError } from "../aws/client.ts";
import type { S3Client } from "../aws/s3-client.ts";
import { elements, escapeXml, textOfTag } from "../aws/xml.ts";
import type { ObjectExpiry } from "./ports.ts";

/** S3 wants a checksum of these bodies. */
export const withMd5 = (body: Uint8Array): Readonly<Record<string, string>> => ({
  "content-md5": createHash("md5").update(body).digest("base64"),
  "content-type": "application/xml",
});

export interface S3ExpiryOptions {
  readonly client: S3Client;
  /** Before every name. */
  readonly root: string;
  readonly guarded: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A bucket's lifecycle rules. There is one list of them a bucket: those of others are put back as they were read. */
export function createS3Expiry({ client, root, guarded }: S3ExpiryOptions): ObjectExpiry {
  /** Our rules are known by what they are for: the prefix. */
  const idOf = (prefix: string): string =>
    `hearthline-${createHash("sha256")
      .update(root + prefix)
      .digest("hex")
      .slice(0, 16)}`;

  async function rules(): Promise<readonly string[]> {
    const answer = await client.call({ method: "GET", query: { lifecycle: "" } }).catch((thrown) => {
      if (thrown instanceof AwsError && thrown.type === "NoSuchLifecycleConfiguration") return undefined;
      throw thrown;
    });
    return answer ? elements(new TextDecoder().decode(answer.body), "Rule") : [];
  }

  async function others(prefixes: readonly string[]): Promise<readonly string[]> {
    const ours = new Set(prefixes.map(idOf));
    return (await rules()).filter((rule) => !ours.has(textOfTag(rule, "ID") ?? ""));
  }

  async function replace(all: readonly string[]): Promise<void> {
    if (all.length === 0) {
      await client.call({ method: "DELETE", query: { lifecycle: "" } });
      return;
    }
    const xml = all.map((rule) => `<Rule>${rule}</Rule>`).join("");
    const body = Buffer.from(`<LifecycleConfiguration>${xml}</LifecycleConfiguration>`);
    await client.call({ method: "PUT", query: { lifecycle: "" }, headers: withMd5(body), body });
  }

  const ruleOf = (prefix: string, days: number): string =>
    `<ID>${idOf(prefix)}</ID><Filter><Prefix>${escapeXml(root + prefix)}</Prefix></Filter><Status>Enabled</Status><Expiration><Days>${days}</Days></Expiration>`;

  return {
    set: (prefixes, days) =>
      guarded(async () => {
        if ((await read(prefixes)) === days) return;
        await replace([...(await others(prefixes)), ...prefixes.map((prefix) => ruleOf(prefix, days))]);
      }),
    read: (prefixes) => guarded(() => read(prefixes)),
    clear: (prefixes) =>
      guarded(async () => {
        const left = await others(prefixes);
        if (left.length < (await rules()).length) await replace(left);
      }),
  };

  async function read(prefixes: readonly string[]): Promise<number | undefined> {
    const all = await rules();
    const days = prefixes.map((prefix) => {
      const own = all.find((rule) => textOfTag(rule, "ID") === idOf(prefix) && textOfTag(rule, "Status") === "Enabled");
      return own === undefined ? undefined : Number(textOfTag(own, "Days"));
    });
    return days.reduce((least, one) => (least === undefined || one === undefined ? undefined : Math.min(least, one)));
  }
}
