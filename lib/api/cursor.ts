import { createHash } from "node:crypto";
import * as z from "zod";
import { Problem } from "./problem.ts";

/** Eight bytes of SHA-256 over what was asked: tells one query's cursor from another's. It is no secret and protects nothing. */
const fingerprintOf = (query: unknown): string =>
  createHash("sha256").update(JSON.stringify(query)).digest("base64url").slice(0, 11);

/** Where the next page begins. `query`: all that decides which items come and in which order, the home included, the page size not. */
export const writeCursor = (position: unknown, query: unknown): string =>
  Buffer.from(JSON.stringify([fingerprintOf(query), position])).toString("base64url");

/**
 * The position in a cursor that `writeCursor` made for the same query.
 * @throws Problem `cursor_invalid`, `cursor_of_another_query`
 */
export function readCursor<S extends z.ZodType>(text: string, query: unknown, position: S): z.output<S> {
  const parsed = z.tuple([z.string(), position]).safeParse(unfold(text));
  if (!parsed.success)
    throw new Problem(
      "cursor_invalid",
      `The cursor "${text.slice(0, 40)}" cannot be read; wanted is \`next\` of a page.`,
      AT,
    );
  const [fingerprint, found] = parsed.data;
  if (fingerprint !== fingerprintOf(query)) {
    throw new Problem(
      "cursor_of_another_query",
      "The cursor is of a query with other filters or another order. Begin again without it.",
      AT,
    );
  }
  return found as z.output<S>;
}

const AT = { errors: [{ field: "cursor", detail: "This is no cursor of this query." }] };

function unfold(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
