import { table } from "./output.ts";

/** A change of the index, as the API gives it. */
export interface Change {
  readonly at: string;
  readonly registry: string;
  readonly kind: string;
  readonly id: string;
  readonly before?: string;
  readonly into?: readonly string[];
  readonly fields: readonly { readonly field: string; readonly from?: unknown; readonly to?: unknown }[];
}

/** A conflict, as the API gives it. */
export interface Conflict {
  readonly id: string;
  readonly subject_id: string;
  readonly field: string;
  readonly new_source: string;
  readonly old_source: string;
  readonly new: string | readonly string[];
  readonly old: string | readonly string[];
  readonly status: string;
  readonly strategy: string;
  readonly chosen?: "new" | "old" | "both";
  readonly settled_by?: string;
  readonly reason: string;
  readonly cost: { readonly operations: number; readonly microseconds: number };
}

const textOf = (value: unknown): string =>
  Array.isArray(value)
    ? value.join(", ")
    : typeof value === "string"
      ? value
      : value === undefined
        ? ""
        : String(value);

const fieldWords = ({ field, from, to }: Change["fields"][number]): string =>
  from === undefined
    ? `${field} set to "${textOf(to)}"`
    : to === undefined
      ? `${field} "${textOf(from)}" taken away`
      : `${field} "${textOf(from)}" -> "${textOf(to)}"`;

/** What happened, in a few words. */
function changeWords({ kind, before, into = [], fields }: Change): string {
  const first =
    kind === "split"
      ? [`became ${into.join(" and ")}`]
      : kind === "branched"
        ? [`got the child devices ${into.join(", ")}`]
        : before === undefined
          ? []
          : [`was ${before}`];
  return [...first, ...fields.map(fieldWords)].join("; ");
}

export const changesTable = (changes: readonly Change[], empty: string): string =>
  table(
    ["WHEN", "WHAT", "ID", "HOW"],
    changes.map((change) => [change.at, change.kind, change.id, changeWords(change)]),
    empty,
  );

export const conflictsTable = (conflicts: readonly Conflict[], empty: string): string =>
  table(
    ["CONFLICT", "DEVICE", "FIELD", "NEW", "OLD", "STATUS", "HOLDS", "BY", "COST", "REASON"],
    conflicts.map((one) => [
      one.id,
      one.subject_id,
      one.field,
      `${textOf(one.new)} (${one.new_source})`,
      `${textOf(one.old)} (${one.old_source})`,
      one.status,
      one.chosen,
      one.settled_by === "hand" ? "hand" : one.strategy,
      `${one.cost.operations} operations, ${one.cost.microseconds} us`,
      one.reason,
    ]),
    empty,
  );
