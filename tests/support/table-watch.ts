import { readFileSync } from "node:fs";
import type { AwsClient } from "../../lib/adapters/aws/client.ts";

interface WireKey {
  readonly pk?: { readonly S?: string };
  readonly sk?: { readonly S?: string };
}
interface WireWrite {
  readonly PutRequest?: { readonly Item: WireKey };
  readonly DeleteRequest?: { readonly Key: WireKey };
}

/** Operations that adapters have called on tables. */
export const operationsSeen = new Set<string>();
/** Every key written, once. */
const written = new Map<string, readonly [pk: string, sk: string]>();

/** A client that remembers what is called and which keys are written. */
export function watchedClient(client: AwsClient): AwsClient {
  return {
    call(operation, input, options) {
      operationsSeen.add(operation);
      for (const { pk, sk } of writtenKeys(operation, input)) {
        const key = [pk?.S ?? "", sk?.S ?? ""] as const;
        written.set(key.join("\n"), key);
      }
      return client.call(operation, input, options);
    },
  };
}

function writtenKeys(operation: string, input: object): readonly WireKey[] {
  const { Item, Key, RequestItems } = input as {
    readonly Item?: WireKey;
    readonly Key?: WireKey;
    readonly RequestItems?: Readonly<Record<string, readonly WireWrite[]>>;
  };
  if (operation === "PutItem") return [Item ?? {}];
  if (operation === "UpdateItem" || operation === "DeleteItem") return [Key ?? {}];
  if (operation !== "BatchWriteItem") return [];
  return Object.values(RequestItems ?? {}).flatMap((writes) =>
    writes.map(({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key ?? {}),
  );
}

export interface KeyForm {
  readonly question: string;
  readonly pk: string;
  readonly sk: string;
  matches(pk: string, sk: string): boolean;
}

/** The table at the head of keys.ts: `H#<home>`, `RELAY#<relay>`; what stands in angle brackets is any one part. */
export function keyForms(): KeyForm[] {
  const path = new URL("../../lib/adapters/dynamodb/keys.ts", import.meta.url);
  const rows = readFileSync(path, "utf8").matchAll(/^ \* \| ([^|]+?) +\| `([^`]+)` *\| `([^`]+)`[^|]*\|$/gm);
  return [...rows].map(([, question = "", pk = "", sk = ""]) => {
    const [pkForm, skForm] = [pk, sk].map(
      (form) =>
        new RegExp(
          `^${form
            .split("#")
            .map((part) => (/^<.+>$/.test(part) ? "[^#]+" : part))
            .join("#")}$`,
        ),
    );
    return { question, pk, sk, matches: (pkText, skText) => !!pkForm?.test(pkText) && !!skForm?.test(skText) };
  });
}

/** Every key written so far. */
export const keysWritten = (): readonly (readonly [pk: string, sk: string])[] => [...written.values()];
