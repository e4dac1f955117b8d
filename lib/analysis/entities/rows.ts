import { HearthlineError } from "../../base/errors.ts";
import {
  createWindows,
  decodeRollup,
  encodeRollup,
  heldBy,
  type Rollup,
  type WindowAggregate,
} from "../../series/index.ts";
import type { Period } from "../periods.ts";
import type { Aggregate } from "../ports.ts";

/** The kind of aggregate that this folder makes. */
export const ENTITIES = "entities";

/** One entity in one period. One of the two is there. */
export interface EntityRow {
  readonly entityId: string;
  /** What was there before the period, so that what it left behind holds on into it. Absent: nothing was held. */
  readonly before?: Rollup;
  /** Of the period's events; absent: there were none. */
  readonly rollup?: Rollup;
}

/** Whether the part leaves something behind that holds on. */
const holds = ({ hold }: Rollup): boolean => hold.isOn || hold.number !== undefined;

/** What the row leaves to the next period: what its last event holds, and since when. */
export const leftBy = ({ before, rollup }: EntityRow): Rollup | undefined => {
  const last = rollup ?? before;
  if (!last || !holds(last)) return undefined;
  return heldBy(last);
};

/** Rows as an aggregate keeps them: rollups as base64 of `encodeRollup`. */
export const packRows = (rows: readonly EntityRow[]): unknown[] =>
  rows.map(({ entityId, before, rollup }) => ({
    entity_id: entityId,
    ...(before && { before: textOf(before) }),
    ...(rollup && { rollup: textOf(rollup) }),
  }));

const textOf = (rollup: Rollup): string => Buffer.from(encodeRollup(rollup)).toString("base64");

/** @throws HearthlineError `store_damaged` */
export function unpackRows({ rows, date, homeId }: Aggregate): EntityRow[] {
  return rows.map((row) => {
    const { entity_id: entityId, before, rollup } = row as Readonly<Record<string, unknown>>;
    if (typeof entityId !== "string")
      throw new HearthlineError(
        "store_damaged",
        `The aggregate of the entities of home "${homeId}" of "${date}" has a row without an entity_id.`,
      );
    return {
      entityId,
      ...(typeof before === "string" && { before: rollupOf(before) }),
      ...(typeof rollup === "string" && { rollup: rollupOf(rollup) }),
    };
  });
}

const rollupOf = (text: string): Rollup => decodeRollup(Buffer.from(text, "base64"));

/** The whole period as one window, to the bit what the events themselves would give. */
export function windowOf(
  { before, rollup }: EntityRow,
  { fromUs, toUs }: Pick<Period, "fromUs" | "toUs">,
): WindowAggregate {
  const windows = createWindows([fromUs, toUs]);
  if (before) windows.addRollup(before);
  if (rollup) windows.addRollup(rollup);
  const [window] = windows.finish();
  return window ?? { fromUs, toUs, count: 0, heldSeconds: 0, secondsOn: 0 };
}
