import { retry } from "../../base/retry.ts";
import { AwsError } from "../aws/client.ts";
import type { Expression, Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** The condition of a conditional write did not hold: somebody else was there first. */
export const isConflict = (thrown: unknown): boolean =>
  thrown instanceof AwsError && thrown.type === "ConditionalCheckFailedException";

/**
 * Reads, changes and writes on a condition, again and again while somebody else is first (bounded, with jitter).
 * @throws HearthlineError `conflict` when it was never first
 */
export const compareAndSet = <T>({ clock, random }: Table, work: () => Promise<T>): Promise<T> =>
  retry(work, { clock, random, attempts: 25, baseMs: 10, maxMs: 500, isRetryable: isConflict });

/** The condition that nobody has written since `item` was read; an item that was not there must still not be. Pairs with `nextVersion`. */
export const unchangedSince = (item: Item | undefined): Expression =>
  item
    ? { expression: "version = :version", values: { ":version": item.version } }
    : { expression: "attribute_not_exists(pk)" };

export const nextVersion = (item: Item | undefined): number => Number(item?.version ?? 0) + 1;
