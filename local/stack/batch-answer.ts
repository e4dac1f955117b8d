import { messageOf } from "../../lib/base/errors.ts";

/** What becomes of a batch: which messages come again, and why all do when that is so. */
export interface Verdict {
  readonly failed: ReadonlySet<string>;
  /** Set when the whole batch fails because of the answer itself. */
  readonly reason?: string;
}

/**
 * Reads a function's answer as Lambda's SQS event source does with `ReportBatchItemFailures`.
 * Nothing, `{}` and an empty or missing list mean that all went well; an answer that is no object, an entry without a usable
 * `itemIdentifier`, or an id that is not in the batch mean that the whole batch failed.
 * Source: Lambda developer guide, "Handling errors for an SQS event source": success and failure conditions; read 2026-09.
 */
export function readBatchAnswer(answer: unknown, messageIds: readonly string[]): Verdict {
  const all = (reason: string): Verdict => ({ failed: new Set(messageIds), reason });
  let json: unknown;
  try {
    // What crosses the border to Lambda's event source is JSON: functions, undefined and dates are gone by then.
    json = JSON.parse(JSON.stringify(answer ?? null));
  } catch (thrown) {
    return all(`the answer is no JSON: ${messageOf(thrown)}`);
  }
  if (json === null) return { failed: new Set() };
  if (typeof json !== "object" || Array.isArray(json))
    return all(`the answer is ${describe(json)}, wanted is an object`);
  const list = (json as { batchItemFailures?: unknown }).batchItemFailures ?? [];
  if (!Array.isArray(list)) return all(`batchItemFailures is ${describe(list)}, wanted is a list`);
  const known = new Set(messageIds);
  const failed = new Set<string>();
  for (const item of list as readonly unknown[]) {
    const id =
      typeof item === "object" && item !== null ? (item as { itemIdentifier?: unknown }).itemIdentifier : undefined;
    if (typeof id !== "string" || id === "") return all(`the entry ${describe(item)} names no message`);
    if (!known.has(id)) return all(`the message "${id}" is not in the batch`);
    failed.add(id);
  }
  return { failed };
}

const describe = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? String(value);
