import { messageOf } from "../base/errors.ts";
import { Problem } from "./problem.ts";
import type { ApiRequest } from "./route.ts";

/** Larger bodies are refused (chosen by us; Lambda itself takes 6 MB). */
export const BODY_MAX_BYTES = 1_048_576;
/** Brackets within brackets. Home Assistant's attributes stay below 10; what reads JSON by recursion must never meet 100,000. */
export const BODY_MAX_DEPTH = 32;

/**
 * The body as JSON.
 * @throws Problem `media_type_unsupported`, `body_too_large`, `body_not_json`, `body_too_deep`
 */
export async function readJson(request: ApiRequest): Promise<unknown> {
  const contentType = request.header("content-type") ?? "";
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new Problem("media_type_unsupported", `The body is called "${mediaType}"; wanted is "application/json".`, {
      headers: { "accept-post": "application/json" },
    });
  }
  // A gateway hands the text on as UTF-8 whatever it was: in another charset it would be stored mutilated.
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset !== undefined && !["utf-8", "utf8", "us-ascii"].includes(charset)) {
    throw new Problem("media_type_unsupported", `The body is in the charset "${charset}"; wanted is UTF-8.`, {
      headers: { "accept-post": "application/json" },
    });
  }
  const encoding = request.header("content-encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new Problem("media_type_unsupported", `The body is encoded as "${encoding}"; wanted is plain JSON.`, {
      headers: { "accept-encoding": "identity" },
    });
  }
  const bytes = await request.bytes();
  if (bytes.byteLength > BODY_MAX_BYTES) {
    throw new Problem(
      "body_too_large",
      `The body has ${bytes.byteLength} bytes; at most ${BODY_MAX_BYTES} are taken. Send several requests.`,
    );
  }
  return parseJson(decode(bytes));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem("body_not_json", "The body is not UTF-8 text; JSON always is.");
  }
}

function parseJson(text: string): unknown {
  if (depthOf(text) > BODY_MAX_DEPTH) {
    throw new Problem("body_too_deep", `The body is nested more than ${BODY_MAX_DEPTH} deep; no event is.`);
  }
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Problem(
      "body_not_json",
      `The body of ${text.length} characters is not JSON: ${messageOf(thrown).slice(0, 200)}`,
    );
  }
}

/** The deepest nesting of brackets outside strings, seen without parsing; gives up beyond the bound. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      deepest = Math.max(deepest, ++depth);
      if (deepest > BODY_MAX_DEPTH) return deepest;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return deepest;
}
