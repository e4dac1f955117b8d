import { type Clock, systemClock } from "./clock.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line carries beside its message. Values of secret-looking names are never written. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with these fields on every line. */
  with(fields: LogFields): Logger;
}

const SECRET = /token|secret|password|authorization|api_?key|home_?key|credential/i;

/** A token of our own API (`hl_`, its home, `_`, 43 characters), wherever it stands: in a path that somebody asked for, in another's error. */
const OWN_TOKEN = /hl_[a-z0-9][a-z0-9_-]{0,62}_[A-Za-z0-9_-]{43}/g;

/** Below this nothing is written: a field may hold a circle. */
const DEPTH_MAX = 6;

const withoutSecrets = (fields: LogFields, depth = 0): LogFields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(name, value, depth)]));

/** A value as JSON can write it. */
function plain(name: string, value: unknown, depth: number): unknown {
  if (SECRET.test(name) && value !== undefined) return "[secret]";
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (depth === DEPTH_MAX) return "[deeper]";
  if (value instanceof Error)
    return { name: value.name, message: value.message, code: (value as { code?: unknown }).code };
  if (Array.isArray(value)) return value.map((item) => plain("", item, depth + 1));
  return withoutSecrets(value as LogFields, depth + 1);
}

export interface LogOptions {
  /** Lines below this level are not written. Default `info`. */
  readonly level?: LogLevel;
  /** Takes one line without its line end. Default: standard output. */
  readonly write?: (line: string) => void;
  readonly clock?: Clock;
  readonly fields?: LogFields;
}

/** One JSON object a line: `time` (ISO), `level`, `message`, then the fields. One line per batch, never per event, at `info`. */
export function createLogger(options: LogOptions = {}): Logger {
  const { level = "info", clock = systemClock, fields = {} } = options;
  const write = options.write ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const at =
    (lineLevel: LogLevel) =>
    (message: string, more: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level)) return;
      const time = new Date(clock.nowMs()).toISOString();
      const line = { time, level: lineLevel, message, ...withoutSecrets(fields), ...withoutSecrets(more) };
      write(JSON.stringify(line).replace(OWN_TOKEN, "[secret]"));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (more) => createLogger({ ...options, fields: { ...fields, ...more } }),
  };
}

/** A log that writes nothing: for tests and for tools whose output is data. */
export const silentLogger: Logger = createLogger({ write: () => {} });
