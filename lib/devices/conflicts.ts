import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";

/**
 * How a field on which two sources disagree is settled. `new` is Home Assistant's registry, which the index follows; `old` the other source (Zigbee2MQTT; the list of
 * an older system). `new-wins`, `old-wins`: as that source has it, also when it has nothing. `merge`: what is there; of two texts new's, of two lists both.
 * `newest-wins`: of what is there the one that changed last; who is known to have changed is later than who is not, and of equals new wins. `ask`: a person decides;
 * until then new's is shown.
 */
export const CONFLICT_STRATEGIES = ["new-wins", "old-wins", "merge", "newest-wins", "ask"] as const;
export type ConflictStrategy = (typeof CONFLICT_STRATEGIES)[number];

/** What two sources may disagree on. */
export const CONFLICT_FIELDS = ["name", "manufacturer", "model", "sw_version", "area", "labels"] as const;
export type ConflictField = (typeof CONFLICT_FIELDS)[number];
export type ConflictValue = string | readonly string[];

export interface ConflictRules {
  readonly otherwise: ConflictStrategy;
  readonly byField: { readonly [F in ConflictField]?: ConflictStrategy };
}

/** One row as one source has it. */
export interface SourceRow {
  /** `home-assistant`, `zigbee2mqtt`. */
  readonly source: string;
  readonly values: { readonly [F in ConflictField]?: ConflictValue };
  /** Other ways in which this source's value may be written: they are no conflict. */
  readonly spellings?: { readonly [F in ConflictField]?: readonly string[] };
  /** When the source's value was last seen to change, milliseconds since 1970. */
  readonly changedAtMs?: { readonly [F in ConflictField]?: number };
}

/** A disagreement and what came of it. */
export interface Conflict {
  /** The same for the same field of the same row of the same two sources. */
  readonly id: string;
  readonly kind: "device" | "entity";
  readonly subjectId: string;
  readonly field: ConflictField;
  readonly newSource: string;
  readonly oldSource: string;
  readonly new: ConflictValue;
  readonly old: ConflictValue;
  readonly strategy: ConflictStrategy;
  /** `open`: somebody is asked. `over`: the sources agree by now, or one of them has nothing any more. */
  readonly status: "open" | "settled" | "over";
  /** Whose value holds; absent while it is open. */
  readonly chosen?: "new" | "old" | "both";
  readonly settledBy?: "strategy" | "hand";
  readonly reason: string;
  /** What settling it took: values compared and written, and time. */
  readonly cost: { readonly operations: number; readonly micros: number };
  /** When it was found with these values; when it was settled, or was over. Milliseconds since 1970. */
  readonly foundAtMs: number;
  readonly settledAtMs?: number;
  readonly overAtMs?: number;
}

export interface SettledRow {
  readonly values: { readonly [F in ConflictField]?: ConflictValue };
  readonly conflicts: readonly Conflict[];
}

const isOneOf = <T extends string>(all: readonly T[], text: string): text is T =>
  (all as readonly string[]).includes(text);

/**
 * `newest-wins,name:old-wins`: one strategy for all fields (default `new-wins`), others for single ones.
 * @throws HearthlineError `setting_invalid`
 */
export function parseConflictRules(text: string): ConflictRules {
  let otherwise: ConflictStrategy = "new-wins";
  const byField: { [F in ConflictField]?: ConflictStrategy } = {};
  for (const rule of text.split(",").map((part) => part.trim())) {
    const [field = "", strategy, ...more] = rule.split(":");
    if (more.length > 0) throw noRule(rule);
    if (strategy === undefined && isOneOf(CONFLICT_STRATEGIES, field)) otherwise = field;
    else if (strategy !== undefined && isOneOf(CONFLICT_FIELDS, field) && isOneOf(CONFLICT_STRATEGIES, strategy))
      byField[field] = strategy;
    else if (rule !== "") throw noRule(rule);
  }
  return { otherwise, byField };
}

const noRule = (rule: string) =>
  new HearthlineError(
    "setting_invalid",
    `"${rule}" says nothing about conflicts: wanted is STRATEGY or FIELD:STRATEGY, strategies ${CONFLICT_STRATEGIES.join(", ")}, fields ${CONFLICT_FIELDS.join(", ")}.`,
  );

export interface RowPair {
  readonly kind: Conflict["kind"];
  readonly subjectId: string;
  readonly new: SourceRow;
  readonly old: SourceRow;
}

/** Settles two views of one row field by field. A field that only one of them has is no conflict; the strategy says whether it is taken. */
export function settleRow(
  pair: RowPair,
  { rules, clock }: { readonly rules: ConflictRules; readonly clock: Pick<Clock, "nowMs" | "monotonicMs"> },
): SettledRow {
  const values: { [F in ConflictField]?: ConflictValue } = {};
  const conflicts: Conflict[] = [];
  for (const field of CONFLICT_FIELDS) {
    const startedMs = clock.monotonicMs();
    const strategy = rules.byField[field] ?? rules.otherwise;
    const { value, found, operations } = settleField(pair, field, strategy);
    if (value !== undefined) values[field] = value;
    if (!found) continue;
    const nowMs = clock.nowMs();
    const micros = Math.round((clock.monotonicMs() - startedMs) * 1000);
    conflicts.push({
      id: conflictId(pair, field),
      kind: pair.kind,
      subjectId: pair.subjectId,
      field,
      newSource: pair.new.source,
      oldSource: pair.old.source,
      ...found,
      strategy,
      // One more: what it comes to is written down.
      cost: { operations: operations + 1, micros },
      foundAtMs: nowMs,
      ...(found.status === "settled" && { settledAtMs: nowMs, settledBy: "strategy" as const }),
    });
  }
  return { values, conflicts };
}

interface SettledField {
  readonly value: ConflictValue | undefined;
  readonly found?: Pick<Conflict, "new" | "old" | "status" | "chosen" | "reason">;
  readonly operations: number;
}

function settleField(pair: RowPair, field: ConflictField, strategy: ConflictStrategy): SettledField {
  const [fresh, old] = [pair.new.values[field], pair.old.values[field]];
  if (fresh === undefined || old === undefined) {
    const isKept = strategy === "new-wins" ? fresh : strategy === "old-wins" ? old : (fresh ?? old);
    return { value: isKept, operations: 1 };
  }
  const { same, operations } = compare(pair, field);
  if (same) return { value: strategy === "old-wins" ? old : fresh, operations };
  const values = { new: fresh, old };
  if (strategy === "ask") {
    const reason = `asked; until somebody answers, that of ${pair.new.source} is shown`;
    return { value: fresh, operations, found: { ...values, status: "open", reason } };
  }
  const { chosen, reason } = choose(pair, field, strategy);
  return { value: chosenValue(values, chosen), operations, found: { ...values, status: "settled", chosen, reason } };
}

/** The value that a choice comes to. */
export function chosenValue(
  { new: fresh, old }: Pick<Conflict, "new" | "old">,
  chosen: NonNullable<Conflict["chosen"]>,
): ConflictValue {
  if (chosen === "both") return [...new Set([fresh, old].flat())];
  return chosen === "new" ? fresh : old;
}

function choose(
  pair: RowPair,
  field: ConflictField,
  strategy: Exclude<ConflictStrategy, "ask">,
): { readonly chosen: NonNullable<Conflict["chosen"]>; readonly reason: string } {
  const { new: fresh, old } = pair;
  if (strategy === "new-wins") return { chosen: "new", reason: `${fresh.source} wins, whatever others say` };
  if (strategy === "old-wins") return { chosen: "old", reason: `${old.source} wins over ${fresh.source}` };
  if (strategy === "merge") {
    const areLists = typeof fresh.values[field] !== "string" && typeof old.values[field] !== "string";
    return areLists
      ? { chosen: "both", reason: "both are lists: what is in either" }
      : { chosen: "new", reason: `both have one: that of ${fresh.source}` };
  }
  const [freshMs, oldMs] = [fresh.changedAtMs?.[field], old.changedAtMs?.[field]];
  if (oldMs !== undefined && oldMs > (freshMs ?? Number.NEGATIVE_INFINITY))
    return { chosen: "old", reason: `${old.source} changed last, ${isoOf(oldMs)}` };
  if (freshMs !== undefined) return { chosen: "new", reason: `${fresh.source} changed last, ${isoOf(freshMs)}` };
  return { chosen: "new", reason: `neither was seen to change: that of ${fresh.source}` };
}

const isoOf = (atMs: number): string => new Date(atMs).toISOString();

/** Case and blanks are no difference, nor is the order of a list. */
function compare({ new: fresh, old }: RowPair, field: ConflictField): { same: boolean; operations: number } {
  const [a, b] = [fresh.values[field] ?? "", old.values[field] ?? ""];
  if (typeof a === "string" && typeof b === "string") {
    const [these, those] = [
      [a, ...(fresh.spellings?.[field] ?? [])],
      [b, ...(old.spellings?.[field] ?? [])],
    ];
    const known = new Set(those.map(plain));
    return { same: these.some((one) => known.has(plain(one))), operations: these.length * those.length };
  }
  const [these, those] = [[a].flat(), [b].flat()];
  return { same: isSameValue(these, those), operations: these.length + those.length };
}

/** Whether two values are one to people: case, blanks and the order of a list are no difference. */
export const isSameValue = (a: ConflictValue, b: ConflictValue): boolean => {
  const [these, those] = [new Set([a].flat().map(plain)), new Set([b].flat().map(plain))];
  return typeof a === typeof b && these.size === those.size && [...these].every((one) => those.has(one));
};

const plain = (text: string): string => text.normalize("NFC").trim().replace(/\s+/g, " ").toLowerCase();

/** Of one field of one row of two sources, whatever they say. */
export const conflictId = (
  {
    kind,
    subjectId,
    new: fresh,
    old,
  }: Pick<Conflict, "kind" | "subjectId"> & {
    readonly new: Pick<SourceRow, "source">;
    readonly old: Pick<SourceRow, "source">;
  },
  field: ConflictField,
): string =>
  createHash("sha256")
    .update(JSON.stringify([kind, subjectId, field, fresh.source, old.source]))
    .digest("hex")
    .slice(0, 16);
