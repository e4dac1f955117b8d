/** Least squares. */

/** Residual sum of squares and coefficients of `values` on the columns; undefined where the columns say the same. Complexity: O(n k²), k <= 3. */
export function leastSquares(
  values: readonly number[],
  columns: readonly (readonly number[])[],
): { readonly squares: number; readonly coefficients: readonly number[] } | undefined {
  const rows = columns.map((a, row) => [
    ...columns.map((b, column) => dot(a, b) + (row === column ? RIDGE : 0)),
    dot(a, values),
  ]);
  for (const [at, pivot] of rows.entries()) {
    const head = pivot[at] ?? 0;
    if (Math.abs(head) < SINGULAR) return undefined;
    for (const [other, row] of rows.entries()) {
      if (other === at) continue;
      const factor = (row[at] ?? 0) / head;
      for (const [column, value] of pivot.entries()) row[column] = (row[column] ?? 0) - factor * value;
    }
  }
  const coefficients = rows.map((row, at) => (row[columns.length] ?? 0) / (row[at] ?? 1));
  const residuals = residualsOf(values, columns, coefficients);
  return { squares: dot(residuals, residuals), coefficients };
}

const SINGULAR = 1e-9;
const RIDGE = 1e-12;

export const residualsOf = (
  values: readonly number[],
  columns: readonly (readonly number[])[],
  coefficients: readonly number[],
): number[] =>
  values.map((value, index) =>
    columns.reduce((rest, column, at) => rest - (column[index] ?? 0) * (coefficients[at] ?? 0), value),
  );

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, each, index) => sum + each * (b[index] ?? 0), 0);

/** Weeks from the `from`th to the one before the `to`th are at one level, the others at another. */
export interface Block {
  readonly from: number;
  readonly to: number;
  readonly squares: number;
}

/** The block that fits best, its edges at least `margin` from each other and from both ends; and without an end, one step. Complexity: O(n²). */
export function bestBlock(
  values: readonly number[],
  margin: number,
): { readonly block?: Block; readonly step: number } {
  const size = values.length;
  const sums = [0];
  for (const [index, value] of values.entries()) sums.push((sums[index] ?? 0) + value);
  const total = sums[size] ?? 0;
  const squares = dot(values, values);
  const restOf = (from: number, to: number) => {
    const inside = (sums[to] ?? 0) - (sums[from] ?? 0);
    return Math.max(0, squares - inside ** 2 / (to - from) - (total - inside) ** 2 / (size - to + from));
  };
  let block: Block | undefined;
  let step = Math.max(0, squares - total ** 2 / size);
  for (let to = 1; to < size; to++) step = Math.min(step, restOf(0, to));
  for (let from = margin; from <= size - 2 * margin; from++) {
    for (let to = from + margin; to <= size - margin; to++) {
      const rest = restOf(from, to);
      if (!block || rest < block.squares) block = { from, to, squares: rest };
    }
  }
  return { ...(block && { block }), step };
}

/** Bayesian information criterion of a least squares fit, its constant left out. */
export const bicOf = (squares: number, size: number, parameters: number): number =>
  size * Math.log(Math.max(squares, 1e-9) / size) + parameters * Math.log(size);
