import { userInfo } from "node:os";
import { type Command, Option } from "commander";
import { formatIsoUs } from "../../lib/base/time.ts";
import {
  createMigrationRepair,
  type Difference,
  type DifferenceClass,
  type MigrationRepair,
  type OnRepairProgress,
  type PlannedRepair,
  type RepairedRows,
} from "../../lib/wiring/migration-repair.ts";
import { addIdOption, findMigration, type MigrationAnswer } from "./migrate-client.ts";
import { confirm, needReachable } from "./operator.ts";
import { CommandFailure } from "./outcome.ts";
import { printable, table } from "./output.ts";
import { createProgressBar } from "./progress.ts";
import type { Tools } from "./tools.ts";

interface Flags {
  readonly id?: string;
  readonly class?: "missing-in-new" | "missing-in-old";
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** Of `--no-recorder`. */
  readonly recorder?: boolean;
}

const HELP = `
Looks again at every difference that was found, says what would be sent where, asks, sends it in batches, and looks again. What NEW lacks the relay asks of Home Assistant's recorder, if one is there;
what the recorder does not have is taken from OLD (of an InfluxDB with its attributes) and goes the way of every import. Either stays what it is where a live event knows better. What waits in the relay's spool comes by itself. What OLD lacks is taken from NEW. Rows that say different things are left to you.
It may be stopped and run again at any time. Exit code 1: rows differ still.`;

/** `migrate repair` */
export function addRepairCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("repair"))
    .description(
      "sends again what OLD or NEW lacks, from this machine; with the cloud's credentials, and OLD's in HEARTHLINE_OLD_USER and _PASSWORD or _TOKEN",
    )
    .option("--dry-run", "only say it")
    .addOption(new Option("--class <class>", "only these").choices(["missing-in-new", "missing-in-old"]))
    .option("--no-recorder", "do not ask Home Assistant's recorder")
    .option("--yes", "do not ask")
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const { api, context, signal } = tools();
      needReachable(context);
      const migration = await findMigration(api, flags.id);
      const { home_id: homeId, id } = migration;
      const repair = await createMigrationRepair(context.env, {
        ...{ homeId, id, signal, actor: `${userInfo().username} (migrate repair)` },
        hasRecorder: flags.recorder !== false,
      });
      try {
        await runRepair(tools, repair, { migration, flags });
      } finally {
        await repair.close();
      }
    });
}

interface RepairRun {
  readonly migration: Pick<MigrationAnswer, "id">;
  readonly flags: Pick<Flags, "class" | "dryRun" | "yes">;
}

/** Plan, question, batches, last look. @throws CommandFailure 1 while rows differ still */
export async function runRepair(
  tools: Tools,
  repair: Pick<MigrationRepair, "plan" | "apply">,
  { migration, flags }: RepairRun,
): Promise<void> {
  const { output, signal } = tools();
  const classes =
    flags.class === undefined ? (["missing-in-new", "missing-in-old", "different"] as const) : [flags.class];
  const planned = await withBar(tools, "rows looked at", (bar) => repair.plan(new Set<DifferenceClass>(classes), bar));
  if (signal.aborted) throw new CommandFailure(1, "It was stopped while it looked; nothing was changed.");
  const { actions, there, left, isAll, spans } = planned;
  const isNothing = actions.length === 0 && there.length === 0 && spans.length === 0;
  const shown = { migration: migration.id, ...planJson(planned) };
  if (flags.dryRun || isNothing) {
    output.data({ ...shown, dry_run: flags.dryRun === true }, () => planText(planned));
    if (!flags.dryRun && left.length > 0) throw new CommandFailure(1, `${left.length} rows differ still.`);
    return;
  }
  output.remark(planText(planned));
  if (actions.length + spans.length > 0) await confirm(questionOf(planned), flags.yes);
  const done = await withBar(tools, "rows sent", (bar) => repair.apply(planned, bar));
  output.data({ ...shown, dry_run: false, ...doneJson(done) }, () => doneText(done));
  const repaired = new Set(done.repaired.map(rowText));
  const still = done.open.length + left.filter(({ difference }) => !repaired.has(rowText(difference))).length;
  if (!done.isFinished) throw new CommandFailure(1, "It was stopped; the same command goes on.");
  if (still > 0) throw new CommandFailure(1, `${still} rows differ still.`);
  if (!isAll) throw new CommandFailure(1, "There are more than one repair takes; run it again.");
}

async function withBar<T>(tools: Tools, unit: string, work: (bar: OnRepairProgress) => Promise<T>): Promise<T> {
  const { output, clock } = tools();
  const bar = output.draw ? createProgressBar(output.draw, clock, unit) : undefined;
  try {
    return await work((done, of) => bar?.show({ rows: done, fraction: of === 0 ? 1 : done / of }));
  } finally {
    bar?.end();
  }
}

const sentTo = ({ actions }: PlannedRepair, side: "old" | "new"): number =>
  actions.filter(({ to }) => to === side).length;

const questionOf = (planned: PlannedRepair): string =>
  `This ${planned.spans.length > 0 ? "asks the recorder, then " : ""}sends ${sentTo(planned, "new")} rows to NEW and ${sentTo(planned, "old")} rows to OLD.`;

const rowText = ({ entityId, atUs, old, new: ours }: Difference): string => {
  const state = old ?? ours;
  return printable(`${entityId} at ${formatIsoUs(atUs)}${state === undefined ? "" : `: ${state}`}`);
};

/** By class and who has them, the most first. */
function groupsOf({ actions }: PlannedRepair) {
  const groups = Map.groupBy(actions, ({ difference, from, to }) => JSON.stringify([difference.class, from, to]));
  return [...groups.values()]
    .map((alike) => ({ first: alike[0], rows: alike.length }))
    .flatMap(({ first, rows }) => (first ? [{ ...first, rows }] : []))
    .sort((a, b) => b.rows - a.rows);
}

const reasonsOf = <T extends { readonly difference: Difference; readonly reason: string }>(all: readonly T[]) =>
  [...Map.groupBy(all, ({ reason }) => reason)].map(([reason, alike]) => ({
    ...{ reason, rows: alike.length },
    example: alike[0] ? rowText(alike[0].difference) : "",
  }));

const reasonLines = (all: PlannedRepair["left"], words: string): string[] =>
  reasonsOf(all).map(({ reason, rows, example }) => `${rows} ${words}: ${printable(reason)}. One of them: ${example}`);

function planText(planned: PlannedRepair): string {
  const { left, there, isAll, tried, spans } = planned;
  const rows = groupsOf(planned).map(({ difference, from, to, rows }) => [
    ...[difference.class, from, to, rows],
    rowText(difference),
  ]);
  return [
    `asked for what NEW lacks, in this order: ${tried.join("; ")}`,
    ...(spans.length > 0
      ? [`the recorder is asked for ${spans.length} spans first; what it does not have is sent as below`]
      : []),
    table(["CLASS", "FROM", "TO", "ROWS", "FOR EXAMPLE"], rows, "nothing can be sent again"),
    ...(there.length > 0 ? [`${there.length} that were told of are no differences any more`] : []),
    ...reasonLines(left, "are left alone"),
    ...(isAll ? [] : ["there are more than one repair takes; run it again after this one"]),
  ].join("\n");
}

const planJson = (planned: PlannedRepair) => ({
  planned: groupsOf(planned).map(({ difference, from, to, rows }) => ({
    ...{ class: difference.class, from, to, rows },
    example: { entity_id: difference.entityId, at: formatIsoUs(difference.atUs) },
  })),
  left: reasonsOf(planned.left),
  already_there: planned.there.length,
  recorder_spans: planned.spans.map(({ entityIds, fromUs, toUs }) => ({
    entity_ids: entityIds,
    from: formatIsoUs(fromUs),
    to: formatIsoUs(toUs),
  })),
  is_all: planned.isAll,
  tried: planned.tried,
});

function doneText({ repaired, byRecorder, unanswered, open, refused }: RepairedRows): string {
  return [
    `${repaired.length} rows were sent again, and both sides have them now${byRecorder > 0 ? `; ${byRecorder} of them by the recorder` : ""}`,
    ...unanswered.map((why) => printable(`the recorder did not answer: ${why}`)),
    ...reasonLines(open, "are not there yet"),
    ...refused.map((why) => printable(`NEW does not take: ${why}`)),
    "the next step of the migration counts anew",
  ].join("\n");
}

const doneJson = ({ repaired, byRecorder, unanswered, open, refused, isFinished }: RepairedRows) => ({
  ...{
    repaired: repaired.length,
    by_recorder: byRecorder,
    unanswered,
    open: reasonsOf(open),
    refused,
    is_finished: isFinished,
  },
});
