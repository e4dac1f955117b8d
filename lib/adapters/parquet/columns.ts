import type { SchemaElement } from "hyparquet";

const text = (repetition: "REQUIRED" | "OPTIONAL") =>
  ({
    type: "BYTE_ARRAY",
    converted_type: "UTF8",
    logical_type: { type: "STRING" },
    repetition_type: repetition,
  }) as const;
const moment = (repetition: "REQUIRED" | "OPTIONAL") =>
  ({
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
    repetition_type: repetition,
  }) as const;
const other = (type: "DOUBLE" | "BOOLEAN" | "INT32", repetition: "REQUIRED" | "OPTIONAL" = "OPTIONAL") =>
  ({ type, repetition_type: repetition }) as const;

/** The columns of an event file, in their order. What each means, and which may be left empty because others say it: docs/stores-parquet.md. */
const FIELDS = {
  home_id: text("REQUIRED"),
  entity_id: text("REQUIRED"),
  last_updated: moment("REQUIRED"),
  last_changed: moment("OPTIONAL"),
  kind: text("REQUIRED"),
  source: text("REQUIRED"),
  state: text("OPTIONAL"),
  value: other("DOUBLE"),
  value_bool: other("BOOLEAN"),
  unit: text("OPTIONAL"),
  quality: text("REQUIRED"),
  old_state: text("OPTIONAL"),
  seconds_in_old_state: other("DOUBLE"),
  old_from_previous: other("BOOLEAN", "REQUIRED"),
  area_id: text("OPTIONAL"),
  device_id: text("OPTIONAL"),
  domain: text("REQUIRED"),
  device_class: text("OPTIONAL"),
  local_time: text("OPTIONAL"),
  utc_offset_minutes: other("INT32"),
  day_part: text("REQUIRED"),
  origin: text("REQUIRED"),
  context_id: text("REQUIRED"),
  context_parent_id: text("OPTIONAL"),
  context_user_id: text("OPTIONAL"),
  attributes: text("REQUIRED"),
  weather: text("OPTIONAL"),
  exact: text("OPTIONAL"),
} as const satisfies Readonly<Record<string, Omit<SchemaElement, "name">>>;

export type ColumnName = keyof typeof FIELDS;
export const COLUMN_NAMES = Object.keys(FIELDS) as ColumnName[];

/** One value a row and column; what is not there is undefined or null. */
export type Columns = Readonly<Record<ColumnName, ArrayLike<unknown>>>;

/** The flat schema: the root and one leaf a column. */
export const SCHEMA: SchemaElement[] = [
  { name: "event", num_children: COLUMN_NAMES.length },
  ...COLUMN_NAMES.map((name) => ({ name, ...FIELDS[name] })),
];
