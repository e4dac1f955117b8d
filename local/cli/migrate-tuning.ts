import type { Command } from "commander";
import { addIdOption, findMigration, MIGRATIONS } from "./migrate-client.ts";
import { figure } from "./migrate-text.ts";
import { printable, table } from "./output.ts";
import type { Tools } from "./tools.ts";

interface TuningAnswer {
  readonly proposals: readonly (Setting & { readonly is_refuted: boolean; readonly explanation: string })[];
  readonly trial:
    | (Setting & {
        readonly phase: string;
        readonly metric: string;
        readonly samples_before: readonly number[];
        readonly samples_during: readonly number[];
        readonly until: string;
      })
    | null;
  readonly outcomes: readonly (Setting & { readonly is_kept: boolean; readonly reason: string; readonly at: string })[];
}

interface Setting {
  readonly setting: string;
  readonly from: number;
  readonly to: number;
}

/** `migrate tuning` */
export function addTuningCommand(migrate: Command, tools: Tools): void {
  addIdOption(migrate.command("tuning"))
    .description(
      "what the figures propose to change, what is being tried, what was kept and what rejected, with figures",
    )
    .action(async ({ id }: { id?: string }) => {
      const { api, output } = tools();
      const migration = await findMigration(api, id);
      const found = await api.get<TuningAnswer>(`${MIGRATIONS}/${encodeURIComponent(migration.id)}/tuning`);
      output.data(found, () => textOf(found));
    });
}

function textOf({ proposals, trial, outcomes }: TuningAnswer): string {
  const mean = (values: readonly number[]) =>
    values.length === 0 ? "-" : figure(values.reduce((sum, value) => sum + value, 0) / values.length);
  const rows = [
    ...(trial
      ? [
          row(
            `tried (${trial.phase})`,
            trial,
            `${trial.metric}: ${mean(trial.samples_before)} in ${trial.samples_before.length} samples before, ${mean(trial.samples_during)} in ${trial.samples_during.length} with it; until ${trial.until}`,
          ),
        ]
      : []),
    ...outcomes.map((one) => row(one.is_kept ? "kept" : "rejected", one, `${one.reason} (${one.at})`)),
    ...proposals.map((one) => row(one.is_refuted ? "refuted" : "proposed", one, one.explanation)),
  ];
  return table(["WHAT", "SETTING", "FROM", "TO", "FIGURES"], rows, "the figures propose no change");
}

const row = (what: string, { setting, from, to }: Setting, figures: string) => [
  what,
  setting,
  figure(from),
  figure(to),
  printable(figures),
];
