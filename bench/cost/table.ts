import { dollarsOfMonth, type Month } from "./month.ts";
import { dollarsOf, dollarsOfItem, PRICES } from "./prices.ts";
import { ITEMS, type Item, sumOf, type Usage } from "./usage.ts";

const dollars = (amount: number): string => (amount < 0.00005 ? "-" : amount.toFixed(4));

function rowsToText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[0] ?? 0))).join("  "),
    )
    .join("\n");
}

/** Dollars a month by who uses and by what. */
export function itemTable(month: Month): string {
  const used = ITEMS.filter((item) => [...month.values()].some((usage) => (usage[item] ?? 0) > 0));
  const parts = [...month.keys()];
  const cell = (usage: Usage, item: Item): string => dollars(dollarsOfItem(item, usage[item] ?? 0));
  const all = sumOf(month.values());
  return rowsToText([
    ["item", ...parts, "sum", "amount"],
    ...used.map((item) => [
      item,
      ...parts.map((part) => cell(month.get(part) ?? {}, item)),
      cell(all, item),
      (all[item] ?? 0).toPrecision(4),
    ]),
    ["sum", ...parts.map((part) => dollars(dollarsOf(month.get(part) ?? {}))), dollars(dollarsOf(all)), ""],
  ]);
}

export interface Cell {
  readonly store: string;
  readonly eventsPerDay: number;
  readonly fleet: number;
  readonly flushSeconds: number;
  readonly month: Month;
}

/** Dollars a home-month: a row a store and home, a column a flush time. */
export function overview(cells: readonly Cell[], flushTimes: readonly number[]): string {
  const rows = new Map<string, Cell[]>();
  for (const cell of cells) {
    const name = `${cell.store}, ${cell.eventsPerDay} events a day, ${cell.fleet === 1 ? "alone" : `one of ${cell.fleet}`}`;
    rows.set(name, [...(rows.get(name) ?? []), cell]);
  }
  return rowsToText([
    [
      "dollars a home-month (alone: own + fixed; bill above the free tier)",
      ...flushTimes.map((seconds) => `${seconds} s`),
    ],
    ...[...rows].map(([name, own]) => [
      name,
      ...flushTimes.map((seconds) => {
        const found = own.find(({ flushSeconds }) => flushSeconds === seconds);
        if (!found) return "";
        const { own: used, fixed, aboveFree } = dollarsOfMonth(found.month);
        return found.fleet === 1
          ? `${used.toFixed(3)} + ${fixed.toFixed(2)}; ${aboveFree.toFixed(3)}`
          : (used + fixed).toFixed(3);
      }),
    ]),
  ]);
}

export const priceTable = (): string =>
  rowsToText([
    ["price", "dollars", "per", "date", "source"],
    ...PRICES.map(({ item, dollars, per, date, source }) => [item, String(dollars), String(per), date, source]),
  ]);
