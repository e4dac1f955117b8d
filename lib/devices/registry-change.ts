import type { FactValue } from "./row-facts.ts";
import type { IndexedRows } from "./rows.ts";

/**
 * What happened to a row: `renamed` an entity under another id; `replaced` a device under another id; `split` a device that became several under other ids; `branched` a device
 * that got child devices; `moved` into another area, floor or device, or under another parent.
 */
export const CHANGE_KINDS = [
  "added",
  "removed",
  "changed",
  "moved",
  "renamed",
  "replaced",
  "split",
  "branched",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** A member of a row; absent `from`: there was none, absent `to`: there is none any more. Of features only the names of those that differ. */
export interface FieldChange {
  readonly field: string;
  readonly from?: FactValue;
  readonly to?: FactValue;
}

/** What happened to one row between two revisions of its registry. */
export interface RowChange {
  readonly registry: IndexedRows;
  readonly kind: ChangeKind;
  /** As it is now; of one that is gone (`removed`, `split`) as it was. */
  readonly id: string;
  readonly name?: string;
  /** Of an entity: the device whose it is, or was. */
  readonly deviceId?: string;
  /** `renamed`, `replaced`: the id that it had. */
  readonly before?: string;
  /** `split`: the devices that it became; `branched`: its new child devices. */
  readonly into?: readonly string[];
  readonly fields: readonly FieldChange[];
}

/** What a revision of a registry changed. */
export interface RevisionChanges {
  readonly registry: IndexedRows;
  readonly revision: number;
  /** The revision that it replaced. */
  readonly from: number;
  /** The most telling first. */
  readonly changes: readonly RowChange[];
  /** How many more there were: at most 2,000, and 380,000 bytes, are kept. */
  readonly omitted: number;
}

/** Revisions with changes that are kept of a registry; older ones go (now and then: a few more may be there for a while). */
export const HISTORY_REVISIONS_MAX = 500;
/** Changes that are given of a registry, at most: whole revisions, newest first, until there are so many. */
export const HISTORY_CHANGES_MAX = 5_000;
/** How long a change is kept: a year and a day. */
export const HISTORY_KEPT_SECONDS = 366 * 86_400;
