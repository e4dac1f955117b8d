import type { TableItem } from "../../backup/ports.ts";
import { HearthlineError } from "../../base/errors.ts";
import { homePartition, keyParts } from "./keys.ts";
import type { Item } from "./wire-item.ts";

const SECRET: ReadonlySet<string> = new Set(["KEY", "TOKEN"]);
/** Items that name their home in what they hold, and are believed: a token works for the home that it names, wherever it lies. */
const NAMES_ITS_HOME: ReadonlySet<string> = new Set(["HOME", "TOKEN", "JOB"]);

export const kindOf = (sk: string): string => keyParts(sk)[0] ?? "";

/** Bytes may come as Buffer or as Uint8Array. */
export const plain = (item: Item): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ]),
  );

export function tableItemOf({ pk: _, sk, ...rest }: Item): TableItem {
  const values: Record<string, unknown> = {};
  const bytes: Record<string, string> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (value instanceof Uint8Array) bytes[name] = Buffer.from(value).toString("base64");
    else values[name] = value;
  }
  const kind = kindOf(sk);
  return { key: sk, kind, isSecret: SECRET.has(kind), values, ...(Object.keys(bytes).length > 0 && { bytes }) };
}

/** In the home's own partition, whatever the item says. */
export function itemOf(homeId: string, { key, values, bytes = {} }: TableItem): Item {
  const decoded = Object.entries(bytes).map(([name, text]) => [name, Buffer.from(text, "base64")]);
  return { ...values, ...Object.fromEntries(decoded), pk: homePartition(homeId), sk: key };
}

/** @throws HearthlineError `backup_damaged` for an item that would reach into another home, or that is a secret and came as none */
export function refuseForeign(homeId: string, item: Item, isSecret: boolean): void {
  const kind = kindOf(item.sk);
  if (SECRET.has(kind) !== isSecret)
    throw new HearthlineError(
      "backup_damaged",
      `The backup of home "${homeId}" holds "${kind}" ${isSecret ? "among" : "outside"} its secrets; keys and tokens, and they alone, are there.`,
    );
  if (!NAMES_ITS_HOME.has(kind)) return;
  const { homeId: named, hash } = contentOf(item);
  if (named !== homeId)
    throw new HearthlineError(
      "backup_damaged",
      `The backup of home "${homeId}" holds a "${kind}" of home "${String(named)}"; wanted are only its own.`,
    );
  // By this its row of hashes is found: revoked, another one's would go.
  if (kind === "TOKEN" && (typeof hash !== "string" || hash !== item.hash))
    throw new HearthlineError(
      "backup_damaged",
      `The backup of home "${homeId}" holds a token with two hashes; wanted is one.`,
    );
}

function contentOf({ data }: Item): { readonly homeId?: unknown; readonly hash?: unknown } {
  try {
    return (JSON.parse(String(data)) as object | null) ?? {};
  } catch {
    return {};
  }
}
