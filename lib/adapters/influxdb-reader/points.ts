import type { PastRow } from "../../history/ports.ts";
import type { Series } from "../influxdb/influxql.ts";

/** A text attribute lies in a field of this ending, beside a number in the field without it where its digits look like one. */
const TEXT_ENDING = "_str";
/** Attributes of the same name as the state's own fields got a line behind it. */
const TAKEN_NAMES: Readonly<Record<string, string>> = { value_: "value", state_: "state", time_: "time" };

export interface PointsOf {
  readonly entityId: string;
  /** The measurement, where it is a unit. */
  readonly unit: string | undefined;
}

/** The points of one entity in one measurement. */
export function rowsOfPoints({ columns, values }: Series, { entityId, unit }: PointsOf): PastRow[] {
  const at = Object.fromEntries(columns.map((column, index) => [column, index]));
  const attributes = columns.filter((column) => !["time", "state", "value"].includes(column));
  return values.flatMap((point) => {
    const fieldOf = (column: string): unknown => (at[column] === undefined ? undefined : point[at[column]]);
    const state = stateOf(fieldOf("state"), fieldOf("value"));
    if (state === undefined) return [];
    return [
      {
        entityId,
        state,
        atUs: Number(fieldOf("time")),
        attributes: {
          ...(unit !== undefined && { unit_of_measurement: unit }),
          ...attributesOf(attributes, fieldOf),
        },
      },
    ];
  });
}

/** A text where there is one ("on" lies there as 1 too). Of a number only the value was kept: 13 and 13.0 were the same to it, and both become "13". */
function stateOf(text: unknown, value: unknown): string | undefined {
  if (typeof text === "string") return text;
  return typeof value === "number" || typeof value === "boolean" ? String(Number(value)) : undefined;
}

/** Lists and objects were written as Python shows them and stay that text; what was true became 1. */
function attributesOf(columns: readonly string[], fieldOf: (column: string) => unknown): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const texts: Record<string, unknown> = {};
  for (const column of columns) {
    const value = fieldOf(column);
    if (value === null || value === undefined) continue;
    if (column.endsWith(TEXT_ENDING)) texts[nameOf(column.slice(0, -TEXT_ENDING.length))] = value;
    else kept[nameOf(column)] = value;
  }
  return { ...kept, ...texts };
}

const nameOf = (field: string): string => TAKEN_NAMES[field] ?? field;
