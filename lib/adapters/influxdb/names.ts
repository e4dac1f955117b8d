/**
 * Ids as they stand in tags, in the fields that are filtered by, and in queries: letters, digits, `_`, `.`, `-` as they are, every other character as `%` and the
 * hexadecimal bytes of its UTF-8. So neither line protocol nor InfluxQL meets a character that means something to it, whatever an id holds: nothing can be quoted
 * wrongly, and ids of Home Assistant stay readable.
 */

const SAFE = /^[\w.-]+$/;
const UNSAFE_CHARACTER = /[^\p{L}\p{N}_.-]/gu;
/** A `%` with no digits behind it: the empty id, which a tag cannot hold. */
const EMPTY = "%";

export function encodeName(name: string): string {
  if (SAFE.test(name)) return name;
  return name === "" ? EMPTY : name.replace(UNSAFE_CHARACTER, encodeCharacter);
}

/** A lone surrogate has no UTF-8: `%u` and its code. */
function encodeCharacter(character: string): string {
  if (!character.isWellFormed()) return `%u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return Buffer.from(character).reduce((text, byte) => `${text}%${byte.toString(16).padStart(2, "0")}`, "");
}

export function decodeName(text: string): string {
  if (!text.includes("%")) return text;
  if (text === EMPTY) return "";
  return text.replace(/%u([0-9a-f]{4})|(?:%[0-9a-f]{2})+/g, (bytes, code?: string) =>
    code === undefined ? decodeURIComponent(bytes) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
