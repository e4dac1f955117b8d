import { createHash } from "node:crypto";

/**
 * Texts as VARCHARs and in SQL. Almost every text is itself. What begins with a tilde is not: `~` alone is "absent" (a measure's value may not be empty, and a
 * measure that a new version left out might keep its old value), `~"..."` is JSON of a text that is empty, begins with a tilde, or has control
 * characters or halves of characters in it, `~#...` is the hash of a text that is too long for its column and stands in the document instead.
 */
export const ABSENT = "~";
const HASHED = "~#";
const HASH_CHARACTERS = 32;

/** A tilde first, or a control character anywhere. */
const UNPLAIN = /^~|\p{Cc}/u;
const CONTROL = /\p{Cc}/gu;

export const bytesOf = (text: string): number => Buffer.byteLength(text);

/** Different texts of at most `maxBytes` (in UTF-8) make different cells; equal texts make equal cells. */
export function cellOf(text: string | undefined, maxBytes = Number.POSITIVE_INFINITY): string {
  if (text === undefined) return ABSENT;
  const isPlain = text !== "" && !UNPLAIN.test(text) && text.isWellFormed();
  const cell = isPlain ? text : `${ABSENT}${jsonOf(text)}`;
  return bytesOf(cell) <= maxBytes ? cell : HASHED + hashOf(text);
}

/** JSON without any control character: JavaScript leaves U+007F to U+009F as they are. Nobody says what Timestream does with them. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value).replace(CONTROL, (found) => `\\u00${found.charCodeAt(0).toString(16)}`);

/** True: the document has the text. */
export const isHashed = (cell: string): boolean => cell.startsWith(HASHED);

/** The text of a cell that is not hashed. @throws SyntaxError for what `cellOf` never made */
export function textOf(cell: string): string | undefined {
  if (!cell.startsWith(ABSENT)) return cell;
  return cell === ABSENT ? undefined : String(JSON.parse(cell.slice(ABSENT.length)));
}

/** 128 bits of SHA-256, in hexadecimal. */
export const hashOf = (text: string): string =>
  createHash("sha256").update(text).digest("hex").slice(0, HASH_CHARACTERS);
