import { quotedName, quotedText } from "../influxdb/influxql.ts";
import type { InfluxOld } from "./old-influx-query.ts";

/** What of the database is Home Assistant's. */
export interface InfluxSchema {
  /** Measurements whose `state` and `value` have the types they should have, in one list each: what is asked of several at once must be of one type. */
  readonly measurements: readonly string[];
  /** Somebody else writes to one of them, without Home Assistant's tags. Leaving such points out costs half of a question's time, so it is asked for only then. */
  readonly hasOthers: boolean;
  /** Changes when a type does that matters; not with each new unit or attribute, which come and go. */
  readonly fingerprint: string;
}

const TYPES: Readonly<Record<string, readonly string[]>> = { state: ["string"], value: ["float", "integer"] };

/** Others may write to the same database: what has not both tags is theirs. */
export async function readSchema(influx: InfluxOld): Promise<InfluxSchema> {
  const tags = new Map((await influx.query("SHOW TAG KEYS")).map(({ name = "", values }) => [name, values.flat()]));
  const isOurs = (name: string) => ["domain", "entity_id"].every((tag) => tags.get(name)?.includes(tag));
  const measurements: string[] = [];
  const wrong: string[] = [];
  for (const { name = "", values } of await influx.query("SHOW FIELD KEYS")) {
    if (!isOurs(name)) continue;
    const kept = values.filter(([field]) => String(field) in TYPES);
    if (kept.length === 0) continue;
    const odd = kept.filter(([field, type]) => !TYPES[String(field)]?.includes(String(type)));
    if (odd.length === 0) measurements.push(name);
    else wrong.push(...odd.map(([field, type]) => `${JSON.stringify(name)} has ${field} as ${type}`));
  }
  const others = `SHOW SERIES FROM ${fromAll({ measurements })} WHERE "domain" = '' OR "entity_id" = '' LIMIT 1`;
  return {
    measurements: measurements.toSorted(),
    hasOthers: measurements.length > 0 && (await influx.query(others)).length > 0,
    fingerprint: ["tags domain, entity_id; state string, value number", ...wrong.toSorted()].join("; "),
  };
}

/** The conditions that mean these entities (each by its two tags; absent: all) in a span, whose ends may be absent. */
export function conditionOf({ hasOthers }: InfluxSchema, { entityIds, domain, times }: Asked): string {
  const named = entityIds?.map((id) => {
    const dot = id.indexOf(".");
    return `("domain" = ${quotedText(id.slice(0, dot))} AND "entity_id" = ${quotedText(id.slice(dot + 1))})`;
  });
  const all = [
    ...(domain === undefined ? [] : [`"domain" = ${quotedText(domain)}`]),
    ...(named ? [`(${named.join(" OR ") || `"domain" = ''`})`] : []),
    ...(hasOthers && !named ? [`"domain" != ''`, `"entity_id" != ''`] : []),
    ...times,
  ];
  return all.length === 0 ? "" : ` WHERE ${all.join(" AND ")}`;
}

export interface Asked {
  readonly entityIds?: readonly string[] | undefined;
  readonly domain?: string | undefined;
  /** Conditions of time, as InfluxQL has them. */
  readonly times: readonly string[];
}

export const fromAll = ({ measurements }: Pick<InfluxSchema, "measurements">): string =>
  measurements.map(quotedName).join(", ");
