import { type PlainRow, rowAt, rowsBefore } from "./home.ts";
import type { Faults } from "./old.ts";

export interface PlantedFault extends Faults {
  /** So many rows must count as differences. */
  readonly differences: number;
}

const HOUR_US = 3_600_000_000;

export const rowFault = (index: number, ...others: PlainRow[]): Faults => ({ rows: new Map([[index, others]]) });

type Others = ReadonlyMap<number, readonly PlainRow[]>;

/** What a comparison must never overlook, by name. `together`: all that concern single rows, each at another place. */
export function faultsOf(rows: number): Readonly<Record<string, PlantedFault>> {
  const names = Object.keys(SINGLE);
  const placed = Object.entries(SINGLE).map(([name, { differences, of }], index): [string, PlantedFault] => [
    name,
    { differences, rows: of(Math.floor(((index + 1) * rows) / (names.length + 1))) },
  ]);
  return {
    ...Object.fromEntries(placed),
    together: {
      rows: new Map(placed.flatMap(([, fault]) => [...(fault.rows ?? [])])),
      differences: placed.reduce((sum, [, { differences }]) => sum + differences, 0),
    },
    // What NEW has from before OLD's first row is not compared.
    hour_shifted: { shiftUs: HOUR_US, differences: 2 * rows - rowsBefore(rowAt(0).atUs + HOUR_US, rows) },
  };
}

const flipped = (text: string): string => String.fromCharCode(text.charCodeAt(0) ^ 1) + text.slice(1);

const SINGLE: Readonly<Record<string, { readonly differences: number; readonly of: (at: number) => Others }>> = {
  missing: { differences: 1, of: (at) => new Map([[at, []]]) },
  extra: {
    differences: 1,
    of: (at) => {
      const row = rowAt(at);
      return new Map([[at, [row, { ...row, atUs: row.atUs + 1, entityId: rowAt(at + 1).entityId }]]]);
    },
  },
  one_microsecond: { differences: 2, of: (at) => new Map([[at, [{ ...rowAt(at), atUs: rowAt(at).atUs + 1 }]]]) },
  one_bit: { differences: 1, of: (at) => new Map([[at, [{ ...rowAt(at), state: flipped(rowAt(at).state) }]]]) },
  swapped_values: {
    differences: 2,
    of: (at) => {
      const [row, other] = [rowAt(at), rowAt(at + 1)];
      return new Map([
        [at, [{ ...row, state: other.state }]],
        [at + 1, [{ ...other, state: row.state }]],
      ]);
    },
  },
  // Two rows less and two others twice: sums by exclusive or are as before. That OLD has a row twice is a limit of its writer, and named as one.
  equal_xor: {
    differences: 2,
    of: (at) =>
      new Map([
        [at, [rowAt(at), rowAt(at)]],
        [at + 1, [rowAt(at + 1), rowAt(at + 1)]],
        [at + 2, []],
        [at + 3, []],
      ]),
  },
};
