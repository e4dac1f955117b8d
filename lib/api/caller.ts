import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Scope, Token, TokenStore } from "./ports.ts";

/** Who asks: the home of the token and what it may do. Nothing else says which home a request is about. */
export interface Caller {
  readonly homeId: string;
  readonly scopes: readonly Scope[];
  readonly tokenId: string;
}

/** Why there is no caller. `token_unchecked`: the table of tokens did not answer. */
export type CallerError = "token_missing" | "token_invalid" | "token_expired" | "token_unchecked";

export type Identified = { readonly caller: Caller } | { readonly error: CallerError };

/** A token's text: `hl_`, its home, `_`, 32 random bytes in base64url. The home stands in it for people; only the hash decides. */
const TOKEN_TEXT = /^hl_[a-z0-9][a-z0-9_-]{0,62}_[A-Za-z0-9_-]{43}$/;

/** What is kept of a token: SHA-256 in hex. 256 random bits need no salt and no slow hash. */
export const hashToken = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The token of an `Authorization` header; undefined: there is no header; null: it is no bearer token of ours. */
export function bearerOf(authorization: string | undefined | null): string | undefined | null {
  if (authorization === undefined || authorization === null || authorization.trim() === "") return undefined;
  const text = /^Bearer +(\S+) *$/i.exec(authorization.trim())?.[1];
  return text !== undefined && TOKEN_TEXT.test(text) ? text : null;
}

/** How long a token that was found counts as found: a revoked one is refused after at most this long. */
export const TOKEN_CACHE_SECONDS = 3;
const TOKEN_CACHE_MAX = 1_000;

/** Finds who is behind an `Authorization` header. It never throws. */
export type Identify = (authorization: string | undefined | null) => Promise<Identified>;

/** Tokens that were not found are asked for anew each time, so that a new one works at once. */
export function createIdentify(tokens: Pick<TokenStore, "findByHash">, clock: Clock): Identify {
  const found = new Map<string, { readonly token: Token; readonly untilMs: number }>();

  async function find(hash: string): Promise<Token | undefined> {
    const known = found.get(hash);
    if (known && known.untilMs > clock.monotonicMs()) return known.token;
    found.delete(hash);
    const token = await tokens.findByHash(hash);
    if (token) {
      if (found.size >= TOKEN_CACHE_MAX) found.clear();
      found.set(hash, { token, untilMs: clock.monotonicMs() + TOKEN_CACHE_SECONDS * 1000 });
    }
    return token;
  }

  return async (authorization) => {
    const text = bearerOf(authorization);
    if (text === undefined) return { error: "token_missing" };
    if (text === null) return { error: "token_invalid" };
    try {
      const token = await find(hashToken(text));
      if (!token) return { error: "token_invalid" };
      if (token.expiresAt !== undefined && Date.parse(token.expiresAt) <= clock.nowMs())
        return { error: "token_expired" };
      return { caller: { homeId: token.homeId, scopes: token.scopes, tokenId: token.id } };
    } catch {
      return { error: "token_unchecked" };
    }
  };
}

/** `admin` may do everything that `read` and `write` may. */
export const mayDo = (caller: Caller, scope: Scope): boolean =>
  caller.scopes.includes(scope) || caller.scopes.includes("admin");
