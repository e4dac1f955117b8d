import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { addressGroup, createLocalBuckets } from "./local-buckets.ts";
import type { Scope, Token, TokenStore } from "./ports.ts";

/** Who asks: the home of the token and what it may do. Nothing else says which home a request is about. */
export interface Caller {
  readonly homeId: string;
  readonly scopes: readonly Scope[];
  readonly tokenId: string;
  /** What people call the token; absent: an authorizer of an older version has found it. */
  readonly tokenName?: string;
}

/** Why there is no caller. `token_unchecked`: the table of tokens did not answer; `token_guessed`: its address has sent too many that are none. */
export const CALLER_ERRORS = [
  "token_missing",
  "token_invalid",
  "token_expired",
  "token_unchecked",
  "token_guessed",
] as const;
export type CallerError = (typeof CALLER_ERRORS)[number];

export type Identified = { readonly caller: Caller } | { readonly error: CallerError };

/** A token's text: `hl_`, its home, `_`, 32 random bytes in base64url. The home stands in it for people; only the hash decides. */
const TOKEN_TEXT = /^hl_[a-z0-9][a-z0-9_-]{0,62}_[A-Za-z0-9_-]{43}$/;

/**
 * What is kept of a token: SHA-256 in hex. 256 random bits need no salt and no slow hash; and as it is looked up by this hash, no secret is ever
 * compared character by character.
 */
export const hashToken = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The token of an `Authorization` header; undefined: there is no header; null: it is no bearer token of ours. */
export function bearerOf(authorization: string | undefined | null): string | undefined | null {
  if (authorization === undefined || authorization === null || authorization.trim() === "") return undefined;
  const text = /^Bearer +(\S+) *$/i.exec(authorization.trim())?.[1];
  return text !== undefined && TOKEN_TEXT.test(text) ? text : null;
}

/** Tokens that are none, of one address in a minute, until an instance looks up no more of them: each costs a read. */
export const GUESSES_PER_MINUTE = 60;
const ADDRESSES_MAX = 10_000;
const GOOD_MAX = 1_000;

/** Finds who is behind an `Authorization` header; `address`: where the request comes from, as far as it is known. It never throws. */
export type Identify = (authorization: string | undefined | null, address?: string) => Promise<Identified>;

/**
 * Every token is looked up for every request, so that a revoked one is refused from the very next one on: anything that would tell of a revocation
 * elsewhere costs a read as well, and this one is the smallest there is.
 */
export function createIdentify(
  tokens: Pick<TokenStore, "findByHash">,
  clock: Pick<Clock, "nowMs" | "monotonicMs">,
): Identify {
  const guesses = createLocalBuckets({ clock, perMinute: GUESSES_PER_MINUTE, subjectsMax: ADDRESSES_MAX });
  // Hashes that were good: whoever guesses beside them, behind the same router, must not lock them out. They are looked up all the same.
  const good = new Set<string>();

  async function find(hash: string, address: string | undefined): Promise<Token | "guessed" | undefined> {
    const group = address === undefined || good.has(hash) ? undefined : addressGroup(address);
    if (group !== undefined && guesses.take(group) > 0) return "guessed";
    let isGuess = false;
    try {
      const token = await tokens.findByHash(hash);
      good.delete(hash);
      isGuess = token === undefined;
      if (token) remember(hash);
      return token;
    } finally {
      if (group !== undefined && !isGuess) guesses.giveBack(group);
    }
  }

  function remember(hash: string): void {
    if (good.size >= GOOD_MAX) for (const oldest of good) if (good.delete(oldest)) break;
    good.add(hash);
  }

  return async (authorization, address) => {
    const text = bearerOf(authorization);
    if (text === undefined) return { error: "token_missing" };
    if (text === null) return { error: "token_invalid" };
    try {
      const token = await find(hashToken(text), address);
      if (token === "guessed") return { error: "token_guessed" };
      if (!token) return { error: "token_invalid" };
      if (token.expiresAt !== undefined && !(clock.nowMs() < Date.parse(token.expiresAt)))
        return { error: "token_expired" };
      const { homeId, scopes, id: tokenId, name: tokenName } = token;
      return { caller: { homeId, scopes, tokenId, tokenName } };
    } catch {
      return { error: "token_unchecked" };
    }
  };
}

/** `admin` may do everything that `read` and `write` may. */
export const mayDo = (caller: Caller, scope: Scope): boolean =>
  caller.scopes.includes(scope) || caller.scopes.includes("admin");
