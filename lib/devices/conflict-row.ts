import { HearthlineError } from "../base/errors.ts";
import type { Conflict } from "./conflicts.ts";

/** All conflicts of a home, oldest first. One row: so the bounds hold and a conflict is settled once, whoever comes at the same moment. */
export interface ConflictRow {
  readonly conflicts: readonly Conflict[];
  /** How many were ever let go for want of room. */
  readonly dropped: number;
}

/** Conflicts that are kept (chosen by us: 300 Zigbee devices that disagree on three fields each). */
export const CONFLICTS_MAX = 1_000;
/** And their bytes of JSON: an item of DynamoDB holds 400 KB. */
export const CONFLICTS_MAX_BYTES = 380_000;
/** How long one is remembered after it was over. */
export const CONFLICT_KEPT_MS = 366 * 86_400_000;

export const emptyConflictRow: ConflictRow = { conflicts: [], dropped: 0 };

/** What a whole comparison of two sources found, at a time. */
export interface Comparison {
  readonly newSource: string;
  readonly oldSource: string;
  readonly found: readonly Conflict[];
  readonly atMs: number;
}

/** What a comparison changed in the list. */
export interface ComparisonTally {
  readonly added: number;
  readonly unchanged: number;
  readonly over: number;
  readonly dropped: number;
}

export interface ConflictQuery {
  readonly status?: Conflict["status"];
  readonly subjectId?: string;
  readonly limit: number;
  /** Only those after the one with this id. */
  readonly after?: string;
  readonly nowMs: number;
}
export interface ConflictPage {
  readonly conflicts: readonly Conflict[];
  /** There are more after this one. */
  readonly next?: string;
}

/** What a person says. */
export interface ConflictChoice {
  readonly chosen: NonNullable<Conflict["chosen"]>;
  readonly reason?: string;
  readonly atMs: number;
}

/** Puts in what a comparison found. What it found before and is as it was stays, and what a person settled holds until a value changes. The same row when nothing did. */
export function noteInRow(
  row: ConflictRow,
  { newSource, oldSource, found, atMs }: Comparison,
): { readonly row: ConflictRow; readonly tally: ComparisonTally } {
  const byId = new Map(found.map((conflict) => [conflict.id, conflict]));
  const known = new Map(row.conflicts.map((conflict) => [conflict.id, conflict]));
  const isOf = (conflict: Conflict) => conflict.newSource === newSource && conflict.oldSource === oldSource;
  const fresh = found.filter((conflict) => !isSame(known.get(conflict.id), conflict));
  const freshIds = new Set(fresh.map(({ id }) => id));
  let over = 0;
  const kept = row.conflicts
    .filter((conflict) => !freshIds.has(conflict.id) && !isForgotten(conflict, atMs))
    .map((conflict): Conflict => {
      if (!isOf(conflict) || byId.has(conflict.id) || conflict.status === "over") return conflict;
      over += 1;
      return { ...conflict, status: "over", overAtMs: atMs };
    });
  const tally = { added: fresh.length, unchanged: found.length - fresh.length, over, dropped: 0 };
  if (fresh.length === 0 && over === 0 && kept.length === row.conflicts.length) return { row, tally };
  const conflicts = bounded(kept, fresh);
  const dropped = kept.length + fresh.length - conflicts.length;
  // Nothing that was found has room: all stays as it is, and comes to the same each time.
  const isAsBefore =
    over === 0 && conflicts.length === row.conflicts.length && conflicts.every((one, at) => one === row.conflicts[at]);
  if (isAsBefore) return { row, tally: { ...tally, added: 0, dropped } };
  const ids = new Set(conflicts.map(({ id }) => id));
  const letGo = kept.filter(({ id }) => !ids.has(id)).length;
  const added = fresh.filter(({ id }) => ids.has(id)).length;
  return { row: { conflicts, dropped: row.dropped + letGo }, tally: { ...tally, added, dropped } };
}

function isSame(known: Conflict | undefined, found: Conflict): boolean {
  if (!known || known.status === "over") return false;
  const values = ({ new: fresh, old }: Conflict) => JSON.stringify([fresh, old]);
  if (values(known) !== values(found)) return false;
  return known.settledBy === "hand" || (known.strategy === found.strategy && known.chosen === found.chosen);
}

const isForgotten = ({ overAtMs }: Conflict, nowMs: number): boolean =>
  overAtMs !== undefined && overAtMs + CONFLICT_KEPT_MS <= nowMs;

/** What a person is asked for or has said is worth more than what a strategy says again. */
const isSettledByRule = ({ status, settledBy }: Conflict): boolean => status === "settled" && settledBy !== "hand";

/**
 * What is over goes first, the oldest of it; then what a strategy settled, then the rest, of both what was found last: all of them stand, and a comparison that finds
 * more than there is room for must come to the same each time.
 */
function bounded(kept: readonly Conflict[], fresh: readonly Conflict[]): readonly Conflict[] {
  const conflicts = [...kept, ...fresh];
  const bytesOf = (conflict: Conflict) => Buffer.byteLength(JSON.stringify(conflict)) + 1;
  let surplus = conflicts.length - CONFLICTS_MAX;
  let surplusBytes = conflicts.reduce((sum, conflict) => sum + bytesOf(conflict), 0) - CONFLICTS_MAX_BYTES;
  const gone = new Set<string>();
  const standing = conflicts.filter(({ status }) => status !== "over").reverse();
  for (const conflict of [
    ...conflicts.filter(({ status }) => status === "over"),
    ...standing.filter(isSettledByRule),
    ...standing.filter((one) => !isSettledByRule(one)),
  ]) {
    if (surplus <= 0 && surplusBytes <= 0) break;
    gone.add(conflict.id);
    surplus -= 1;
    surplusBytes -= bytesOf(conflict);
  }
  return conflicts.filter(({ id }) => !gone.has(id));
}

/**
 * Settles one by hand, whether it was asked for or a strategy had settled it. The same again changes nothing.
 * @throws HearthlineError `request_invalid` when it is over, or both are wanted of two texts
 */
export function settleInConflicts(
  row: ConflictRow,
  id: string,
  { chosen, reason, atMs }: ConflictChoice,
): { readonly row: ConflictRow; readonly conflict: Conflict | undefined } {
  const at = row.conflicts.findIndex((conflict) => conflict.id === id);
  const known = row.conflicts[at];
  if (!known || isForgotten(known, atMs)) return { row, conflict: undefined };
  if (known.settledBy === "hand" && known.chosen === chosen && known.status === "settled")
    return { row, conflict: known };
  if (known.status === "over")
    throw new HearthlineError(
      "request_invalid",
      `The conflict "${id}" was to be settled and is over: the sources agree.`,
    );
  if (chosen === "both" && (typeof known.new === "string" || typeof known.old === "string"))
    throw new HearthlineError(
      "request_invalid",
      `Of the conflict "${id}" both were wanted; "${known.field}" is not a list.`,
    );
  const conflict: Conflict = {
    ...known,
    status: "settled",
    chosen,
    settledBy: "hand",
    reason: reason ?? "settled by hand",
    settledAtMs: atMs,
  };
  return { row: { ...row, conflicts: row.conflicts.with(at, conflict) }, conflict };
}

/** A page in the order of their ids, which stay: pages stay right while conflicts come and go. */
export function pageOfConflicts(
  row: ConflictRow,
  { status, subjectId, limit, after, nowMs }: ConflictQuery,
): ConflictPage {
  const wanted = row.conflicts
    .filter(
      (conflict) =>
        (after === undefined || conflict.id > after) &&
        (status === undefined || conflict.status === status) &&
        (subjectId === undefined || conflict.subjectId === subjectId) &&
        !isForgotten(conflict, nowMs),
    )
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const conflicts = wanted.slice(0, limit);
  const next = wanted.length > conflicts.length ? conflicts.at(-1)?.id : undefined;
  return { conflicts, ...(next !== undefined && { next }) };
}
