/** How a command ends: 0 done, 1 the answer is "no" or a check failed, 2 wrong usage, 3 something needed could not be reached. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Ends the command with a sentence for people and an exit code for scripts. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.name = "CommandFailure";
    this.exitCode = exitCode;
  }
}
