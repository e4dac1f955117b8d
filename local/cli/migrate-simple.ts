import type { Command } from "commander";
import { runSimpleMigration, type SimpleOutcome } from "../../lib/wiring/migration-simple.ts";
import { envOf, passphraseOf } from "./backup.ts";
import { addIdOption, findMigration } from "./migrate-client.ts";
import { needReachable } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import { countOf, type Tools } from "./tools.ts";

interface Flags {
  readonly id?: string;
  readonly backup: string;
  readonly passphraseFile?: string;
  readonly wait: number;
}

const HELP = `
In this order: looks whether both are well and NEW has OLD's past; stops what feeds OLD (where Home Assistant does, it says what you remove); backs the home up and proves the file; switches all readers to
NEW; validates health, an event through every hop, and the counts of both. Whatever fails takes everything back: readers to OLD, its feeding on again, and what only NEW got handed over. Ended in the
middle, the same command goes on. Exit code 1: it went back, or nothing was touched.`;

/** `migrate simple` */
export function addSimpleCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("simple"))
    .description("carries out a plan of migrate plan --simple: stop, back up, switch, validate, restore on failure")
    .requiredOption("--backup <file>", "where the home is backed up; a file that is there is replaced")
    .option("--passphrase-file <file>", "seals the backup with the first line of this file")
    .option("--wait <seconds>", "how long a relay or a person is waited for", countOf(10, 86_400), 1_800)
    .addHelpText("after", HELP)
    .action((flags: Flags) => runCommand(flags, tools));
}

async function runCommand(flags: Flags, tools: Tools): Promise<void> {
  const { api, context, output, clock, signal } = tools();
  needReachable(context);
  const { id, home_id: homeId } = await findMigration(api, flags.id);
  const ended = await runSimpleMigration(envOf(context), {
    ...{ homeId, id, clock, signal, path: flags.backup, withinSeconds: flags.wait },
    passphrase: passphraseOf(flags.passphraseFile),
    onWords: (words) => output.remark(words),
  });
  output.data(ended, () => textOf(ended));
  if (ended.outcome !== "done") throw new CommandFailure(1, ended.reason ?? "It went back.");
}

const WORDS: Readonly<Record<SimpleOutcome["outcome"], string>> = {
  done: "NEW answers all.",
  restored: "It went back: OLD answers, and has everything.",
  refused: "Nothing was touched: mend it, and run the same command again.",
};

function textOf({ outcome, findings, backup }: SimpleOutcome): string {
  const rows = findings.map(({ name, isGood, text }) => `${isGood ? "good" : "BAD "}  ${name}: ${text}`);
  return [...rows, ...(backup === undefined ? [] : [`The backup is in ${backup}.`]), WORDS[outcome]].join("\n");
}
