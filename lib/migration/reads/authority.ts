import type { Pointer } from "../ports.ts";

export type Side = "old" | "new";

export const otherOf = (side: Side): Side => (side === "old" ? "new" : "old");

/** An entity's bucket is one of so many: a basis point each. */
const BUCKETS = 10_000;

/**
 * Which basis point an entity is: FNV-1a (32 bits) over the code units of salt, home and entity id with line feeds between, mixed by MurmurHash3's finalizer, modulo 10,000 (the remainder
 * prefers no bucket by more than one in 400,000). The same for ever: another function here would move entities back and forth in the middle of a migration.
 * Source of the constants: Fowler, Noll and Vo's FNV-1a; Appleby's public-domain MurmurHash3.
 */
export function bucketOf(homeId: string, entityId: string, salt: string): number {
  const text = `${salt}\n${homeId}\n${entityId}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % BUCKETS;
}

/**
 * Where a person has moved this reader to; undefined: he goes with all others. To NEW only while NEW has the whole past: before that, and after a rollback, nobody is left alone with half a home.
 */
function movedTo({ readers, isNewComplete }: Pointer, reader: string | undefined): Side | undefined {
  // A token may be called "constructor".
  const side = reader !== undefined && Object.hasOwn(readers, reader) ? readers[reader] : undefined;
  return side === "new" && !isNewComplete ? undefined : side;
}

/** Whether NEW answers for this entity. Sticky: the same until the pointer changes. Monotone: who is NEW's at some basis points is at all higher ones. */
export const isNew = (pointer: Pointer, homeId: string, entityId: string, reader?: string): boolean =>
  sideOf(pointer, { homeId, entityIds: [entityId] }, reader) === "new";

/**
 * Who answers a read. One of several entities is NEW's only if each of them is; one that names none (all of the home) only when all that there can be are: an answer is never made of two halves.
 * `reader`: the name of the token that asks.
 */
export function sideOf(
  pointer: Pointer,
  { homeId, entityIds }: { readonly homeId: string; readonly entityIds?: readonly string[] },
  reader?: string,
): Side {
  const moved = movedTo(pointer, reader);
  if (moved) return moved;
  const { authority, basisPoints, salt } = pointer;
  if (authority !== "split") return authority;
  if (basisPoints >= BUCKETS) return "new";
  if (!entityIds) return "old";
  return entityIds.every((entityId) => bucketOf(homeId, entityId, salt) < basisPoints) ? "new" : "old";
}
