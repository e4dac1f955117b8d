import type { LedgerFigures } from "./ledger-shapes.ts";

type Interruption = NonNullable<LedgerFigures["interruptions"]["last"]>;
type Missing = Interruption["missing"][number];

const counted = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
const entities = (count: number): string => counted(count, "entity", "entities");

const REASONS: Readonly<Record<Missing["reason"], (count: number) => string>> = {
  not_recorded: (count) => `${entities(count)} not in the recorder`,
  purged: (count) => `${entities(count)} whose time the recorder no longer keeps`,
  recorder_off: (count) => `the recorder is off (${entities(count)})`,
  recorder_behind: (count) => `${entities(count)} for which the recorder was too slow`,
  removed: (count) => `${entities(count)} removed`,
  power_cut: (count) => `${entities(count)} whose last events nobody wrote down before the power went`,
};

/** What happened while the relay heard nothing, in a sentence or two; undefined when it always heard. */
export function interruptionWords({
  count,
  recovered,
  statistics,
  last,
}: LedgerFigures["interruptions"]): string | undefined {
  if (count === 0) return undefined;
  const hours = statistics > 0 ? `, ${counted(statistics, "hour", "hours")} of statistics` : "";
  const totals = `${counted(count, "interruption", "interruptions")}, ${counted(recovered, "event", "events")} recovered${hours}`;
  if (!last || last.missing.length === 0) return `${totals}.`;
  const reasons = last.missing.map(({ reason, entities }) => REASONS[reason](entities)).join("; ");
  return `${totals}. ${count === 1 ? "Not recovered" : "Of the last, not recovered"}: ${reasons}.`;
}

/** What another sink of the relay lost; undefined when none did. */
export function otherSinkWords({ events, last }: LedgerFigures["other_sinks_lost"]): string | undefined {
  if (events === 0) return undefined;
  return `The sink "${last?.sink ?? "unknown"}" could not be given ${counted(events, "event", "events")}, which the cloud has.`;
}
