import type { Key } from "../../../lib/adapters/dynamodb/keys.ts";
import type { Table } from "../../../lib/adapters/dynamodb/table.ts";
import type { Item } from "../../../lib/adapters/dynamodb/wire-item.ts";
import type { Life } from "./scheduler.ts";

/** One call over the network by this process: it may be late, lost before or after its effect, or the last thing that the process does. */
export type Call = <T>(life: Life, link: string, effect: () => T) => Promise<T>;

/** The items of one table, which outlive every process. */
export class Items {
  readonly map = new Map<string, Item>();
  /** Sees each write as it happens. */
  onPut: (item: Item, before: Item | undefined) => void = () => {};

  put(item: Item): void {
    const key = nameOf(item);
    const before = this.map.get(key);
    this.map.set(key, item);
    this.onPut(item, before);
  }
}

const nameOf = ({ pk, sk }: Key): string => `${pk}\n${sk}`;

export interface TableParts {
  readonly life: Life;
  readonly call: Call;
  readonly clock: Table["clock"];
  readonly random: Table["random"];
  /** As the table's own client says it. */
  readonly conflict: () => Error;
}

/** The table as one process sees it: each item of a batch is a call of its own, so that a process may die between two. */
export function tableOf(items: Items, { life, call, clock, random, conflict }: TableParts): Table {
  const ask = <T>(effect: () => T) => call(life, "table", effect);
  const find = (key: Key): Item | undefined => items.map.get(nameOf(key));

  function isMet(there: Item | undefined, expression: string, values: Readonly<Record<string, unknown>>): boolean {
    return expression.split(" OR ").some((part) => {
      if (part === "attribute_not_exists(pk)") return there === undefined;
      const [, name = "", operator, value = ""] = /^(\w+) (=|<=) (:\w+)$/.exec(part) ?? [];
      if (!operator) throw new Error(`The model's table does not know the condition "${part}".`);
      if (!there) return false;
      return operator === "=" ? there[name] === values[value] : Number(there[name]) <= Number(values[value]);
    });
  }

  return {
    clock,
    random,
    get: (key) => ask(() => find(key)),
    getMany: (keys) => ask(() => keys.flatMap((key) => find(key) ?? [])),
    put: (item, condition) =>
      ask(() => {
        if (condition && !isMet(find(item), condition.expression, condition.values ?? {})) throw conflict();
        items.put(item);
      }),
    update: () => Promise.reject(new Error("The model's table knows no updates.")),
    remove: (key) => ask(() => items.map.delete(nameOf(key))),
    async *query({ pk, prefix = "", between, descending }) {
      const found = await ask(() =>
        [...items.map.values()]
          .filter((item) => item.pk === pk && item.sk.startsWith(prefix))
          .filter(({ sk }) => !between || (sk >= between[0] && sk <= between[1]))
          .sort((a, b) => (a.sk < b.sk ? -1 : 1)),
      );
      yield* descending ? found.reverse() : found;
    },
    async writeMany({ puts = [], deletes = [] }) {
      for (const item of puts) await ask(() => items.put(item));
      for (const key of deletes) await ask(() => items.map.delete(nameOf(key)));
    },
  };
}
