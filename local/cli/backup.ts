import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { isHearthlineError, messageOf } from "../../lib/base/errors.ts";
import { type BackupProgress, createHomeBackup, restoreHomeBackup, verifyHomeBackup } from "../../lib/wiring/backup.ts";
import {
  contentsJson,
  contentsText,
  createdJson,
  createdText,
  expiringOf,
  expiringText,
  restoredJson,
  restoredText,
} from "./backup-summary.ts";
import type { CommandContext } from "./context.ts";
import { needReachable } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import { createProgressBar } from "./progress.ts";
import { countOf, type Tools } from "./tools.ts";

interface CreateFlags {
  readonly output: string;
  readonly home?: string;
  readonly passphraseFile?: string;
  readonly force?: boolean;
  readonly wait: number | false;
}
interface RestoreFlags {
  readonly passphraseFile?: string;
  readonly intoExisting?: boolean;
}

const CREATE_HELP = `
The file holds the home's events and all that the table keeps of it: registries, ledger, last-seen times, jobs, aggregates, outbox. Events may flow meanwhile: every event that the file's
ledger calls arrived is in the file. With --passphrase-file the whole file is sealed (scrypt, AES-256-GCM) and holds the home's keys and tokens too; without it they stay out, so that no secret
lies in a file that anybody can read, and a restored home gets a new key. What the relay in the house keeps (its spool) is not in it. docs/backup.md describes every byte.`;

const RESTORE_HELP = `
The whole file is proved before anything is touched. The home must be empty: made new, or not there at all. Interrupted, the same command goes on. The store may be another one than the backup's:
it is the one that the settings name (HEARTHLINE_STORE). In the end the events in the store are compared with those of the file. Then try: hearthline doctor, which sends a test event through every hop.`;

/** `backup create|verify|restore` */
export function addBackupCommands(program: Command, tools: Tools, version: string): void {
  const backup = program.command("backup").description("a home in one file");
  backup
    .command("create")
    .description("writes a home to a file, while its events flow")
    .requiredOption("--output <file>", "the file; it must not be there yet")
    .option("--home <id>", "default: HEARTHLINE_HOME_ID")
    .option(
      "--passphrase-file <file>",
      "seals the backup with the first line of this file; keys and tokens are then in it",
    )
    .option("--force", "takes the place of a file that is there")
    .option("--wait <seconds>", "how long what is under way to the store is waited for", countOf(1, 86_400), 300)
    .option("--no-wait", "take what is there: the file's ledger may name events that are not in it")
    .addHelpText("after", CREATE_HELP)
    .action((flags: CreateFlags) => runCreate(flags, tools, version));
  backup
    .command("verify <file>")
    .description(
      "proves a file, without a store and without a cloud; a sealed one without its passphrase as far as that goes",
    )
    .option("--passphrase-file <file>", "what sealed it")
    .action((file: string, flags: { passphraseFile?: string }) => runVerify(file, flags, tools));
  backup
    .command("restore <file>")
    .description("puts the home back from a file, into a store of any kind")
    .option("--passphrase-file <file>", "what sealed it")
    .option("--into-existing", "also into a home that has something: what it has stays, events merge")
    .addHelpText("after", RESTORE_HELP)
    .action((file: string, flags: RestoreFlags) => runRestore(file, flags, tools));
}

async function runCreate(flags: CreateFlags, tools: Tools, version: string): Promise<void> {
  const { context, output, clock } = tools();
  needReachable(context);
  const startedMs = clock.monotonicMs();
  const created = await withBar(tools, (around) =>
    createHomeBackup(envOf(context), {
      ...{ ...around, path: flags.output, homeId: flags.home, version },
      passphrase: passphraseOf(flags.passphraseFile),
      waitSeconds: flags.wait === false ? 0 : flags.wait,
      isReplacing: flags.force ?? false,
    }),
  );
  const done = { ...created, path: flags.output, seconds: (clock.monotonicMs() - startedMs) / 1000 };
  output.data(createdJson(done), () => createdText(done));
  if (created.events.count === 0)
    output.remark(
      "The store has no events of this home. If it should have some, look at HEARTHLINE_STORE and its settings: the command needs those of the functions.",
    );
  if (created.secretsLeftOut > 0)
    output.remark(
      `The file is not sealed, so ${created.secretsLeftOut} keys and tokens were left out: a restored home gets a new key and needs new tokens. With --passphrase-file they are in it.`,
    );
  if (!created.settled)
    output.remark("Nothing was waited for: the ledger in this file may name events that are not in it.");
  if (created.setAside > 0)
    output.remark(
      `${created.setAside} messages for the store had been set aside; their events are in no backup before they are put back (hearthline queues redrive store).`,
    );
}

async function runVerify(file: string, flags: { passphraseFile?: string }, tools: Tools): Promise<void> {
  const { output } = tools();
  const contents = await withBar(tools, (around) =>
    verifyHomeBackup({ ...around, path: file, passphrase: passphraseOf(flags.passphraseFile) }),
  );
  output.data(contentsJson(file, contents), () => contentsText(file, contents));
  if (!contents.manifest)
    output.remark(
      "The file is sealed: every byte is as it was written, but what is inside was not looked at. See --passphrase-file.",
    );
}

async function runRestore(file: string, flags: RestoreFlags, tools: Tools): Promise<void> {
  const { context, output, clock } = tools();
  needReachable(context);
  const startedMs = clock.monotonicMs();
  const restored = await withBar(tools, (around) =>
    restoreHomeBackup(envOf(context), {
      ...{ ...around, path: file },
      passphrase: passphraseOf(flags.passphraseFile),
      isIntoExisting: flags.intoExisting ?? false,
    }),
  );
  const done = { ...restored, path: file, seconds: (clock.monotonicMs() - startedMs) / 1000 };
  const expiring = expiringOf(restored, clock.nowMs());
  output.data(restoredJson(done, expiring), () => restoredText(done));
  const { missing, different } = restored.comparison;
  if (expiring) output.remark(expiringText(expiring, restored));
  if (restored.refused.count > 0)
    throw new CommandFailure(1, `This store cannot keep all of it, and never will. ${restored.refused.example}`);
  if (missing + different > 0)
    throw new CommandFailure(
      1,
      `In the store ${missing} events of the file are missing and ${different} are other ones. The same command tries again.`,
    );
  if (restored.key !== undefined)
    output.remark("Give the key to the home's relay as HEARTHLINE_HOME_KEY. It is not shown again.");
  if (!restored.contents.settled)
    output.remark("The file was written with --no-wait: its ledger may name events that are not in it.");
  output.remark("Prove the way of an event now: hearthline doctor");
}

type Around = Pick<Parameters<typeof verifyHomeBackup>[0], "signal" | "onProgress">;

const STEPS: Readonly<Record<BackupProgress["step"], string>> = {
  waiting: "waiting for what is under way to the store",
  writing: "writing",
  verifying: "verifying the file",
  restoring: "restoring",
  comparing: "comparing with the store",
};

/** Runs with a bar on a terminal, and says in what exit code its failure ends. */
async function withBar<T>(tools: Tools, work: (around: Around) => Promise<T>): Promise<T> {
  const { output, clock, signal } = tools();
  const bar = output.draw ? createProgressBar(output.draw, clock) : undefined;
  try {
    const onProgress = ({ step, rows, fraction }: BackupProgress) => bar?.show({ rows, fraction, note: STEPS[step] });
    return await work({ signal, onProgress });
  } catch (thrown) {
    if (signal.aborted)
      throw new CommandFailure(1, "Stopped. A backup leaves no file; a restore goes on with the same command.");
    throw failureOf(thrown);
  } finally {
    bar?.end();
  }
}

/** Something did not answer: the queues, the table, the store. */
const UNREACHED = /^(service_|store_unavailable$|conflict$)/;
const WRONG_USE: ReadonlySet<string> = new Set(["not_found", "backup_unwritable"]);
/** The disk is full or broken: the same command was right yesterday. */
const NOT_THE_COMMAND: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EIO"]);
const causeOf = ({ cause }: Error): string | undefined => (cause as NodeJS.ErrnoException | undefined)?.code;

function failureOf(thrown: unknown): unknown {
  if (!isHearthlineError(thrown)) return thrown;
  if (UNREACHED.test(thrown.code)) return new CommandFailure(3, thrown.message);
  if (WRONG_USE.has(thrown.code) && !NOT_THE_COMMAND.has(causeOf(thrown) ?? ""))
    return new CommandFailure(2, thrown.message);
  return thrown;
}

/** The settings as the functions have them under `npm start`. */
export const envOf = ({ env, dataFolder }: CommandContext): Record<string, string | undefined> => ({
  ...env,
  HEARTHLINE_DATA: dataFolder,
  HEARTHLINE_SQLITE_PATH: env.HEARTHLINE_SQLITE_PATH || resolve(dataFolder, "store.db"),
});

const PASSPHRASE_MIN_CHARACTERS = 12;

/** The first line. It is never said in a message, nor taken from the command line, where others see it. */
export function passphraseOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  let text: string;
  try {
    // Without a byte order mark, which editors put there and nobody types; text of another encoding would lose what makes it a secret.
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (thrown) {
    const why = thrown instanceof TypeError ? "it is not UTF-8; wanted is a text file in UTF-8." : messageOf(thrown);
    throw new CommandFailure(2, `The passphrase's file "${file}" cannot be read: ${why}`);
  }
  const passphrase = text.split(/\r?\n/, 1)[0] ?? "";
  if (passphrase.length < PASSPHRASE_MIN_CHARACTERS)
    throw new CommandFailure(
      2,
      `The first line of "${file}" has ${passphrase.length} characters; wanted is a passphrase of at least ${PASSPHRASE_MIN_CHARACTERS}.`,
    );
  return passphrase;
}
