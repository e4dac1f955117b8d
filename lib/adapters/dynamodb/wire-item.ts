import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import type { Key } from "./keys.ts";

/** An item: its key, plain values, binary as Uint8Array at the top level only. `expires_at` in seconds since 1970. */
export type Item = Key & Readonly<Record<string, unknown>>;

/** As it stands in JSON: like the SDK's, but bytes are base64 text. */
export type WireItem = Record<string, { readonly B?: unknown }>;
/** marshall leaves bytes as they are, for the SDK; in JSON they travel as base64. */
export function toWire(item: Item | Key): WireItem {
  const marshalled: WireItem = marshall(item, { removeUndefinedValues: true });
  return Object.fromEntries(
    Object.entries(marshalled).map(([name, value]) => [
      name,
      value.B instanceof Uint8Array ? { B: Buffer.from(value.B).toString("base64") } : value,
    ]),
  );
}

export function fromWire(wire: WireItem): Item {
  const item = Object.fromEntries(
    Object.entries(wire).map(([name, value]) => [
      name,
      typeof value.B === "string" ? { B: Buffer.from(value.B, "base64") } : value,
    ]),
  );
  return unmarshall(item as Record<string, AttributeValue>) as Item;
}
