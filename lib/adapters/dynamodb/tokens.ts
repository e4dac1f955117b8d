import { EXPIRED_TOKEN_KEPT_DAYS, type Token, type TokenStore } from "../../api/ports.ts";
import { homePartition, prefixOf, tokenHashKey, tokenKey } from "./keys.ts";
import type { Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

const readToken = (item: Item): Token => JSON.parse(String(item.data)) as Token;

/** When the table forgets a token, in seconds. */
const forgottenAt = (expiresAt: string): number =>
  Math.ceil(Date.parse(expiresAt) / 1000) + EXPIRED_TOKEN_KEPT_DAYS * 86_400;

/** Whether the hash leads to a token of another home: a row that a restored file has brought must not end that one. */
export async function isTokenOfAnother(table: Table, homeId: string, hash: string): Promise<boolean> {
  const item = await table.get(tokenHashKey(hash));
  return item !== undefined && readToken(item).homeId !== homeId;
}

/** Ends a token, by its row in its home. */
export async function removeToken(table: Table, homeId: string, { sk, hash }: Item): Promise<void> {
  const leading = String(hash);
  if (!(await isTokenOfAnother(table, homeId, leading))) await table.remove(tokenHashKey(leading));
  // The way to it last: broken off, it is found again.
  await table.remove({ pk: homePartition(homeId), sk });
}

/** Tokens by their hash, for the authorizer, and by their home, for the operator. */
export function createDynamodbTokenStore(table: Table): TokenStore {
  return {
    async findByHash(hash) {
      const item = await table.get(tokenHashKey(hash));
      return item && readToken(item);
    },
    async list(homeId) {
      const tokens: Token[] = [];
      for await (const item of table.query({ pk: homePartition(homeId), prefix: prefixOf("TOKEN") }))
        tokens.push(readToken(item));
      return tokens.sort((a, b) =>
        a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1,
      );
    },
    async add(token) {
      const content = {
        data: JSON.stringify(token),
        hash: token.hash,
        ...(token.expiresAt !== undefined && { expires_at: forgottenAt(token.expiresAt) }),
      };
      // The home's row first: a token that works can always be listed and revoked.
      await table.put({ ...tokenKey(token.homeId, token.id), ...content });
      await table.put({ ...tokenHashKey(token.hash), ...content });
    },
    async revoke(homeId, id) {
      const item = await table.get(tokenKey(homeId, id));
      if (!item) return false;
      await removeToken(table, homeId, item);
      return true;
    },
  };
}
