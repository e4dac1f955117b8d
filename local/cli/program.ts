import { Command, CommanderError } from "commander";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { isHearthlineError, messageOf } from "../../lib/base/errors.ts";
import { addAnalyzeCommand } from "./analyze.ts";
import { createApiClient } from "./api-client.ts";
import { addBackupCommands } from "./backup.ts";
import { addCapabilityCommands } from "./capabilities.ts";
import { findContext } from "./context.ts";
import { addDeviceCommands } from "./devices.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addEventCommands } from "./events.ts";
import { addHistoryCommand } from "./history.ts";
import { addJobCommands } from "./jobs.ts";
import { addMigrateCommands } from "./migrate.ts";
import { addOutboxCommands } from "./outbox.ts";
import { CommandFailure, type ExitCode } from "./outcome.ts";
import { createOutput, type Streams } from "./output.ts";
import { addPatternCommands } from "./patterns.ts";
import { addQueueCommands } from "./queues.ts";
import { addResetCommand } from "./reset.ts";
import { addStatusCommand } from "./status.ts";
import { addSuggestionCommands } from "./suggestions.ts";
import { addHomeCommands, addTokenCommands } from "./tenancy.ts";
import type { Tools } from "./tools.ts";

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly version: string;
  /** Runs a long-lived part until it ends: `start` with its own options, `relay` (settings only). `data`: the data folder, when one was named. */
  readonly run: (part: "start" | "relay", args: readonly string[], data: string | undefined) => Promise<ExitCode>;
}

/** Error codes of ours that mean that something could not be reached. */
const UNREACHED = new Set([
  "service_unreachable",
  "service_timeout",
  "service_throttled",
  "service_failed",
  "service_refused",
]);

/** Runs one command line; the exit code. Never throws, never ends the process. */
export async function runCommand(args: readonly string[], options: ProgramOptions): Promise<ExitCode> {
  const { streams } = options;
  let code: ExitCode = 0;
  const program = new Command("hearthline")
    .description("Takes every event of a Home Assistant home into its owner's own cloud.")
    .version(options.version)
    .option("--json", "data as JSON on standard output")
    .option("--data <folder>", "the data folder; default HEARTHLINE_DATA or .hearthline")
    .exitOverride()
    .configureOutput({ writeOut: streams.out, writeErr: streams.err })
    .showHelpAfterError("(hearthline --help lists the commands)");
  const tools: Tools = () => {
    const { json = false, data } = program.opts<{ json?: boolean; data?: string }>();
    const context = findContext(options.env, { data });
    return {
      context,
      api: createApiClient(context),
      output: createOutput(json, streams),
      clock: options.clock ?? systemClock,
      signal: options.signal,
    };
  };
  const runPart = (part: "start" | "relay") => async (_options: unknown, command: Command) => {
    code = await options.run(part, command.args, program.opts<{ data?: string }>().data);
  };
  program
    .command("start")
    .description("as npm start: the whole system on this machine")
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(runPart("start"));
  program
    .command("relay")
    .description("the relay alone, for the machine in the house; it takes settings, no options")
    .allowExcessArguments(false)
    .action(runPart("relay"));
  addDoctorCommand(program, tools);
  addStatusCommand(program, tools);
  addEventCommands(program, tools);
  addHistoryCommand(program, tools);
  addDeviceCommands(program, tools);
  addCapabilityCommands(program, tools);
  addJobCommands(program, tools);
  addAnalyzeCommand(program, tools, (ended) => {
    code = ended;
  });
  addPatternCommands(program, tools);
  addSuggestionCommands(program, tools);
  addMigrateCommands(program, tools);
  addOutboxCommands(program, tools);
  addQueueCommands(program, tools);
  addHomeCommands(program, tools);
  addTokenCommands(program, tools);
  addResetCommand(program, tools);
  addBackupCommands(program, tools, options.version);
  for (const command of [program, ...program.commands, ...program.commands.flatMap((each) => each.commands)]) {
    command.exitOverride().configureOutput({ writeOut: streams.out, writeErr: streams.err });
    // Wanted anywhere on the line, not only before the command.
    if (command !== program && !["start", "relay"].includes(command.name()))
      command.option("--json", "data as JSON").option("--data <folder>", "the data folder");
    command.hook("preAction", (_this, action) => {
      for (const name of ["json", "data"])
        if (action.opts()[name] !== undefined) program.setOptionValue(name, action.opts()[name]);
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (thrown) {
    return exitCodeOf(thrown, streams);
  }
}

function exitCodeOf(thrown: unknown, { err }: Streams): ExitCode {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2; // commander has written its message
  err(`${messageOf(thrown)}\n`);
  if (thrown instanceof CommandFailure) return thrown.exitCode;
  if (isHearthlineError(thrown))
    return thrown.code === "setting_invalid" || thrown.code === "request_invalid"
      ? 2
      : UNREACHED.has(thrown.code)
        ? 3
        : 1;
  return 1;
}
