import { marshall } from "@aws-sdk/util-dynamodb";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { backoffMs } from "../../base/retry.ts";
import { DYNAMODB_BATCH_WRITE_MAX_ITEMS } from "../../limits.ts";
import type { AwsClient } from "../aws/client.ts";
import type { Key } from "./keys.ts";
import { fromWire, type Item, toWire, type WireItem } from "./wire-item.ts";

/** DynamoDB: keys in one BatchGetItem. Source: API_BatchGetItem; read 2026-09. */
const BATCH_GET_MAX_KEYS = 100;
/** Attempts for what a batch answer gives back as unprocessed; the request itself is tried again by the client. */
const BATCH_ATTEMPTS = 8;

/** An expression with its placeholders (`#name`, `:value`); values are plain. */
export interface Expression {
  readonly expression: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface QueryOptions {
  readonly pk: string;
  /** Only sort keys that begin so. */
  readonly prefix?: string;
  /** Only sort keys from the first to the second, both included, as bytes order them. Not beside `prefix`. */
  readonly between?: readonly [string, string];
  readonly descending?: boolean;
  /** Items in one page asked for; the iteration goes on beyond it. */
  readonly pageSize?: number;
  /** Only the keys are sent, and the attributes that are named. */
  readonly keysOnly?: boolean | readonly string[];
  /** Also items that have expired and that DynamoDB has not deleted yet: for whoever clears up. */
  readonly withExpired?: boolean;
}

/** Of a reading that may lag behind the last second's writes: it costs half. What it does not find is looked for again in what is written for certain. */
export interface Reading {
  readonly mayLag?: boolean;
}

/**
 * The operations that the adapters use, all strongly consistent where nothing else is said, and all that both AWS and dynalite know: no transactions, no scan.
 * An item whose `expires_at` has passed is as good as gone: DynamoDB deletes such items days late.
 */
export interface Table {
  readonly clock: Clock;
  readonly random: Random;
  get(key: Key, reading?: Reading): Promise<Item | undefined>;
  /** Those that exist, in no order. */
  getMany(keys: readonly Key[], reading?: Reading): Promise<readonly Item[]>;
  /** @throws HearthlineError `conflict` when the condition does not hold */
  put(item: Item, condition?: Expression): Promise<void>;
  /** @throws HearthlineError `conflict` when the condition does not hold */
  update(key: Key, update: Expression, condition?: string): Promise<void>;
  /** False when there was none. */
  remove(key: Key): Promise<boolean>;
  query(options: QueryOptions): AsyncGenerator<Item>;
  /** Not atomic. Every put and delete is done when it resolves. @throws `service_throttled` after bounded attempts: safe to repeat */
  writeMany(writes: { readonly puts?: readonly Item[]; readonly deletes?: readonly Key[] }): Promise<void>;
}

export interface TableOptions {
  readonly client: AwsClient;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
}

type WireWrite = { PutRequest: { Item: WireItem } } | { DeleteRequest: { Key: WireItem } };

export function createTable({ client, name, clock, random }: TableOptions): Table {
  const isLive = (item: Item): boolean => typeof item.expires_at !== "number" || item.expires_at * 1000 > clock.nowMs();

  /** Calls with what is left until nothing is. */
  async function untilProcessed<T>(
    what: string,
    first: readonly T[],
    call: (left: readonly T[]) => Promise<readonly T[]>,
  ) {
    let left = first;
    for (let attempt = 1; left.length > 0; attempt++) {
      left = await call(left);
      if (left.length === 0) return;
      if (attempt >= BATCH_ATTEMPTS)
        throw new HearthlineError(
          "service_throttled",
          `${what} on the table "${name}": ${left.length} of ${first.length} were still unprocessed after ${attempt} attempts.`,
        );
      await clock.sleep(backoffMs(attempt, random, { baseMs: 50, maxMs: 5_000 }));
    }
  }

  async function getOne(key: Key, isConsistent: boolean): Promise<Item | undefined> {
    const answer = await client.call<{ Item?: WireItem }>("GetItem", {
      TableName: name,
      Key: toWire(key),
      ConsistentRead: isConsistent,
    });
    const item = answer.Item && fromWire(answer.Item);
    return item && isLive(item) ? item : undefined;
  }

  async function getSome(keys: readonly Key[], isConsistent: boolean): Promise<Item[]> {
    const found: Item[] = [];
    for (const some of inGroups(keys.map(toWire), BATCH_GET_MAX_KEYS)) {
      await untilProcessed("BatchGetItem", some, async (left) => {
        const answer = await client.call<{
          Responses?: Record<string, readonly WireItem[]>;
          UnprocessedKeys?: Record<string, { Keys: readonly WireItem[] }>;
        }>("BatchGetItem", { RequestItems: { [name]: { Keys: left, ConsistentRead: isConsistent } } });
        found.push(...(answer.Responses?.[name] ?? []).map(fromWire).filter(isLive));
        return answer.UnprocessedKeys?.[name]?.Keys ?? [];
      });
    }
    return found;
  }

  return {
    clock,
    random,
    async get(key, { mayLag = false } = {}) {
      const item = await getOne(key, !mayLag);
      return item ?? (mayLag ? getOne(key, true) : undefined);
    },

    async getMany(keys, { mayLag = false } = {}) {
      const found = await getSome(keys, !mayLag);
      if (!mayLag || found.length === keys.length) return found;
      const there = new Set(found.map(nameOf));
      return [
        ...found,
        ...(await getSome(
          keys.filter((key) => !there.has(nameOf(key))),
          true,
        )),
      ];
    },

    async put(item, condition) {
      await client.call("PutItem", {
        TableName: name,
        Item: toWire(item),
        ...(condition && { ConditionExpression: condition.expression, ...placeholders(condition) }),
      });
    },

    async update(key, update, condition) {
      await client.call("UpdateItem", {
        TableName: name,
        Key: toWire(key),
        UpdateExpression: update.expression,
        ...placeholders(update),
        ...(condition !== undefined && { ConditionExpression: condition }),
      });
    },

    async remove(key) {
      const answer = await client.call<{ Attributes?: WireItem }>("DeleteItem", {
        TableName: name,
        Key: toWire(key),
        ReturnValues: "ALL_OLD",
      });
      return answer.Attributes !== undefined && isLive(fromWire(answer.Attributes));
    },

    async *query(options) {
      const { descending = false, pageSize, keysOnly = false, withExpired = false } = options;
      const condition = keyCondition(options);
      let start: WireItem | undefined;
      const attributes = keysOnly === true ? [] : keysOnly;
      do {
        const page: { Items?: readonly WireItem[]; LastEvaluatedKey?: WireItem } = await client.call("Query", {
          TableName: name,
          ConsistentRead: true,
          ScanIndexForward: !descending,
          KeyConditionExpression: condition.expression,
          ...placeholders(condition),
          ...(attributes && { ProjectionExpression: ["pk", "sk", "expires_at", ...attributes].join(", ") }),
          ...(pageSize !== undefined && { Limit: pageSize }),
          ...(start && { ExclusiveStartKey: start }),
        });
        for (const wire of page.Items ?? []) {
          const item = fromWire(wire);
          if (withExpired || isLive(item)) yield item;
        }
        start = page.LastEvaluatedKey;
      } while (start);
    },

    async writeMany({ puts = [], deletes = [] }) {
      const writes: WireWrite[] = [
        ...puts.map((item) => ({ PutRequest: { Item: toWire(item) } })),
        ...deletes.map(({ pk, sk }) => ({ DeleteRequest: { Key: toWire({ pk, sk }) } })),
      ];
      for (const some of inGroups(writes, DYNAMODB_BATCH_WRITE_MAX_ITEMS)) {
        await untilProcessed("BatchWriteItem", some, async (left) => {
          const answer = await client.call<{ UnprocessedItems?: Record<string, readonly WireWrite[]> }>(
            "BatchWriteItem",
            {
              RequestItems: { [name]: left },
            },
          );
          return answer.UnprocessedItems?.[name] ?? [];
        });
      }
    },
  };
}

const nameOf = ({ pk, sk }: Key): string => JSON.stringify([pk, sk]);

function keyCondition({ pk, prefix, between }: QueryOptions): Expression {
  if (between) {
    const [from, to] = between;
    return { expression: "pk = :pk AND sk BETWEEN :from AND :to", values: { ":pk": pk, ":from": from, ":to": to } };
  }
  if (prefix === undefined) return { expression: "pk = :pk", values: { ":pk": pk } };
  return { expression: "pk = :pk AND begins_with(sk, :prefix)", values: { ":pk": pk, ":prefix": prefix } };
}

const placeholders = ({ names, values }: Expression) => ({
  ...(names && { ExpressionAttributeNames: names }),
  ...(values && { ExpressionAttributeValues: marshall(values, { removeUndefinedValues: true }) }),
});

function inGroups<T>(values: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < values.length; start += size) groups.push(values.slice(start, start + size));
  return groups;
}
