import type { Token, TokenStore } from "../../api/ports.ts";
import type { Clock } from "../../base/clock.ts";

/** Tokens that live as long as their process. */
export interface MemoryTokenStore extends TokenStore {
  /** Drops a home's tokens. */
  forget(homeId: string): void;
}

export function createMemoryTokenStore(clock: Pick<Clock, "nowMs">): MemoryTokenStore {
  const tokens = new Map<string, Token>();
  // To the second, as the table's own expiry is.
  const isLive = ({ expiresAt }: Token) =>
    expiresAt === undefined || Math.floor(Date.parse(expiresAt) / 1000) * 1000 > clock.nowMs();
  return {
    async findByHash(hash) {
      const token = tokens.get(hash);
      return token && isLive(token) ? token : undefined;
    },
    list: async (homeId) => [...tokens.values()].filter((token) => token.homeId === homeId && isLive(token)),
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
