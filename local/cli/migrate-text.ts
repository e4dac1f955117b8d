import type { CheckAnswer, Counts, MetricsAnswer, MigrationAnswer } from "./migrate-client.ts";
import { printable, table } from "./output.ts";

/** A migration in lines for a terminal. */

export const nameOf = ({ state, stage_percent: percent }: Pick<MigrationAnswer, "state" | "stage_percent">): string =>
  state === "ramp" || (state === "rolling_back" && percent > 0) ? `${state} ${percent} %` : state;

/** One line: where it is, and what it waits for. */
export const migrationLine = (migration: MigrationAnswer): string =>
  printable(
    `migration ${migration.id}: ${nameOf(migration)}, ${migration.authority} answers, ${migration.verdict}. ${migration.situation}`,
  );

/** Three digits that mean something, never an exponent. */
export const figure = (value: number | null | undefined): string =>
  value === null || value === undefined
    ? "-"
    : Number(value.toPrecision(3)).toLocaleString("en", { useGrouping: false, maximumFractionDigits: 6 });

export function boundsText({ observed, low, high, limit }: CheckAnswer): string {
  if (observed === null) return "";
  const within = low === undefined && high === undefined ? "" : ` (${figure(low)} to ${figure(high)})`;
  return `${figure(observed)}${within}${limit === null ? "" : `, limit ${figure(limit)}`}`;
}

export function statusText(migration: MigrationAnswer, metrics: MetricsAnswer): string {
  const readers = Object.entries(migration.readers).map(([reader, side]) => `${reader} to ${side}`);
  const checks = migration.checks.map((check) => [
    check.name,
    check.is_alert ? `${check.verdict}, ALERT` : check.verdict,
    check.sample_size,
    boundsText(check),
    check.explanation,
  ]);
  return [
    migrationLine(migration),
    `epoch ${migration.epoch}, since ${migration.since}, last step ${migration.last_step_at ?? "never"}`,
    ...(readers.length === 0 ? [] : [printable(`readers moved by hand: ${readers.join(", ")}`)]),
    ...metrics.sinks.map(sinkLine),
    `differences: ${countsText(metrics.differences)}; ${metrics.differences.open} open, ${metrics.differences.repaired} repaired`,
    "",
    table(["CHECK", "VERDICT", "SAMPLES", "FIGURE", "IN WORDS"], checks, "nothing has been looked at yet"),
  ].join("\n");
}

export function sinkLine(sink: MetricsAnswer["sinks"][number]): string {
  const says = [
    sink.lag_seconds === null ? "lag not known" : `lag ${figure(sink.lag_seconds)} s`,
    ...(sink.lag_records === undefined ? [] : [`${sink.lag_records} records`]),
    ...(sink.lost_events === null ? [] : [`${sink.lost_events} lost`]),
    ...(sink.last_sequence === undefined
      ? []
      : [`ledger complete up to ${sink.complete_up_to} of ${sink.last_sequence}, ${sink.missing} missing`]),
    ...(sink.breaker === undefined || sink.breaker === "closed" ? [] : [`breaker ${sink.breaker}`]),
    ...(sink.is_off ? ["stopped"] : []),
  ];
  return `${sink.name.padEnd(4)} ${says.join(", ")}`;
}

export const countsText = (counts: Counts): string =>
  (["missing_in_new", "missing_in_old", "different", "late", "known_limit"] as const)
    .map((name) => `${name.replaceAll("_", " ")} ${counts[name]}`)
    .join(", ");
