import { EXPIRED_TOKEN_KEPT_DAYS, type Token, type TokenStore } from "../../api/ports.ts";
import type { Clock } from "../../base/clock.ts";

/** Tokens that live as long as their process. */
export interface MemoryTokenStore extends TokenStore {
  /** Drops a home's tokens. */
  forget(homeId: string): void;
}

export function createMemoryTokenStore(clock: Pick<Clock, "nowMs">): MemoryTokenStore {
  const tokens = new Map<string, Token>();
  const keptMs = EXPIRED_TOKEN_KEPT_DAYS * 86_400_000;
  // To the second, as the table's own expiry is.
  const isKept = ({ expiresAt }: Token) =>
    expiresAt === undefined || Math.ceil(Date.parse(expiresAt) / 1000) * 1000 + keptMs > clock.nowMs();
  return {
    async findByHash(hash) {
      const token = tokens.get(hash);
      return token && isKept(token) ? token : undefined;
    },
    list: async (homeId) => [...tokens.values()].filter((token) => token.homeId === homeId && isKept(token)),
    add: async (token) => void tokens.set(token.hash, token),
    async revoke(homeId, id) {
      const token = [...tokens.values()].find((one) => one.homeId === homeId && one.id === id);
      return token !== undefined && tokens.delete(token.hash);
    },
    forget(homeId) {
      for (const [hash, token] of tokens) if (token.homeId === homeId) tokens.delete(hash);
    },
  };
}
