import { HearthlineError } from "../../base/errors.ts";

/** One series of an answer: a row is as long as `columns`. */
export interface Series {
  readonly name?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/** What `/query` said: the series of all statements, and the first error, of the request or of a statement. */
export interface Answer {
  readonly series: readonly Series[];
  readonly error?: string | undefined;
  /** The server has cut it (its setting `max-row-limit`). */
  readonly isCut: boolean;
}

/** A name as InfluxQL quotes it: measurements, tags, fields, databases. */
export const quotedName = (name: string): string => `"${name.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;

/** A text as InfluxQL quotes it. */
export const quotedText = (text: string): string => `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;

/** A token alone is one of InfluxDB 2 and later; with a user it is a password. undefined: nobody asks who it is. */
export function authorizationOf(user: string | undefined, secret: string | undefined): string | undefined {
  if (user !== undefined) return `Basic ${Buffer.from(`${user}:${secret ?? ""}`).toString("base64")}`;
  return secret === undefined ? undefined : `Token ${secret}`;
}

/** undefined: it is no answer of InfluxQL. Checked by hand, because an answer has thousands of rows. */
export function parseAnswer(text: string): Answer | undefined {
  const json = objectOf(text);
  if (!json) return undefined;
  const results = Array.isArray(json.results) ? (json.results as unknown[]) : [];
  const series: Series[] = [];
  let error = errorIn(json);
  let isCut = json.partial === true;
  for (const result of results) {
    if (!isObject(result)) return undefined;
    error ??= errorIn(result);
    isCut ||= result.partial === true;
    for (const one of Array.isArray(result.series) ? (result.series as unknown[]) : []) {
      if (!isObject(one) || !Array.isArray(one.columns)) return undefined;
      isCut ||= one.partial === true;
      series.push({ values: [], ...one } as unknown as Series);
    }
  }
  if (!Array.isArray(json.results) && error === undefined) return undefined;
  return { series, error, isCut };
}

/** What an answer of any of the servers' interfaces calls the error. */
export const errorOf = (text: string): string | undefined => errorIn(objectOf(text) ?? {});

function errorIn(json: Readonly<Record<string, unknown>>): string | undefined {
  const said = json.error ?? json.message;
  return typeof said === "string" ? said : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

export function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A duration as InfluxDB shows it: `168h0m0s`, `1h30m0s`, `0s`.
 * @throws HearthlineError `store_incompatible` for anything else
 */
export function durationSeconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new HearthlineError(
      "store_incompatible",
      `InfluxDB says that it keeps data for "${text.slice(0, 40)}"; wanted is a duration such as "216h0m0s".`,
    );
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (SECONDS[unit] ?? 0), 0);
}

const SECONDS: Readonly<Record<string, number>> = {
  h: 3600,
  m: 60,
  s: 1,
  ms: 1e-3,
  us: 1e-6,
  µs: 1e-6,
  ns: 1e-9,
};
