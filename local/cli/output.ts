/** Where a command writes: data to standard output, progress and remarks to standard error. */
export interface Output {
  readonly isJson: boolean;
  /** The command's data: as JSON, or as `text` for people. */
  data(value: unknown, text: () => string): void;
  /** One line of a stream (`events tail`): JSON, or the text. */
  line(value: unknown, text: () => string): void;
  remark(text: string): void;
  /** Writes to the terminal as it is, for a line that moves; undefined when standard error is none. */
  readonly draw: ((text: string) => void) | undefined;
}

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard error is a terminal. */
  readonly isTerminal?: boolean;
}

export const processStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
};

export const createOutput = (isJson: boolean, { out, err, isTerminal }: Streams): Output => ({
  isJson,
  data: (value, text) => out(isJson ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`),
  line: (value, text) => out(`${isJson ? JSON.stringify(value) : text()}\n`),
  remark: (text) => err(`${text}\n`),
  draw: isTerminal ? err : undefined,
});

// Names of entities and devices come from a home's users: control characters must not steer the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text that cannot move the cursor or colour the screen. */
export const printable = (text: string): string => text.replace(CONTROL, "\ufffd");

/** Columns as wide as their widest cell; the last one is not padded. Empty rows give `empty`. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty;
  const cells = [head, ...rows.map((row) => row.map((cell) => printable(String(cell ?? ""))))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === head.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
