import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../lib/base/log.ts";
import { pageClient } from "../../lib/wiring/page-client.ts";
import { makePageClient } from "../../local/stack/page-client.ts";
import { realPageClient } from "../support/page-home.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hearthline-page-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the page's client", () => {
  it("is made by the stack in the data folder, and read from there", async () => {
    const file = await makePageClient(join(folder, "new"), silentLogger);
    const client = pageClient({ HEARTHLINE_STACK_PAGE_FILE: file });
    expect(client?.text === (await realPageClient()).text).toBe(true);
    expect(client?.version).toMatch(/^[\w-]{16}$/);
  });

  it("has a version that changes with its text alone", () => {
    const file = join(folder, "page.js");
    const versionOf = (text: string) => {
      writeFileSync(file, text);
      return pageClient({ HEARTHLINE_STACK_PAGE_FILE: file })?.version;
    };
    expect(versionOf("a")).toBe(versionOf("a"));
    expect(versionOf("a")).not.toBe(versionOf("b"));
  });

  it("is none where nobody has made one, or it cannot be made", async () => {
    expect(pageClient({})).toBeUndefined();
    expect(pageClient({ HEARTHLINE_STACK_PAGE_FILE: join(folder, "not-there.js") })).toBeUndefined();
    writeFileSync(join(folder, "file"), "");
    expect(await makePageClient(join(folder, "file", "below"), silentLogger)).toBeUndefined();
  });

  it("is part of the API's bundle, and of no other function's", async () => {
    const define = (
      createRequire(import.meta.url)(join(root, "serverless/bundle.cjs")) as () => Record<string, string>
    )();
    const textOf = async (name: string) => {
      const options = { bundle: true, minify: true, write: false, platform: "node", format: "cjs", define } as const;
      const entry = join(root, `functions/${name}.ts`);
      return (await build({ ...options, entryPoints: [entry], logLevel: "silent" })).outputFiles[0]?.text ?? "";
    };
    const [api, dispatch] = await Promise.all([textOf("api"), textOf("dispatch")]);
    const packed = JSON.parse(define["process.env.HEARTHLINE_STACK_BUNDLED_PAGE"] ?? "") as string;
    expect(packed).not.toContain("$");
    expect(gunzipSync(Buffer.from(packed, "base64")).toString()).toBe((await realPageClient()).text);
    expect(api.split(packed).length - 1).toBe(1);
    expect(dispatch).not.toContain(packed);
  });
});
