import { createInterface } from "node:readline/promises";
import { readConfig } from "../../lib/wiring/config.ts";
import { createOperator, type Operator } from "../../lib/wiring/operator.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure } from "./outcome.ts";

/** The operator of the queues and the table that the context leads to. */
export function operatorOf(context: CommandContext): Operator {
  needReachable(context);
  return createOperator(readConfig(context.env), { env: context.env });
}

/** Nothing is asked yet: only whether anybody has said where queues and tables are. */
export function needReachable({ env, run, dataFolder }: CommandContext): void {
  const isElsewhere = env.AWS_ENDPOINT_URL || env.AWS_ENDPOINT_URL_SQS || env.AWS_ACCESS_KEY_ID;
  if (!run && !isElsewhere)
    throw new CommandFailure(
      3,
      `Hearthline does not run on the data folder "${dataFolder}", and there are no credentials for queues and tables on AWS. Start it with npm start, name its folder with --data, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
    );
}

/** Asks on the terminal; without one it is wrong usage not to be sure. */
export async function confirm(question: string, isSure: boolean | undefined): Promise<void> {
  if (isSure) return;
  if (!process.stdin.isTTY) throw new CommandFailure(2, `${question} Nobody can be asked here: repeat it with --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} Type "yes": `);
  terminal.close();
  if (answer.trim() !== "yes") throw new CommandFailure(1, "Nothing was done.");
}
