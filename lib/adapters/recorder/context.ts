import type { PastRow } from "../../history/ports.ts";
import type { StateRow } from "./schema.ts";

// Crockford's alphabet: the letters I, L, O and U are not in it.
const BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_CHARACTERS = 26;

/** 16 bytes as Home Assistant writes a context's id: 26 characters of base 32, the first of which carries the three highest bits. */
export function ulidOf(bytes: Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString("hex") || "0"}`);
  let text = "";
  for (let at = 0; at < ULID_CHARACTERS; at++) {
    text = (BASE32[Number(rest & 31n)] ?? "") + text;
    rest >>= 5n;
  }
  return text;
}

const idOf = (bytes: Uint8Array | null, text: string | null): string | null => {
  if (bytes && bytes.length === 16) return ulidOf(bytes);
  return text === "" ? null : text;
};

/** The user is a UUID, written as 32 hexadecimal digits. */
const userOf = (bytes: Uint8Array | null, text: string | null): string | null => {
  if (bytes && bytes.length === 16) return Buffer.from(bytes).toString("hex");
  return text === "" ? null : text;
};

/** The context of a row; undefined when none was kept. */
export function contextOf(row: StateRow): PastRow["context"] {
  const id = idOf(row.context_id_bin, row.context_id);
  if (id === null) return undefined;
  return {
    id,
    parent_id: idOf(row.context_parent_id_bin, row.context_parent_id),
    user_id: userOf(row.context_user_id_bin, row.context_user_id),
  };
}
