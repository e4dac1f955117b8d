import type { HomePresence } from "../../ingest/ports.ts";
import { homeKey, signingKeyKey } from "./keys.ts";
import type { Table } from "./table.ts";

/** One small read a question; it may be a second behind: so long after a removal something that was at work may still end. */
export const createDynamodbHomePresence = (table: Table): HomePresence => ({
  isThere: async (homeId, keyId) =>
    (await table.get(keyId === undefined ? homeKey(homeId) : signingKeyKey(homeId, keyId), { mayLag: true })) !==
    undefined,
});
