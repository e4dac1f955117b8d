import type { JobResult } from "./job.ts";
import type { Figures, goalsOf } from "./summary.ts";

export interface Report {
  readonly results: readonly JobResult[];
  readonly errors: readonly string[];
  readonly figures: Figures;
  readonly goals: ReturnType<typeof goalsOf>;
  /** Every miss and every false finding by name. */
  readonly isVerbose: boolean;
}

const WIDTH = 30;

/** A bar on a terminal's stderr; elsewhere nothing. */
export function progressBar(of: number) {
  const isTerminal = process.stderr.isTTY === true;
  let done = 0;
  return {
    step(what: string) {
      done++;
      const full = Math.round((WIDTH * done) / Math.max(1, of));
      const bar = "#".repeat(full) + ".".repeat(WIDTH - full);
      if (isTerminal) process.stderr.write(`\r[${bar}] ${done}/${of} homes  ${what.padEnd(30)}`);
    },
    end() {
      if (isTerminal) process.stderr.write(`\r${" ".repeat(WIDTH + 60)}\r`);
    },
  };
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const cell = (value: unknown, width = 9) => String(value ?? "-").padStart(width);

export function printReport({ results, errors, figures, goals, isVerbose }: Report): void {
  if (isVerbose) printDetails(results);
  for (const error of errors) say(`FAILED  ${error}`);
  say(
    `${"kind".padEnd(14)}${["planted", "recall", "precision", "F1", "false", "implied", "per null", "days"].map((head) => cell(head, 10)).join("")}`,
  );
  for (const [kind, one] of Object.entries(figures.kinds)) {
    const cells = [
      one.planted,
      one.recall,
      one.precision,
      one.f1,
      one.falseInPlanted,
      one.implied,
      one.falsePerNullHome,
      one.daysToFindMedian,
    ];
    say(`${kind.padEnd(14)}${cells.map((value) => cell(value, 10)).join("")}`);
  }
  say("");
  for (const [name, one] of Object.entries(figures.clock))
    say(
      `${name.padEnd(14)}planted ${one.planted}, recall ${one.recall}, days right ${one.daysRight}, error median ${one.errorMedianMinutes} min, p95 ${one.errorP95Minutes} min`,
    );
  say("");
  for (const [name, one] of Object.entries(figures.recipes))
    say(
      `${name.padEnd(17)}homes ${one.homes}, planted ${one.planted}, recall ${one.recall ?? "-"}, false a home ${one.falsePerHome}${one.stale > 0 ? `, stale ${one.stale}` : ""}`,
    );
  say("");
  for (const [name, { is, wanted, isMet }] of Object.entries(goals))
    say(`${isMet === null ? "  " : isMet ? "ok" : "NO"}  ${name}: ${is ?? "not measured"} (wanted ${wanted})`);
}

function printDetails(results: readonly JobResult[]): void {
  for (const { score } of results) {
    const where = `${score.recipe} ${score.seed}`;
    for (const one of score.outcomes) if (!one.isFound) say(`missed  ${where}: ${one.kind} ${one.plantId}`);
    for (const one of score.falses)
      say(`${one.why}  ${where}: ${one.kind} ${one.text} (${one.reliability.toFixed(2)})`);
    if (score.isNull) for (const text of score.suggested) say(`suggested  ${where}: ${text}`);
    for (const id of score.stale) say(`stale  ${where}: ${id}`);
  }
}
