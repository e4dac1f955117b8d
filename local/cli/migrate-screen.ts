import type { CheckAnswer, MetricsAnswer, MigrationAnswer } from "./migrate-client.ts";
import { boundsText, countsText, nameOf, sinkLine } from "./migrate-text.ts";
import { columnsOf, cutTo, printable, type Screen } from "./output.ts";

/** The screen of `migrate watch`: lines that fit the terminal, whatever its width, with or without colour. */

export interface Watched {
  readonly migration: MigrationAnswer;
  readonly metrics: MetricsAnswer | undefined;
  /** Of this machine's clock, in its zone. */
  readonly time: string;
  /** What went wrong with the last look. */
  readonly trouble?: string | undefined;
}

const COLOURS: Readonly<Record<string, string>> = { pass: "32", fail: "31", inconclusive: "33", ALERT: "31" };
/** Narrower ones show no bars. */
const BARS_FROM_COLUMNS = 84;
const BAR = 20;
const NAME = 24;
const VERDICT = 12;

/** Lines without colour, each at most as wide as the terminal, not more of them than it has rows. */
export function screenLines(
  { migration, metrics, time, trouble }: Watched,
  screen: Omit<Screen, "isColoured">,
): string[] {
  const columns = Math.max(20, screen.columns());
  const lines = [
    `${time}  ${migration.home_id}  ${nameOf(migration)}  ${migration.authority} answers  ${migration.verdict}`,
    stageLine(migration, columns),
    ...wrapped(migration.situation, columns),
    "",
    ...(metrics ? [...metrics.sinks.map(sinkLine), `differences: ${countsText(metrics.differences)}`, ""] : []),
    ...migration.checks.map((check) => checkLine(check, columns)),
    ...(trouble === undefined ? [] : ["", ...wrapped(trouble, columns)]),
  ].map((line) => cutTo(columns, printable(line)));
  const room = Math.max(3, screen.rows() - 1);
  return lines.length <= room ? lines : [...lines.slice(0, room - 1), `... ${lines.length - room + 1} lines more`];
}

function stageLine({ stage_percent: percent, stages }: MigrationAnswer, columns: number): string {
  const width = Math.min(40, Math.max(8, columns - 40));
  const done = Math.round((percent / 100) * width);
  const all = stages.map((stage) => (stage === percent ? `<${stage}>` : String(stage))).join(" ");
  return `[${"#".repeat(done)}${"-".repeat(width - done)}] ${percent} %  ${all}`;
}

function checkLine(check: CheckAnswer, columns: number): string {
  const head = `${check.name.padEnd(NAME)} ${(check.is_alert ? "ALERT" : check.verdict).padEnd(VERDICT)} ${String(check.sample_size).padStart(7)}`;
  const bar = columns >= BARS_FROM_COLUMNS ? `  ${barOf(check)}` : "";
  return `${head}${bar}  ${boundsText(check) || check.explanation}`;
}

/** `|` the figure, `=` its bounds, `!` the limit; from a little below the smallest to a little beyond the largest. Blank where there is nothing to draw. */
export function barOf({ observed, low, high, limit }: CheckAnswer): string {
  if (observed === null || limit === null || limit <= 0 || observed < 0) return " ".repeat(BAR + 2);
  const start = Math.max(0, Math.min(limit, low ?? observed, observed) * 0.8);
  const end = Math.max(limit, high ?? observed, observed) * 1.1;
  const at = (value: number) => Math.min(BAR - 1, Math.max(0, Math.floor(((value - start) / (end - start)) * BAR)));
  const cells: string[] = Array.from({ length: BAR }, (_, cell) =>
    low !== undefined && high !== undefined && cell >= at(low) && cell <= at(high) ? "=" : " ",
  );
  cells[at(limit)] = "!";
  cells[at(observed)] = "|";
  return `[${cells.join("")}]`;
}

function wrapped(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (columnsOf(line) + 1 + columnsOf(word) <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const CLEAR = "\u001b[H\u001b[2J";
const HOME = "\u001b[H";
const END_OF_LINE = "\u001b[K";
const BELOW = "\u001b[J";

/** What is written so that the terminal shows these lines and no others; redrawn in place, without flicker. */
export function drawing(
  lines: readonly string[],
  { isFirst, isColoured }: { isFirst: boolean; isColoured: boolean },
): string {
  const shown = isColoured ? lines.map(coloured) : lines;
  return `${isFirst ? CLEAR : HOME}${shown.map((line) => `${line}${END_OF_LINE}\n`).join("")}${BELOW}`;
}

const coloured = (line: string): string =>
  line.replaceAll(/\b(pass|fail|inconclusive|ALERT)\b/g, (word) => `\u001b[${COLOURS[word]}m${word}\u001b[0m`);
