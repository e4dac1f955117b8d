import type { Command } from "commander";
import { isHearthlineError, messageOf } from "../../lib/base/errors.ts";
import { createMigrationRunner, type MigrationRunner } from "../../lib/wiring/migration-runner.ts";
import { addIdOption, findMigration, hasEnded, MIGRATIONS, type MigrationAnswer } from "./migrate-client.ts";
import { secondsOf } from "./migrate-plan.ts";
import { migrationLine } from "./migrate-text.ts";
import { needReachable } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import type { Tools } from "./tools.ts";

/** `migrate run` */
export function addRunCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("run"))
    .description(
      "does the steps from this machine, where OLD can be reached from nowhere else; with the cloud's credentials, and OLD's in HEARTHLINE_OLD_USER and _PASSWORD or _TOKEN",
    )
    .option("--every <time>", "one step so often", secondsOf, 300)
    .option("--once", "one step only")
    .action(async ({ id, every, once }: { id?: string; every: number; once?: boolean }) => {
      const { context, output } = tools();
      needReachable(context);
      const runner = createMigrationRunner(context.env, (line) => output.remark(line));
      await runSteps(tools, runner, { id, everyMs: Math.max(1, every) * 1000, isOnce: once === true });
    });
}

/** Of one step that somebody else's overtakes again and again: who does it all the time needs no help. */
const ONCE_TRIES = 5;
const ONCE_AGAIN_MS = 1_000;

interface RunOptions {
  readonly id: string | undefined;
  readonly everyMs: number;
  readonly isOnce: boolean;
}

/** Step after step until it has ended; a part that does not answer is tried again at the next. A line for each step. */
export async function runSteps(
  tools: Tools,
  runner: MigrationRunner,
  { id, everyMs, isOnce }: RunOptions,
): Promise<void> {
  const { api, clock, signal, output } = tools();
  const first = await findMigration(api, id);
  const path = `${MIGRATIONS}/${encodeURIComponent(first.id)}`;
  let tries = 0;
  while (!signal.aborted) {
    let isDone = isOnce;
    try {
      const outcome = await runner.step(first.home_id, first.id);
      const now = await api.get<MigrationAnswer>(path);
      output.line({ outcome, migration: now }, () => `${outcome.padEnd(8)}  ${migrationLine(now)}`);
      if (now.state === "rolled_back") throw new CommandFailure(1, "The migration was taken back.");
      if (hasEnded(now)) return;
      if (outcome === "stale") {
        isDone = isOnce && ++tries >= ONCE_TRIES;
        output.remark(
          `Another step, or a person's change, was first: what this step found is dropped.${isDone ? "" : " It looks again."}`,
        );
      }
    } catch (thrown) {
      const isAway =
        (isHearthlineError(thrown) && thrown.fate === "retry") ||
        (thrown instanceof CommandFailure && thrown.exitCode === 3);
      if (!isAway || isOnce) throw thrown;
      output.remark(messageOf(thrown));
    }
    if (isDone) return;
    await clock.sleep(isOnce ? ONCE_AGAIN_MS : everyMs, signal);
  }
}
