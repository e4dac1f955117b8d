import type { Clock } from "../../base/clock.ts";
import {
  CONFLICT_FIELDS,
  type Conflict,
  type ConflictField,
  type ConflictRules,
  type ConflictValue,
  chosenValue,
  conflictId,
  HOME_ASSISTANT,
  isSameValue,
  settleRow,
} from "../../devices/index.ts";
import type { OldDevice } from "../ports.ts";
import { type DeviceValues, type NewDevice, type NewList, valuesOfOld, withValues } from "./lists.ts";
import type { DeviceMatch, DevicePair } from "./match.ts";

/** The side called old, where the conflict store names both. */
export const OLD_LIST = "old-list";

/** A row that OLD shall have. */
export interface Write {
  readonly deviceId: string;
  readonly row: OldDevice;
  readonly isCreated: boolean;
}

export interface SyncPlan {
  readonly writes: readonly Write[];
  /** A whole comparison, for the conflict store: what is not in here is over. */
  readonly conflicts: readonly Conflict[];
  /** Values that OLD alone has and keeps, and that do not hold in NEW. */
  readonly keptInOld: number;
}

export interface PlanOptions {
  readonly rules: ConflictRules;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  /** What the store has of these two sources, by id. */
  readonly known: ReadonlyMap<string, Conflict>;
  /** When the row was last seen to change by others than us. */
  readonly oldChangedAtMs: (pair: DevicePair) => number | undefined;
  /** Fields that OLD takes and does not have afterwards. */
  readonly unkept: ReadonlySet<ConflictField>;
}

/**
 * What has to be done for both lists to be in step. NEW follows Home Assistant, so nothing is written there: where OLD's value holds, the conflict store says so, and the index shows it beside its
 * own. OLD gets what holds, and never loses a value of which NEW has none. A second plan after the first was carried out has no writes. Pure but for its clock.
 */
export function planSync(match: DeviceMatch, list: NewList, options: PlanOptions): SyncPlan {
  const writes: Write[] = [];
  const conflicts: Conflict[] = [];
  let keptInOld = 0;
  for (const pair of match.pairs) {
    const settled = settlePair(pair, list, options);
    conflicts.push(...settled.conflicts);
    keptInOld += settled.keptInOld;
    const row = withValues(pair.old, settled.changes);
    const withAbilities = pair.old.capabilities ?? pair.fresh.capabilities;
    const lacksAbilities = pair.old.capabilities === undefined && withAbilities.length > 0;
    // What a device can do is no reason to write by itself: a list without such a column would be written for ever.
    if (Object.keys(settled.changes).length > 0)
      writes.push({
        deviceId: pair.fresh.device.deviceId,
        row: lacksAbilities ? { ...row, capabilities: withAbilities } : row,
        isCreated: false,
      });
  }
  for (const fresh of match.onlyNew)
    writes.push({ deviceId: fresh.device.deviceId, row: rowOf(fresh, list), isCreated: true });
  return { writes, conflicts, keptInOld };
}

function rowOf({ device, values, capabilities }: NewDevice, { lastChangeMs }: NewList): OldDevice {
  const times = CONFLICT_FIELDS.flatMap(
    (field) => lastChangeMs({ registry: "devices", id: device.deviceId, field: MEMBERS[field] }) ?? [],
  );
  return {
    ...withValues({ id: device.deviceId }, values),
    ...(capabilities.length > 0 && { capabilities }),
    ...(times.length > 0 && { changedAtMs: Math.max(...times) }),
  };
}

/** What the registry calls a field. */
const MEMBERS: Readonly<Record<ConflictField, string>> = {
  name: "name",
  manufacturer: "manufacturer",
  model: "model",
  sw_version: "swVersion",
  area: "areaId",
  labels: "labels",
};

interface SettledPair {
  /** What OLD's row shall have instead. */
  readonly changes: DeviceValues;
  readonly conflicts: readonly Conflict[];
  readonly keptInOld: number;
}

function settlePair(pair: DevicePair, list: NewList, options: PlanOptions): SettledPair {
  const { fresh, old } = pair;
  const { device } = fresh;
  const oldValues = valuesOfOld(old, list.labelNames);
  const oldMs = options.oldChangedAtMs(pair);
  const changedOf = (ms: (field: ConflictField) => number | undefined) =>
    Object.fromEntries(CONFLICT_FIELDS.flatMap((field) => (ms(field) === undefined ? [] : [[field, ms(field)]])));
  const rows = {
    kind: "device" as const,
    subjectId: device.deviceId,
    new: {
      source: HOME_ASSISTANT,
      values: fresh.values,
      ...(device.areaId !== undefined && { spellings: { area: [device.areaId] } }),
      changedAtMs: changedOf((field) =>
        list.lastChangeMs({ registry: "devices", id: device.deviceId, field: MEMBERS[field] }),
      ),
    },
    old: { source: OLD_LIST, values: oldValues, changedAtMs: changedOf(() => oldMs) },
  };
  const settled = settleRow(rows, options);
  const byField = new Map(settled.conflicts.map((conflict) => [conflict.field, conflict]));
  const changes: { [F in ConflictField]?: ConflictValue } = {};
  const conflicts: Conflict[] = [];
  let keptInOld = 0;
  for (const field of CONFLICT_FIELDS) {
    const [ours, theirs] = [fresh.values[field], oldValues[field]];
    const found = byField.get(field);
    if (found) {
      const conflict = asKnown(found, options.known.get(found.id));
      conflicts.push(conflict);
      const holds = conflict.chosen === undefined ? found.old : chosenValue(conflict, conflict.chosen);
      if (!isSameValue(holds, found.old)) changes[field] = holds;
    } else if (ours !== undefined && theirs === undefined) {
      // `old-wins` is that source's word also when it has nothing.
      const isTaken = settled.values[field] !== undefined && !options.unkept.has(field);
      if (isTaken) changes[field] = ours;
    } else if (ours === undefined && theirs !== undefined) {
      const holdsInNew = settled.values[field] !== undefined;
      if (holdsInNew) conflicts.push(heldOf(rows, { field, value: theirs }, options));
      else keptInOld += 1;
    }
  }
  return { changes, conflicts, keptInOld };
}

/**
 * A conflict that the store has already stays as it was recorded, with what OLD had then, when OLD has by now what it came to: else a union written to OLD would be a new conflict at the next run, and a
 * person would be asked again for what he has answered.
 */
function asKnown(found: Conflict, known: Conflict | undefined): Conflict {
  if (!known || known.status === "over" || known.chosen === undefined) return found;
  const isByHand = known.settledBy === "hand";
  if (!isByHand && (known.strategy !== found.strategy || known.chosen !== found.chosen)) return found;
  if (!isExactly(known.new, found.new)) return found;
  const isAsThen = isExactly(known.old, found.old);
  const isCarriedOut = isSameValue(chosenValue(known, known.chosen), found.old);
  return isAsThen || isCarriedOut ? known : found;
}

const isExactly = (a: ConflictValue, b: ConflictValue): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A value of OLD that holds in NEW, which has none: kept where conflicts are, because Home Assistant's registry is not ours to write. */
function heldOf(
  rows: Parameters<typeof settleRow>[0],
  { field, value }: { readonly field: ConflictField; readonly value: ConflictValue },
  { rules, clock, known }: PlanOptions,
): Conflict {
  const id = conflictId(rows, field);
  const nothing = typeof value === "string" ? "" : [];
  const before = known.get(id);
  const strategy = rules.byField[field] ?? rules.otherwise;
  const nowMs = clock.nowMs();
  const held: Conflict = {
    id,
    kind: rows.kind,
    subjectId: rows.subjectId,
    field,
    newSource: HOME_ASSISTANT,
    oldSource: OLD_LIST,
    new: nothing,
    old: value,
    strategy,
    status: "settled",
    chosen: "old",
    settledBy: "strategy",
    reason: `${OLD_LIST} alone has one`,
    cost: { operations: 2, micros: 0 },
    foundAtMs: nowMs,
    settledAtMs: nowMs,
  };
  const isKnown = before !== undefined && before.status !== "over" && isExactly(before.new, nothing);
  return isKnown && isExactly(before.old, value) && before.strategy === strategy ? before : held;
}
