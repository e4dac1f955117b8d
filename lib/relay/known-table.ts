import { usOf } from "./known-of.ts";
import type { LastKnownEntity } from "./ports.ts";

/** More are forgotten, the first that were learnt first: what is not known is taken for new. */
const LAST_KNOWN_MAX_ENTITIES = 200_000;

/** Per entity the newest that is known. */
export type KnownTable = Map<string, LastKnownEntity>;

export function putBounded(table: KnownTable, entityId: string, entity: LastKnownEntity): void {
  if (!table.has(entityId) && table.size >= LAST_KNOWN_MAX_ENTITIES) {
    const [oldest] = table.keys();
    if (oldest !== undefined) table.delete(oldest);
  }
  table.set(entityId, entity);
}

/** When the newest of it was updated; undefined: it is empty. */
export const newestOf = (table: KnownTable): string | undefined =>
  [...table.values()]
    .map(({ lastUpdated }) => lastUpdated)
    .toSorted()
    .at(-1);

/** What was updated then or later, or at a time that cannot be read, is not known any more. */
export function forgetSince(table: KnownTable, sinceUs: number): void {
  for (const [entityId, { lastUpdated }] of table)
    if ((usOf(lastUpdated) ?? sinceUs) >= sinceUs) table.delete(entityId);
}
