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
  /** Standard output as a terminal, for what is drawn again and again; undefined when it is none, or the data is wanted as JSON. */
  readonly screen: (Screen & { write(text: string): void }) | undefined;
}

export interface Screen {
  /** As wide as it is now. */
  columns(): number;
  rows(): number;
  readonly isColoured: boolean;
}

export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard error is a terminal. */
  readonly isTerminal?: boolean;
  /** Standard output is a terminal. */
  readonly screen?: Screen;
}

export const processStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  ...(process.stdout.isTTY && {
    screen: {
      columns: () => process.stdout.columns || 80,
      rows: () => process.stdout.rows || 24,
      // https://no-color.org: whatever its value is, when it is not empty.
      isColoured: !process.env.NO_COLOR && process.env.TERM !== "dumb",
    },
  }),
};

export const createOutput = (isJson: boolean, { out, err, isTerminal, screen }: Streams): Output => ({
  isJson,
  data: (value, text) => out(isJson ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`),
  line: (value, text) => out(`${isJson ? JSON.stringify(value) : text()}\n`),
  remark: (text) => err(`${text}\n`),
  draw: isTerminal ? err : undefined,
  screen: screen && !isJson ? { ...screen, write: out } : undefined,
});

// Names of entities and devices come from a home's users: control characters must not steer the terminal.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text that cannot move the cursor or colour the screen. */
export const printable = (text: string): string => text.replace(CONTROL, "\ufffd");

// Asian letters and emoji take two columns; what combines with the one before it takes none.
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const COMBINING = /[\p{Mn}\p{Me}\p{Cf}]/u;
const columnsOfOne = (letter: string): number => (COMBINING.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1);

/** How many columns of a terminal a text takes. */
export const columnsOf = (text: string): number =>
  [...text].reduce((columns, letter) => columns + columnsOfOne(letter), 0);

/** The text, or as much of it as fits, with an ellipsis. */
export function cutTo(columns: number, text: string): string {
  if (columnsOf(text) <= columns) return text;
  let left = columns - 1;
  let cut = "";
  for (const letter of text) {
    left -= columnsOfOne(letter);
    if (left < 0) break;
    cut += letter;
  }
  return `${cut}…`;
}

/** Columns as wide as their widest cell; the last one is not padded. Empty rows give `empty`. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty;
  const cells = [head, ...rows.map((row) => row.map((cell) => printable(String(cell ?? ""))))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => columnsOf(row[column] ?? ""))));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === head.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - columnsOf(cell)),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
