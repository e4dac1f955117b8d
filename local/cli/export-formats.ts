import type { WireEvent } from "../../lib/event/index.ts";

export const EXPORT_FORMATS = ["jsonl", "csv", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Writes events in the order in which they come; holds no more than a page of them (Parquet: a row group). */
export interface ExportWriter {
  write(events: readonly WireEvent[]): Promise<void>;
  /** Writes what is still to be written. */
  finish(): Promise<void>;
}

/** Takes the file's bytes in order. */
type Sink = (bytes: Uint8Array) => Promise<void>;

export const FORMATS: Record<ExportFormat, (sink: Sink) => Promise<ExportWriter>> = {
  jsonl: async (sink) => createJsonlExport(sink),
  csv: async (sink) => createCsvExport(sink),
  // Loaded only where it is wanted: every other command starts the sooner.
  parquet: async (sink) => (await import("../../lib/wiring/export.ts")).createParquetExport(sink),
};

/** One event a line, in the API's shape: `history import --file` takes it as it is. */
function createJsonlExport(sink: Sink): ExportWriter {
  return {
    write: (events) => sink(Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(""))),
    finish: async () => {},
  };
}

const COLUMNS: readonly [name: string, of: (event: WireEvent) => unknown][] = [
  ["last_updated", (event) => event.last_updated],
  ["local_time", (event) => event.local_time],
  ["entity_id", (event) => event.entity_id],
  ["state", (event) => event.state],
  ["value", (event) => event.value],
  ["unit", (event) => event.unit],
  ["quality", (event) => event.quality],
  ["kind", (event) => event.kind],
  ["last_changed", (event) => event.last_changed],
  ["old_state", (event) => event.old_state],
  ["seconds_in_old_state", (event) => event.seconds_in_old_state],
  ["area_id", (event) => event.area_id],
  ["device_id", (event) => event.device_id],
  ["domain", (event) => event.domain],
  ["device_class", (event) => event.device_class],
  ["day_part", (event) => event.day_part],
  ["origin", (event) => event.origin],
  ["source", (event) => event.source],
  ["context_id", (event) => event.context.id],
  ["context_parent_id", (event) => event.context.parent_id],
  ["context_user_id", (event) => event.context.user_id],
  ["weather_condition", (event) => event.weather?.condition],
  ["weather_temperature", (event) => event.weather?.temperature],
  ["weather_humidity", (event) => event.weather?.humidity],
  ["weather_wind_speed", (event) => event.weather?.wind_speed],
  ["weather_pressure", (event) => event.weather?.pressure],
  ["home_id", (event) => event.home_id],
  ["attributes", (event) => JSON.stringify(event.attributes)],
];

/** RFC 4180: a header, CRLF, UTF-8 without a mark. */
function createCsvExport(sink: Sink): ExportWriter {
  let hasHeader = false;
  const rows = (events: readonly WireEvent[]): string => {
    const header = hasHeader ? "" : `${COLUMNS.map(([name]) => name).join(",")}\r\n`;
    hasHeader = true;
    return header + events.map((event) => `${COLUMNS.map(([, of]) => csvCell(of(event))).join(",")}\r\n`).join("");
  };
  return {
    write: (events) => sink(Buffer.from(rows(events))),
    finish: async () => {
      if (!hasHeader) await sink(Buffer.from(rows([])));
    },
  };
}

// What a spreadsheet would run as a formula. Source: OWASP, "CSV Injection".
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A cell. People open CSV in spreadsheets, and names and states come from whoever can write one: a text that a spreadsheet would take for a formula gets an
 * apostrophe in front, unless it is a number. What must come back as it was is exported as JSONL or Parquet.
 */
function csvCell(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
