import type { OldDevice } from "../../migration/ports.ts";
import { isObject, malformed, said } from "./old-ask.ts";

const TEXTS = [
  ["name", "name"],
  ["manufacturer", "manufacturer"],
  ["model", "model"],
  ["swVersion", "sw_version"],
  ["area", "area"],
] as const;
const LISTS = ["labels", "capabilities"] as const;

/** @throws HearthlineError `old_malformed` for another type; what is null is absent */
export function deviceOf(row: unknown, what: string): OldDevice {
  if (!isObject(row)) throw malformed(what, `what is no object: ${said(JSON.stringify(row) ?? "")}`);
  if (typeof row.id !== "string" || row.id === "")
    throw malformed(what, `an id that is no text: ${said(JSON.stringify(row.id) ?? "nothing")}`);
  const texts = TEXTS.flatMap(([ours, theirs]) => {
    const value = row[theirs];
    if (value === undefined || value === null) return [];
    if (typeof value !== "string")
      throw malformed(what, `a "${theirs}" that is no text: ${said(JSON.stringify(value))}`);
    return [[ours, value] as const];
  });
  const lists = LISTS.flatMap((name) => {
    const value = row[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value) || value.some((one) => typeof one !== "string"))
      throw malformed(what, `"${name}" that are no list of texts: ${said(JSON.stringify(value))}`);
    return [[name, value as readonly string[]] as const];
  });
  const changedAtMs = changedAt(row.changed_at, what);
  return {
    id: row.id,
    ...Object.fromEntries([...texts, ...lists]),
    ...(changedAtMs !== undefined && { changedAtMs }),
  };
}

/** ISO 8601 with an offset, or milliseconds. */
function changedAt(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const hasOffset = typeof value === "string" && /(Z|[+-]\d\d:?\d\d)$/.test(value);
  const ms = hasOffset ? Date.parse(value) : Number.isSafeInteger(value) ? Number(value) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw malformed(
    what,
    `a "changed_at" that is neither whole milliseconds nor ISO 8601 with an offset: ${said(JSON.stringify(value))}`,
  );
}

/** With the names that the list uses. */
export function rowOf(device: OldDevice): Record<string, unknown> {
  const { id, labels, capabilities, changedAtMs } = device;
  return {
    id,
    ...Object.fromEntries(
      TEXTS.flatMap(([ours, theirs]) => (device[ours] === undefined ? [] : [[theirs, device[ours]]])),
    ),
    ...(labels && { labels }),
    ...(capabilities && { capabilities }),
    ...(changedAtMs !== undefined && { changed_at: new Date(changedAtMs).toISOString() }),
  };
}
