import { MIGRATION_STATES } from "./migration-words.ts";
import { type Family, gauge } from "./openmetrics.ts";
import type { WireMigrationMetrics } from "./wire.ts";

const VERDICTS = ["pass", "fail", "inconclusive"] as const;

/** The newest migration of a home: where it is, what its checks found, how far both sides lag. */
export function migrationFamilies(migration: WireMigrationMetrics): Family[] {
  const { id, state, stage_percent: percent, verdict, checks, sinks } = migration;
  const { open, repaired, ...found } = migration.differences;
  const of = (name: string, help: string, value: number): Family =>
    gauge(name, help, [value], () => ({ migration: id, "": value }));
  const ofChecks = (name: string, help: string, value: (check: (typeof checks)[number]) => number | null | undefined) =>
    gauge(name, help, checks, (check) => ({ migration: id, check: check.name, "": value(check) ?? undefined }));
  return [
    oneOf("hearthline_migration_state", "Where the migration is.", { of: MIGRATION_STATES, is: state, id }),
    of("hearthline_migration_stage_percent", "Of the entities, for how many NEW answers.", percent),
    oneOf("hearthline_migration_verdict", "What the last step found.", { of: VERDICTS, is: verdict, id }),
    ofChecks("hearthline_migration_check_passed", "1: the check passes; 0: it does not, or not yet.", (check) =>
      Number(check.verdict === "pass"),
    ),
    ofChecks("hearthline_migration_check_observed", "The figure of each check.", (check) => check.observed),
    ofChecks("hearthline_migration_check_low", "Lower bound of the figure.", (check) => check.low),
    ofChecks("hearthline_migration_check_high", "Upper bound of the figure.", (check) => check.high),
    ofChecks("hearthline_migration_check_limit", "What the figure is held against.", (check) => check.limit),
    ofChecks("hearthline_migration_check_samples", "On how much the figure rests.", (check) => check.sample_size),
    gauge("hearthline_migration_sink_lag_seconds", "How far each side is behind.", sinks, (sink) => ({
      migration: id,
      sink: sink.name,
      "": sink.lag_seconds ?? undefined,
    })),
    gauge(
      "hearthline_migration_differences",
      "Rows in which the sides differ, as they were found.",
      Object.entries(found),
      (one) => ({
        migration: id,
        class: one[0],
        "": one[1],
      }),
    ),
    of("hearthline_migration_differences_open", "Missing and different rows that are still there.", open),
    of("hearthline_migration_differences_repaired", "Rows that were sent again, and are there.", repaired),
  ];
}

interface OneOf {
  readonly of: readonly string[];
  readonly is: string;
  readonly id: string;
}

const oneOf = (name: string, help: string, { of, is, id }: OneOf): Family => ({
  name,
  type: "stateset",
  help,
  samples: of.map((one) => ({ labels: { migration: id, [name]: one }, value: Number(one === is) })),
});
