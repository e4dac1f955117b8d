import type { Command } from "commander";
import { readConfig } from "../../lib/wiring/config.ts";
import { startFresh } from "../../lib/wiring/reset.ts";
import { confirm, needReachable } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import type { Tools } from "./tools.ts";

const HELP = `
What goes: every event of every home, and what was made of them (daily, weekly and monthly aggregates, patterns, open suggestions). What stays: homes, their keys, tokens, settings, the index of devices, the ledger,
and what the relay in the house has not sent yet. Make a backup first: hearthline backup create --output FILE.`;

/** `reset --fresh` */
export function addResetCommand(program: Command, tools: Tools): void {
  program
    .command("reset")
    .description(
      "the fresh start: drops all events, makes the store anew with the retention of the settings, and verifies it",
    )
    .option("--fresh", "what to do; there is no other reset")
    .option("--yes", "do not ask")
    .addHelpText("after", HELP)
    .action(async ({ fresh, yes }: { fresh?: boolean; yes?: boolean }) => {
      const { context, output } = tools();
      if (!fresh) throw new CommandFailure(2, "reset drops every event; say --fresh when that is meant.");
      needReachable(context);
      const config = readConfig(context.env);
      await confirm(
        `This drops all events, aggregates and patterns of every home in the store "${config.HEARTHLINE_STORE}".`,
        yes,
      );
      const { store, homes, aggregates, patterns, retention } = await startFresh(config, { env: context.env });
      const days = config.HEARTHLINE_RAW_DAYS;
      output.data(
        {
          store,
          homes,
          dropped_aggregates: aggregates,
          dropped_patterns: patterns,
          retention: { raw_days: days, means: retention.means, store_days: retention.storeDays ?? null },
        },
        () =>
          [
            `store        ${store}: empty, made anew`,
            `homes        ${homes.length === 0 ? "none" : homes.join(", ")}; keys, tokens and index kept`,
            `raw events   ${days} days, by ${retention.means.join(" and ")}${retention.storeDays === undefined ? "" : ` (the store keeps ${retention.storeDays} days)`}`,
            `aggregates   ${aggregates} dropped`,
            `patterns     ${patterns} dropped; what was decided about suggestions stays`,
          ].join("\n"),
      );
    });
}
