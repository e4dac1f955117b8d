import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { PageClient } from "../api/index.ts";

/**
 * The page's client as one script. In a packaged function esbuild puts it, gzip in base64, in the place of `process.env.HEARTHLINE_STACK_BUNDLED_PAGE`
 * (serverless/bundle.cjs); on a laptop the stack makes it and names the file in HEARTHLINE_STACK_PAGE_FILE. Where there is neither, the page is a status page.
 */
export function pageClient(env: Readonly<Record<string, string | undefined>> = process.env): PageClient | undefined {
  const packed = process.env.HEARTHLINE_STACK_BUNDLED_PAGE;
  const text = packed === undefined ? textOf(env.HEARTHLINE_STACK_PAGE_FILE) : unpacked(packed);
  if (text === undefined) return undefined;
  return { text, version: createHash("sha256").update(text).digest("base64url").slice(0, 16) };
}

const unpacked = (packed: string): string => gunzipSync(Buffer.from(packed, "base64")).toString("utf8");

function textOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch {
    // The page says how things are without it too.
    return undefined;
  }
}
