import { type Command, Option } from "commander";
import {
  addIdOption,
  type Counts,
  changeMigration,
  findMigration,
  type MetricsAnswer,
  MIGRATIONS,
} from "./migrate-client.ts";
import { addPlanCommand } from "./migrate-plan.ts";
import { addRepairCommand } from "./migrate-repair.ts";
import { addReportCommand } from "./migrate-report.ts";
import { addRunCommand } from "./migrate-run.ts";
import { addSimpleCommand } from "./migrate-simple.ts";
import { countsText, migrationLine, statusText } from "./migrate-text.ts";
import { addTuningCommand } from "./migrate-tuning.ts";
import { addWatchCommand } from "./migrate-watch.ts";
import { CommandFailure } from "./outcome.ts";
import { table } from "./output.ts";
import { countOf, type Tools } from "./tools.ts";

/** `migrate ...`: moving from an old pipeline while both run */
export function addMigrateCommands(program: Command, tools: Tools): void {
  const migrate = program.command("migrate").description("moving from an old pipeline while both run");
  addPlanCommand(migrate, tools);
  addIdOption(migrate.command("status"))
    .description("where it is, what it waits for, what its checks found; 1 when its verdict is fail")
    .action(async ({ id }: { id?: string }) => {
      const { api, output } = tools();
      const migration = await findMigration(api, id);
      const metrics = await api.get<MetricsAnswer>(`${MIGRATIONS}/${encodeURIComponent(migration.id)}/metrics`);
      output.data(migration, () => statusText(migration, metrics));
      if (migration.verdict === "fail") throw new CommandFailure(1, "Its verdict is fail.");
    });
  addWatchCommand(migrate, tools);
  addChange(migrate, tools, { what: "start", description: "begins it" });
  addChange(migrate, tools, { what: "pause", description: "holds it where it is" });
  addChange(migrate, tools, { what: "resume", description: "goes on where it was held" });
  addChange(migrate, tools, {
    what: "advance",
    description: "opens the gate it waits at; with --force and --reason, passes a verdict that says no",
    canForce: true,
  });
  addChange(migrate, tools, {
    what: "rollback",
    description: "takes it back: OLD answers all within seconds",
    flag: new Option("--stepwise", "down the stages of the plan, each watched"),
  });
  addChange(migrate, tools, {
    what: "abort",
    description: "ends it where it is, handing nothing over; where NEW has answered it wants --force and --reason",
    canForce: true,
  });
  addReportCommand(migrate, tools);
  addDifferencesCommand(migrate, tools);
  addRepairCommand(migrate, tools);
  addTuningCommand(migrate, tools);
  addReadersCommand(migrate, tools);
  addRunCommand(migrate, tools);
  addSimpleCommand(migrate, tools);
}

interface Change {
  readonly what: string;
  readonly description: string;
  readonly canForce?: boolean;
  readonly flag?: Option;
}

interface ChangeFlags {
  readonly id?: string;
  readonly reason?: string;
  readonly epoch?: number;
  readonly force?: boolean;
  readonly stepwise?: boolean;
}

const EPOCH_MAX = 1_000_000_000;
/** Whoever has begun it sees nothing happen for minutes. */
const AFTER_START =
  "A step is done every 5 minutes (under npm start as often as HEARTHLINE_MIGRATION_SECONDS says). See them with: hearthline migrate watch. Sooner, from this machine: hearthline migrate run --every 10s";

function addChange(migrate: Command, tools: Tools, { what, description, canForce = false, flag }: Change): void {
  const command = addIdOption(migrate.command(what))
    .description(description)
    .option("--reason <text>", "the audit keeps it")
    .option("--epoch <number>", "the epoch that you saw; default: the present one", countOf(1, EPOCH_MAX));
  if (canForce) command.option("--force", "over a verdict or a state that says no; wants --reason");
  if (flag) command.addOption(flag);
  command.action(async (flags: ChangeFlags) => {
    if (flags.force && flags.reason === undefined)
      throw new CommandFailure(2, "--force wants --reason TEXT, which the audit keeps.");
    const { api, output } = tools();
    const seen = await findMigration(api, flags.id);
    const body = {
      ...(flags.reason !== undefined && { reason: flags.reason }),
      ...(flags.force && { force: true }),
      ...(flags.stepwise && { at: "stepwise" }),
    };
    const now = await changeMigration(api, { id: seen.id, epoch: flags.epoch ?? seen.epoch }, { what, body });
    output.data(now, () => (what === "start" ? `${migrationLine(now)}\n${AFTER_START}` : migrationLine(now)));
  });
}

interface DifferencePage {
  readonly counts: Counts & { readonly repaired: number };
  readonly differences: readonly {
    readonly class: string;
    readonly entity_id: string;
    readonly at: string;
    readonly field?: string;
    readonly old?: string;
    readonly new?: string;
    readonly explanation: string;
    readonly is_repaired?: boolean;
  }[];
}

function addDifferencesCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("differences"))
    .description("rows in which OLD and NEW differ, each looked at twice; 1 when one counts and is not repaired")
    .option("--limit <number>", "so many are listed", countOf(1, 1_000), 100)
    .action(async ({ id, limit }: { id?: string; limit: number }) => {
      const { api, output } = tools();
      const migration = await findMigration(api, id);
      const path = `${MIGRATIONS}/${encodeURIComponent(migration.id)}/differences`;
      const found = await api.get<DifferencePage>(path, { limit });
      const rows = found.differences.map((one) => [
        one.is_repaired ? `${one.class} (repaired)` : one.class,
        one.entity_id,
        one.at,
        one.field,
        one.old,
        one.new,
        one.explanation,
      ]);
      const head = ["CLASS", "ENTITY", "AT", "FIELD", "OLD", "NEW", "WHAT IS KNOWN"];
      output.data(found, () =>
        [`${countsText(found.counts)}, repaired ${found.counts.repaired}`, "", table(head, rows, "no difference")].join(
          "\n",
        ),
      );
      const { missing_in_new: inNew, missing_in_old: inOld, different, repaired } = found.counts;
      if (inNew + inOld + different > repaired) throw new CommandFailure(1, "OLD and NEW differ.");
    });
}

function addReadersCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("readers"))
    .description("who was moved by hand; or moves one, by the name of its token: migrate readers grafana new")
    .argument("[reader]", "the name of a token")
    .argument("[side]", "old, new, or split: as the stage says, like everybody")
    .option("--force", "to NEW before it has the past; wants --reason")
    .option("--reason <text>", "the audit keeps it")
    .action(async (reader: string | undefined, side: string | undefined, flags: ChangeFlags) => {
      const { api, output } = tools();
      const seen = await findMigration(api, flags.id);
      if (reader === undefined) {
        const rows = Object.entries(seen.readers);
        output.data({ readers: seen.readers }, () =>
          table(["READER", "ANSWERED BY"], rows, "nobody was moved by hand"),
        );
        return;
      }
      if (side === undefined || !["old", "new", "split"].includes(side))
        throw new CommandFailure(2, `The reader "${reader}" goes where? Wanted is old, new or split.`);
      const body = {
        ...{ reader, to: side },
        ...(flags.force && { force: true }),
        ...(flags.reason !== undefined && { reason: flags.reason }),
      };
      const now = await changeMigration(api, seen, { what: "readers", body });
      output.data(now, () => migrationLine(now));
    });
}
