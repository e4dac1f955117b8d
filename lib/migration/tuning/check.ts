import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import type { Check, CheckContext, CheckOutcome, State } from "../ports.ts";
import { NO_TUNING, type Tuning, tuningSchema } from "./memory.ts";
import { between, type Meter, type Tunable } from "./ports.ts";
import { type Proposal, propose } from "./propose.ts";
import { advanceTrial, untried } from "./trial.ts";

export interface TuningDeps {
  readonly meter: Meter;
  /** What can be changed while everything runs; of the other settings it is only said what a person should set. */
  readonly tunables: readonly Tunable[];
}

const NAME = "tuning";
/** A day of the store is read for them. */
const FACTS_EVERY_US: Microseconds = 6 * 3_600_000_000;
/** NEW answers everything, and OLD is still there to go back to. On the way back a trial only ends. */
const TRYING: ReadonlySet<State> = new Set(["rampdown", "cleanup"]);
const STATES: ReadonlySet<State> = new Set([...TRYING, "rolling_back"]);

/** `tuning` (row C9): says what the figures propose, and tries one thing after the other where it can. Always passes: it holds nothing up and takes nothing back. */
export const createTuning = (deps: TuningDeps): Check => ({
  name: NAME,
  states: STATES,
  run: (context) => run(deps, context),
});

async function run({ meter, tunables }: TuningDeps, { migration, memory, nowUs }: CheckContext): Promise<CheckOutcome> {
  const before = tuningSchema.safeParse(memory).data ?? NO_TUNING;
  const { homeId, state } = migration;
  const isFresh = before.facts !== undefined && Math.abs(nowUs - before.facts.atUs) < FACTS_EVERY_US;
  const [reading, facts] = await Promise.all([
    meter.read(homeId),
    isFresh ? before.facts : meter.facts(migration, nowUs).then((found) => ({ ...found, atUs: nowUs })),
  ]);
  const canary = migration.checks.find(({ name, verdict }) => name === "canary" && verdict === "pass");
  const { atUs: _, ...slow } = facts ?? { atUs: nowUs };
  const measured = { ...slow, ...between(before.reading, reading, canary?.observed) };
  const proposals = propose(measured);
  const canTry = (setting: string) => tunables.find((one) => one.setting === setting);
  const wanted = before.trial?.setting ?? untried(before, proposals).find(({ setting }) => canTry(setting))?.setting;
  const tunable = wanted && canTry(wanted);
  const current = tunable ? await tunable.read(homeId) : undefined;
  const seen = { nowUs, measured, current, isAllowed: TRYING.has(state) };
  const { tuning, command } = advanceTrial(
    before,
    seen,
    proposals.filter(({ setting }) => setting === tunable?.setting),
  );
  // Before it is remembered: after a crash it is asked for again, and means the same.
  if (command && tunable) await tunable.set(homeId, command);
  const explanation = wordsOf(tuning, proposals);
  return {
    results: [{ name: NAME, verdict: "pass", sampleSize: measured.events, explanation }],
    memory: { ...tuning, proposals: proposals.map(toldOf), ...(facts && { facts }), ...(reading && { reading }) },
  };
}

const toldOf = ({ setting, from, to, isRefuted, explanation }: Proposal): Tuning["proposals"][number] => ({
  ...{ setting, from, to, explanation },
  ...(isRefuted !== undefined && { isRefuted }),
});

function wordsOf({ trial, outcomes }: Tuning, proposals: readonly Proposal[]): string {
  const under =
    trial &&
    `Being tried: ${trial.setting} ${trial.to} instead of ${trial.from} (${trial.phase}, ${trial.before.length} and ${trial.during.length} samples, until ${formatIsoUs(trial.untilUs)}).`;
  const tried = outcomes.map(
    ({ setting, from, to, isKept, reason }) =>
      `${setting} ${to} instead of ${from} was ${isKept ? "kept" : "not kept"}: ${reason}.`,
  );
  const said = proposals.map(({ explanation }) => explanation);
  const all = [...(under ? [under] : []), ...tried, ...said];
  return all.length === 0 ? "The figures propose no change." : all.join(" ");
}
