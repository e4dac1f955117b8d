import { createHash } from "node:crypto";
import * as z from "zod";
import { fitting } from "./answer-size.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import type { ApiRequest } from "./route.ts";

export interface ListQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/**
 * A page of a list that is small enough to be read whole. `items` ascend by `keyOf` (code units); the cursor holds the key of the page's last item,
 * so pages stay right while items come and go. `query`: what decides the list; `view`: an item as it is answered. A page also ends by its bytes (`fitting`).
 * @throws Problem `cursor_invalid`, `cursor_of_another_query`
 */
export function pageOf<T, V>(
  items: readonly T[],
  keyOf: (item: T) => string,
  options: ListQuery & { readonly query: unknown; readonly view: (item: T) => V },
): Page<V> {
  const after = options.cursor === undefined ? undefined : readCursor(options.cursor, options.query, z.string());
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const page = fitting(rest.slice(0, options.limit).map(options.view));
  const last = rest[page.length - 1];
  const next = last !== undefined && page.length < rest.length ? writeCursor(keyOf(last), options.query) : null;
  return { items: page, next };
}

/** Compares by code units: the same order everywhere, whatever the language of the machine. */
export const byKey =
  <T>(keyOf: (item: T) => string) =>
  (a: T, b: T): number => {
    const [left, right] = [keyOf(a), keyOf(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };

/** JSON with an ETag of its content: 304 without a body when the caller has it already. */
export function jsonWithTag(request: ApiRequest, body: unknown): Response {
  const text = JSON.stringify(body);
  const tag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
  const headers = { etag: tag, "cache-control": "private, no-cache", vary: "authorization" };
  if (isKnown(request.header("if-none-match"), tag)) return new Response(null, { status: 304, headers });
  return new Response(text, { status: 200, headers: { ...headers, "content-type": "application/json" } });
}

/** Weak comparison, as RFC 9110 wants it for If-None-Match: gateways make tags weak when they compress. */
export function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || header.split(",").some((one) => one.trim().replace(/^W\//, "") === tag);
}
